"""How far a scenario has come, and what is next."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from scenarios.overlay import read_overlay
from scenarios.ratings.files import read_site_ratings
from scenarios.site import Scenario

THRESHOLDS = (0, 2, 4, 6)
"""Of frequency, that sites are built for."""


@dataclass(frozen=True, slots=True)
class State:
    """What there is of a scenario."""

    nouns: dict[int, int]
    """Nouns of its dictionary above each threshold; empty until it was rated."""
    excluded: int
    flags: dict[str, int]
    """How often each flag stands in the sidecar."""
    described_anew: bool
    """Whether the description was changed since the rating."""
    edits: int
    bundles: dict[int, Path]
    """Decoders that are there, by threshold."""
    missing: dict[int, Path]
    """Decoders that the file names and that are not there."""
    next: str
    """Command that leads on."""


def state(scenario: Scenario) -> State:
    """How far a scenario has come.

    Raises:
        ScenarioError: If its overlay cannot be read.
        RatingError: If its dictionary or sidecar is damaged, or they do not belong together.
    """
    edits = len(read_overlay(scenario.overlay_path).edits)
    paths = {one.ft: scenario.folder / one.path for one in scenario.settings.bundles}
    bundles = {ft: path for ft, path in paths.items() if path.exists()}
    missing = {ft: path for ft, path in paths.items() if ft not in bundles}
    nouns, flags, excluded, anew = {}, Counter(), 0, False
    if is_rated(scenario):
        rated = read_site_ratings(scenario.ratings_path)
        totals = [noun.total for noun in rated.nouns if noun.excluded is None]
        nouns = {ft: sum(total > ft for total in totals) for ft in THRESHOLDS}
        excluded = len(rated.nouns) - len(totals)
        flags.update(flag for noun in rated.nouns for flag in noun.flags)
        anew = rated.description != scenario.place().description
    following = next_command(scenario) if not anew else f"nomaly scenario rate {scenario.name}"
    return State(nouns, excluded, dict(flags), anew, edits, bundles, missing, following)


def is_rated(scenario: Scenario) -> bool:
    """Whether its dictionary was made."""
    return scenario.ratings_path.is_file() and scenario.site_dictionary_path.is_file()


def next_command(scenario: Scenario) -> str:
    """What leads on from where a scenario is."""
    if not is_rated(scenario):
        return f"nomaly scenario rate {scenario.name}"
    if not any((scenario.folder / one.path).exists() for one in scenario.settings.bundles):
        return f"nomaly scenario build {scenario.name} --ft 6"
    return f"nomaly name PICTURE --scenario {scenario.name}"
