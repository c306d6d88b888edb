"""What a rating works on: the site, its nouns, their vectors, and the settings of an open run."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import UsageError
from app.events.differences import difference
from app.events.outputs import write_text
from app.progress import Reporter
from app.sites.rating.order import RateOrder
from app.stop import Stop
from novic.embedder import Vectors
from scenarios.base.build import ensure_base, with_additions
from scenarios.dictionary import ObjectDictionary, read_dictionary
from scenarios.json_files import read_json
from scenarios.overlay import Overlay, read_overlay
from scenarios.paths import vectors_folder
from scenarios.raters.digits.prompts import asked_as
from scenarios.raters.vectors.nouns import NounVectors, noun_vectors, text_vectors
from scenarios.raters.vectors.shipped import shipped_vectors
from scenarios.ratings.files import read_site_ratings
from scenarios.ratings.records import Line, Place, RatingError
from scenarios.ratings.result import Wishes
from scenarios.ratings.scale import LEAST_EXAMPLES
from scenarios.site import Scenario, targets, told_from

OWN = Path("base")
"""Says Nomaly's own base dictionary, as elsewhere on the command line."""

OPEN_RUN = "rating.json"
"""In the work folder while a rating is unfinished: the settings it began with."""


@dataclass(frozen=True, slots=True)
class StartDictionary:
    """The dictionary that a site starts from."""

    path: str | None
    """From the scenario's folder, or whole; None for Nomaly's own."""
    sha256: str
    """Of its nouns, without what the site adds."""

    def as_json(self) -> dict[str, str | None]:
        """As the sidecar remembers it."""
        return {"path": self.path, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Work:
    """A site and the nouns that are rated for it."""

    order: RateOrder
    scenario: Scenario
    place: Place
    base: ObjectDictionary
    """With everything that the site's author names."""
    base_sha256: str
    start: StartDictionary
    overlay: Overlay
    wishes: Wishes
    reporter: Reporter

    def lines(self, nouns: Sequence[str]) -> list[Line]:
        """Nouns as a rater reads them."""
        wanted = set(nouns)
        return [
            Line(entry.target_noun, asked_as(entry))
            for entry in self.base.entries
            if entry.target_noun in wanted
        ]

    def vectors(self, stop: Stop) -> NounVectors:
        """Word vectors of all nouns that the rater needs.

        Those of the base dictionary come along; others are made once, which may take minutes.
        """
        with self.reporter.task("word vectors") as meter:

            def report(done: int, total: int) -> None:
                meter.count(done, total)
                stop.check()

            return noun_vectors(
                self._judged(),
                vectors_folder(),
                packed=shipped_vectors(),
                report=report,
                tell=self.reporter.say,
            )

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of other texts, kept as those of nouns are: unit float32 [N, 384]."""
        return text_vectors(
            texts, vectors_folder(), packed=shipped_vectors(), tell=self.reporter.say
        )

    def _judged(self) -> ObjectDictionary:
        """The nouns that need vectors: with a model, which estimates others from them, all."""
        if self.order.backend != "prior" or self.order.limit is None:
            return self.base
        wanted = {*self.asked(), *self.place.seen, *self.place.never}
        return ObjectDictionary(tuple(e for e in self.base.entries if e.target_noun in wanted))

    def asked(self) -> list[str]:
        """The nouns that a limit leaves, the most frequent; all without one."""
        entries = sorted(self.base.entries, key=lambda e: (-e.total_freq, e.target_noun))
        return [entry.target_noun for entry in entries[: self.order.limit]]


def check_examples_named(scenario: Scenario) -> None:
    """Refuse a site with too few examples before anything that takes time.

    Raises:
        RatingError: If there are fewer than any rater can be measured by.
    """
    said = scenario.settings.examples
    seen, never = len(targets(said.seen)), len(targets(said.never))
    if min(seen, never) < LEAST_EXAMPLES:
        raise RatingError(
            f"{scenario.file}: names {seen} examples of things seen there and {never} of things "
            f"never seen; {LEAST_EXAMPLES} of each are needed, ten are good, twenty better. "
            f"`nomaly scenario examples {scenario.name}` proposes some"
        )


def open_work(order: RateOrder, scenario: Scenario, reporter: Reporter) -> Work:
    """Read everything that a rating needs.

    Raises:
        DictionaryError: If the base dictionary cannot be read or made.
        ScenarioError: If the overlay cannot be read.
    """
    named = _named_dictionary(order, scenario, reporter)
    path = named
    if path is None:
        with reporter.stages() as told:
            path = ensure_base(told)
    overlay = read_overlay(scenario.overlay_path)
    read = read_dictionary(path)
    start = StartDictionary(named and told_from(scenario.folder, named), nouns_sha256(read))
    base = with_additions(read, [*scenario.named, *overlay.edits])
    said = scenario.settings
    place = scenario.place(base)
    # What the owner gives as an example is known, whatever a rater made of it.
    wishes = Wishes(
        expected=frozenset({*targets(said.expected, base), *place.seen}),
        never_expected=frozenset({*targets(said.never_expected, base), *place.never}),
        added=frozenset(base.targets) - frozenset(read.targets),
    )
    return Work(order, scenario, place, base, nouns_sha256(base), start, overlay, wishes, reporter)


def _named_dictionary(order: RateOrder, scenario: Scenario, reporter: Reporter) -> Path | None:
    """The file to start from: as ordered, as the scenario says, or as at the last rating.

    Raises:
        UsageError: If the file of the last rating is gone.
    """
    if order.dictionary == OWN and not OWN.exists():
        return None
    if named := order.dictionary or scenario.dictionary:
        return named
    remembered = last_start(scenario)
    if remembered is None or remembered.path is None:
        return None
    path = scenario.folder / remembered.path
    if not path.is_file():
        raise UsageError(
            f"{scenario.name} was rated from {path}, which is not there any more; put it back, or "
            "name another with --dictionary (base is Nomaly's own)"
        )
    reporter.say(f"Starting from {path}, as at the last rating.")
    return path


def last_start(scenario: Scenario) -> StartDictionary | None:
    """What a site's last rating started from; None if it was not rated or did not note it."""
    if not scenario.ratings_path.is_file():
        return None
    noted = read_site_ratings(scenario.ratings_path).provenance.get("dictionary")
    return StartDictionary(**noted) if isinstance(noted, dict) else None


def nouns_sha256(dictionary: ObjectDictionary) -> str:
    """Of all nouns with their spellings and frequencies, hexadecimal."""
    digest = hashlib.sha256()
    for entry in dictionary.entries:
        told = (entry.target_noun, entry.singulars, entry.plurals, entry.total_freq)
        digest.update(json.dumps(told, ensure_ascii=False).encode())
    return digest.hexdigest()


def begin(work: Work, question: Mapping[str, Any]) -> Path:
    """Note with what settings a rating begins, and compare with one that is unfinished.

    Args:
        work: What is rated.
        question: What is asked and of whom, name by value.

    Returns:
        The note, to be deleted when the dictionary is written.

    Raises:
        UsageError: If a run with other settings is unfinished; tells the differences.
    """
    path = work.scenario.work_folder / OPEN_RUN
    settings = {
        "description": work.place.description,
        "examples": [*work.place.seen, *work.place.never],
        "dictionary": work.base_sha256,
        "limit": work.order.limit,
        "all": work.order.everything,
        "seed": work.order.seed,
        **question,
    }
    if path.exists() and not work.order.restart:
        earlier = read_json(path, UsageError)
        if settings != earlier:
            raise UsageError(
                f"{work.scenario.folder}: a rating with other settings is unfinished: "
                f"{difference(settings, earlier)}; put them back to go on with it, or say "
                "--restart to begin anew (answers already paid for stay in the store)"
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(settings, indent=2, ensure_ascii=False))
    return path
