"""The two files of a rated site, written and read together.

Both are first written beside their places, then moved there: the dictionary, then the sidecar. A
kill leaves the old pair, the new pair, or a new dictionary with the old sidecar. The sidecar holds
the dictionary's SHA-256, so the last is noticed, and put right by moving the new sidecar.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from novic.digest import file_sha256
from novic.whole_files import NEW, write_whole
from scenarios.dictionary import ObjectDictionary, write_dictionary
from scenarios.json_files import Faults, read_json
from scenarios.ratings.records import RatingError
from scenarios.ratings.result import NounRating, SiteRatings
from scenarios.ratings.scale import Calibration
from scenarios.ratings.store import Asked

FORMAT = "nomaly-site-ratings"


class _File(BaseModel):
    """The sidecar as JSON."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    format: Literal["nomaly-site-ratings"]
    version: Literal[1]
    scenario: str
    description: str
    provenance: dict[str, Any]
    nouns: tuple[NounRating, ...]


def dictionary_path(folder: Path, name: str) -> Path:
    """Where the dictionary of a site lies."""
    return folder / f"object_nouns_{name}.json"


def ratings_path(folder: Path, name: str) -> Path:
    """Where its sidecar lies."""
    return folder / f"object_nouns_{name}.ratings.json"


def provenance(
    raters: Sequence[tuple[Asked, Calibration | None]],
    *,
    base_sha256: str,
    dictionary: Mapping[str, str | None] | None = None,
    rule: str,
    share: float | None,
    made_us: int,
) -> dict[str, Any]:
    """Where a site's ratings are from, for the sidecar.

    Args:
        raters: What each was asked and took, and how its numbers were calibrated.
        base_sha256: Of the nouns that were rated, what was added to the base dictionary included.
        dictionary: The base dictionary: its `path`, None for Nomaly's own, and the `sha256` of its
            nouns.
        rule: How frequencies were split, for example "largest remainder".
        share: Of nouns that are likely here, as displayed probabilities assume.
        made_us: When: UTC, microseconds.
    """
    return {
        "made": _date(made_us),
        "rule": rule,
        "base_dictionary_sha256": base_sha256,
        "dictionary": dictionary,
        "share_likely": share,
        "cost_usd": sum(asked.spent.cost_usd for asked, _ in raters),
        "raters": [
            {
                **asdict(asked.question),
                "backends": dict(asked.backends),
                **asdict(asked.spent),
                "first_answer": _date(asked.first_us),
                "last_answer": _date(asked.last_us),
                "calibration": calibration and asdict(calibration),
            }
            for asked, calibration in raters
        ],
    }


def write_site(
    folder: Path, name: str, dictionary: ObjectDictionary, ratings: SiteRatings
) -> SiteRatings:
    """Write a site's dictionary and its sidecar, both or, after a kill, to be completed.

    Args:
        folder: The scenario's.
        name: The scenario's.
        dictionary: From `site_dictionary`, like the ratings' nouns.
        ratings: The dictionary's SHA-256 is added to their provenance.

    Returns:
        The ratings as they were written.

    Raises:
        RatingError: If the files cannot be written; the old pair is left then.
    """
    final, sidecar = dictionary_path(folder, name), ratings_path(folder, name)
    fresh, fresh_sidecar = _beside(final), _beside(sidecar)
    moved = False
    try:
        write_dictionary(fresh, dictionary)
        written = SiteRatings(
            ratings.scenario,
            ratings.description,
            {**ratings.provenance, "dictionary_sha256": file_sha256(fresh)},
            ratings.nouns,
        )
        write_whole(fresh_sidecar, _sidecar_text(written).encode())
        fresh.replace(final)
        moved = True
        fresh_sidecar.replace(sidecar)
    except OSError as error:
        if not moved:
            for part in (fresh, fresh_sidecar):
                part.unlink(missing_ok=True)
        raise RatingError(
            f"{error.filename or final}: cannot be written: {error.strerror or error}; free some "
            "space or make the folder writable, then rate again: no answer is asked twice"
        ) from error
    return written


def read_site_ratings(path: Path) -> SiteRatings:
    """Read a site's sidecar, and make sure that the dictionary beside it is the one it describes.

    If a kill left the pair half replaced, it is completed first.

    Args:
        path: The sidecar, `ratings_path`.

    Raises:
        RatingError: If one of the files is missing or damaged, or they do not belong together.
    """
    dictionary = path.with_name(path.name.replace(".ratings.json", ".json"))
    try:
        digest = file_sha256(dictionary)
    except OSError as error:
        raise RatingError(f"{dictionary}: cannot be read: {error.strerror}; {_AGAIN}") from error
    fresh = _beside(path)
    if fresh.exists() and _describes(fresh, digest):
        fresh.replace(path)
    ratings = _read(path)
    if ratings.provenance.get("dictionary_sha256") != digest:
        raise RatingError(
            f"{path}: does not belong to {dictionary.name} beside it, one of them was changed or "
            f"replaced alone; put back the other, or {_AGAIN}"
        )
    return ratings


_AGAIN = "run `nomaly scenario rate` again: answers are kept, so none is paid for twice"


def _read(path: Path) -> SiteRatings:
    raw = read_json(path, RatingError)
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise RatingError(f"{path}: is no sidecar of a site's dictionary (format {FORMAT})")
    if raw.get("version") != 1:
        raise RatingError(
            f"{path}: version {raw.get('version')!r} of the format is not known here, only 1; "
            "update Nomaly or rate the site again"
        )
    try:
        file = _File.model_validate_json(path.read_bytes())
    except ValidationError as error:
        faults = Faults(path, RatingError)
        for fault in error.errors():
            faults.add(_where(raw, fault["loc"]), fault["msg"])
        faults.raise_any()
        raise
    return SiteRatings(file.scenario, file.description, file.provenance, file.nouns)


def _where(raw: Mapping[str, Any], loc: tuple[int | str, ...]) -> str:
    """Names the field of a fault, and the noun if it is one's."""
    match loc:
        case ("nouns", int(place), *rest):
            noun = raw["nouns"][place]
            name = noun.get("target_noun", "?") if isinstance(noun, dict) else "?"
            return ", ".join([f"noun {place + 1} ({name})", *map(str, rest)])
    return ".".join(map(str, loc))


def _describes(sidecar: Path, digest: str) -> bool:
    """Whether a sidecar is whole and that of the dictionary with this SHA-256."""
    try:
        return _read(sidecar).provenance.get("dictionary_sha256") == digest
    except RatingError:
        return False


def _sidecar_text(ratings: SiteRatings) -> str:
    """JSON with one noun a line, so that two versions compare line by line."""
    head = {
        "format": FORMAT,
        "version": 1,
        "scenario": ratings.scenario,
        "description": ratings.description,
        "provenance": ratings.provenance,
    }
    top = json.dumps(head, ensure_ascii=False, allow_nan=False, indent=2).removesuffix("\n}")
    nouns = ",\n".join(
        json.dumps(asdict(noun), ensure_ascii=False, allow_nan=False) for noun in ratings.nouns
    )
    return f'{top},\n  "nouns": [\n{nouns}\n  ]\n}}\n'


def _beside(path: Path) -> Path:
    return path.with_name(path.name + NEW)


def _date(us: int) -> str:
    return datetime.fromtimestamp(us // 1_000_000, UTC).isoformat()
