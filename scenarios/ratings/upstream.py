"""Upstream's arithmetic and rating files, for results equal to its own (novic_spec §1.9).

Its rating files have one JSON object a line, one for each opinion about one noun: the dictionary
entry that was asked about, the number of the opinion and what the model said.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from novic.vocabulary import sanitised
from scenarios.dictionary import NounEntry, ObjectDictionary
from scenarios.json_files import Faults, is_tidy
from scenarios.ratings.records import RatingError
from scenarios.ratings.result import NounRating
from scenarios.ratings.scale import total

NO_OPINION = "no opinion in upstream's rating files"
NOT_AN_OBJECT = "most opinions say that it is no valid object noun"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one opinion says about one noun."""

    number: int
    """First, second or third."""
    formatted_noun: str
    """The noun as a dictionary would print it."""
    valid: bool
    """Whether it is an object noun at all; upstream records it and does not use it."""
    conceivable: int
    """How well it can occur, 1 to 10."""
    likely: int
    """How likely it will, 1 to 10."""


class _Said(BaseModel):
    model_config = ConfigDict(strict=True)
    formatted_noun: str
    is_valid_object_noun: bool
    can_conceivably_occur_rating: int = Field(ge=1, le=10)
    will_likely_occur_rating: int = Field(ge=1, le=10)


class _Line(BaseModel):
    model_config = ConfigDict(strict=True)
    entry: dict[str, Any]
    opinion_num: int
    opinion: _Said


def read_opinions(paths: Sequence[Path], base: ObjectDictionary) -> dict[str, list[Opinion]]:
    """Read upstream's rating files.

    Args:
        paths: All JSON-lines files of one task, in order.
        base: The dictionary that was rated.

    Returns:
        Opinions by target noun, as they come.

    Raises:
        RatingError: If a file cannot be read or a line is not as upstream writes it, is about an
            entry that `base` does not have just so, or is there twice; lines are told.
    """
    entries = {entry.target_noun: entry for entry in base.entries}
    opinions: dict[str, list[Opinion]] = {}
    for path in paths:
        faults = Faults(path, RatingError)
        for number, text in _lines(path):
            line = _parsed(text, f"line {number}", faults)
            if line is None or not _is_of(entries, line.entry, f"line {number}", faults):
                continue
            target = line.entry["target_noun"]
            of_noun = opinions.setdefault(target, [])
            if any(opinion.number == line.opinion_num for opinion in of_noun):
                faults.add(
                    f"line {number} ({target})",
                    f"is opinion {line.opinion_num} again; remove one of the two",
                )
            of_noun.append(_opinion(line))
        faults.raise_any()
    return opinions


def upstream_dictionary(
    base: ObjectDictionary,
    opinions: Mapping[str, Sequence[Opinion]],
    *,
    drop_invalid: bool = False,
) -> tuple[ObjectDictionary, tuple[NounRating, ...]]:
    """The dictionary that upstream makes of its ratings, and what every noun got.

    r = (2 l + c) / 3 of the means of likely and conceivable; frequencies by `upstream_frequencies`;
    the display spelling is the most common formatted noun that is the same noun. As upstream does,
    nouns without an opinion are left out.

    Args:
        base: The dictionary that was rated.
        opinions: From `read_opinions`.
        drop_invalid: Also leave out nouns that most of their opinions call no valid object noun;
            upstream keeps them.

    Raises:
        RatingError: If no noun is left.
    """
    entries, nouns = [], []
    for entry in base.entries:
        of_noun = opinions.get(entry.target_noun, ())
        excluded = _excluded(of_noun, drop_invalid=drop_invalid)
        rating = _rating(of_noun) if of_noun else 1.0
        freq = 0
        if excluded is None:
            changed, _ = upstream_frequencies(entry, rating)
            entries.append(replace(changed, pretty_noun=_pretty(entry, of_noun)))
            freq = changed.total_freq
        nouns.append(_noun_rating(entry, of_noun, rating, freq, excluded))
    if not entries:
        raise RatingError(
            "no noun is left: the rating files have no opinion about any noun of this dictionary "
            "that would keep it"
        )
    return ObjectDictionary(tuple(entries)), tuple(nouns)


def upstream_frequencies(entry: NounEntry, rating: float) -> tuple[NounEntry, tuple[str, ...]]:
    """Upstream's rule: each frequency q by itself becomes max(round(q T / T_old), 1).

    T = 0.375 r². A noun of n spellings cannot fall below n, whatever its rating (scenarios_spec
    §3.1). `round` goes to the even number at halves, as Python's does.

    Args:
        entry: The noun; T_old is its total frequency.
        rating: r, from 1 to 10.

    Returns:
        The noun; and no removed spellings, there never are any.
    """
    new, old = total(rating), entry.total_freq

    def scaled(freqs: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(max(round(freq * new / old), 1) for freq in freqs)

    changed = replace(
        entry,
        singulars_freq=scaled(entry.singulars_freq),
        plurals_freq=scaled(entry.plurals_freq),
    )
    return changed, ()


def _excluded(opinions: Sequence[Opinion], *, drop_invalid: bool) -> str | None:
    if not opinions:
        return NO_OPINION
    invalid = sum(not opinion.valid for opinion in opinions)
    return NOT_AN_OBJECT if drop_invalid and 2 * invalid > len(opinions) else None


def _rating(opinions: Sequence[Opinion]) -> float:
    likely = sum(opinion.likely for opinion in opinions) / len(opinions)
    conceivable = sum(opinion.conceivable for opinion in opinions) / len(opinions)
    return (2 * likely + conceivable) / 3


def _pretty(entry: NounEntry, opinions: Sequence[Opinion]) -> str:
    spellings = [" ".join(opinion.formatted_noun.split()) for opinion in opinions]
    same = Counter(
        spelling
        for spelling in spellings
        if is_tidy(spelling) and sanitised(spelling) == entry.target_noun
    )
    return same.most_common(1)[0][0] if same else entry.pretty_noun


def _noun_rating(
    entry: NounEntry, opinions: Sequence[Opinion], rating: float, freq: int, excluded: str | None
) -> NounRating:
    return NounRating(
        target_noun=entry.target_noun,
        logit=None,
        p=None,
        rating=rating,
        total=freq,
        base_total=entry.total_freq,
        opinions=len(opinions),
        raters=("upstream",) if opinions else (),
        flags=() if opinions else ("unrated",),
        removed_variants=(),
        excluded=excluded,
    )


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Numbers from 1 and bytes of all lines that are not blank."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise RatingError(f"{path}: cannot be read: {error.strerror}") from error


def _parsed(text: bytes, where: str, faults: Faults) -> _Line | None:
    try:
        return _Line.model_validate_json(text)
    except ValidationError as error:
        for fault in error.errors():
            field = ".".join(map(str, fault["loc"]))
            faults.add(f"{where}, {field}" if field else where, fault["msg"])
        return None


def _is_of(
    entries: Mapping[str, NounEntry], said: dict[str, Any], where: str, faults: Faults
) -> bool:
    """Whether the entry that was rated is in the dictionary, and there as it was then."""
    target = said.get("target_noun")
    entry = entries.get(target) if isinstance(target, str) else None
    if entry is None:
        faults.add(where, f"{target!r} is not in the dictionary; name the one that was rated")
        return False
    for field in fields(NounEntry):
        here = getattr(entry, field.name)
        if said.get(field.name) != (list(here) if isinstance(here, tuple) else here):
            faults.add(
                f"{where} ({target}), entry.{field.name}",
                f"is {said.get(field.name)!r} here and {here!r} in the dictionary; "
                "name the dictionary that was rated",
            )
            return False
    return True


def _opinion(line: _Line) -> Opinion:
    said = line.opinion
    return Opinion(
        line.opinion_num,
        said.formatted_noun,
        said.is_valid_object_noun,
        said.can_conceivably_occur_rating,
        said.will_likely_occur_rating,
    )
