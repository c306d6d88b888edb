"""What stands in scenario.yaml, and what it must be."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from detectors.configs import DetectorConfig, DetectorConfigError, read_config
from detectors.tracks import TrackRule
from detectors.zones import Zones
from novic.vocabulary import sanitised
from scenarios.belonging_rule import BelongingRule
from scenarios.json_files import is_tidy
from scenarios.language import why_not_english
from scenarios.yaml_files import Fault, Key

FILE = "scenario.yaml"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LONGEST_DESCRIPTION = 4000
"""Characters; it is part of every request."""


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True
    )


class Examples(_Part):
    """Nouns whose answer the author knows; they show raters what is meant, and measure them."""

    seen: list[str] = []
    """Things that are regularly seen at the site; ten, better twenty."""
    never: list[str] = []
    """Things that are never seen there, as many."""


class Bundle(_Part):
    """A decoder that was trained for the site."""

    ft: Annotated[int, Field(ge=0)]
    """Frequency threshold: it says the nouns whose frequency is above."""
    path: Annotated[str, Field(min_length=1)]
    """Its folder, from the scenario's."""


def _as_config(value: object) -> object:
    """A detector's settings, with the same faults in the same words as on the command line."""
    if not isinstance(value, Mapping):
        return value
    try:
        return read_config(value)
    except DetectorConfigError as error:
        raise ValueError(str(error)) from error


class Detector(_Part):
    """How the site's video is looked at."""

    folder: str | None = None
    """A detector that `nomaly fit` has made, from the scenario's folder; without it, normal video
    must be given."""
    model: Annotated[DetectorConfig | None, BeforeValidator(_as_config)] = None
    """What a detector that learns here is made of: its kind, and settings that differ from the
    kind's own."""
    exclude: list[list[Annotated[list[float], Field(min_length=2, max_length=2)]]] = []
    """Polygons that are not watched: corners [x, y] as shares of the frame's width and height."""
    tracks: TrackRule = TrackRule()
    """When something counts as an event, and when it is over."""

    @property
    def zones(self) -> Zones:
        """The same as the detector takes it."""
        polygons = [tuple((x, y) for x, y in polygon) for polygon in self.exclude]
        return Zones(exclude=tuple(polygons))


class Settings(_Part):
    """What stands in scenario.yaml."""

    version: Literal[1]
    """Of this format."""
    name: str
    """Letters, digits, - and _; part of file names."""
    description: str
    """The place and the camera, in a sentence or a few, in English."""
    any_language: bool = False
    """Whether the description may be in another language; raters know English best."""
    dictionary: Annotated[str, Field(min_length=1)] | None = None
    """An object_nouns.json to start from, from the scenario's folder; by default the base
    dictionary."""
    examples: Examples = Examples()
    expected: list[str] = []
    """Things that are always expected there, whatever raters say."""
    never_expected: list[str] = []
    """Things that are never expected there, whatever raters say."""
    bundles: list[Bundle] = []
    """Decoders of the site; `nomaly scenario build` writes them here."""
    detector: Detector = Detector()
    belonging: BelongingRule = BelongingRule()
    """When a named thing is expected, unexpected or unknown there."""


def schema() -> dict[str, Any]:
    """JSON schema of scenario.yaml, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(),
    }


def is_name(text: str) -> bool:
    """Whether this can be a scenario's name: up to 64 letters, digits, - and _, no path."""
    return _NAME.fullmatch(text) is not None


def faults(settings: Settings) -> list[Fault]:
    """What is wrong with settings whose types are right."""
    found = [*_description_faults(settings), *_noun_faults(settings)]
    if not is_name(settings.name):
        found.append((("name",), f"{settings.name!r} must be of letters, digits, - and _"))
    first: dict[int, int] = {}
    for number, bundle in enumerate(settings.bundles):
        if first.setdefault(bundle.ft, number) != number:
            found.append((("bundles", number, "ft"), f"{bundle.ft} is there twice"))
    try:
        _ = settings.detector.zones
    except ValueError as error:
        found.append((("detector", "exclude"), str(error)))
    return found


def _description_faults(settings: Settings) -> list[Fault]:
    text = settings.description
    if not text.strip():
        what = "is empty; say in a sentence where the camera is"
    elif len(text) > _LONGEST_DESCRIPTION:
        what = f"has {len(text)} characters; {_LONGEST_DESCRIPTION} are the most"
    elif mark := re.search(r"<\|.*?\|>", text):
        what = f"{mark[0]} means something else to language models; leave it out"
    elif not settings.any_language and (why := why_not_english(text)):
        what = (
            f"{why}; raters know English best: translate it, or write any_language: true "
            "(nomaly scenario init --any-language) if it is English or a model is used that knows "
            "the language"
        )
    else:
        return []
    return [(("description",), what)]


def _noun_faults(settings: Settings) -> Iterable[Fault]:
    """Words that are no nouns, are there twice, or are on both sides."""
    sides = (
        (("examples", "seen"), settings.examples.seen),
        (("examples", "never"), settings.examples.never),
        (("expected",), settings.expected),
        (("never_expected",), settings.never_expected),
    )
    where: dict[tuple[str, str], str] = {}
    for key, nouns in sides:
        yield from _list_faults(key, nouns)
        for number, noun in enumerate(nouns):
            target = sanitised(noun)
            where.setdefault((key[-1], target), noun)
            for other in _opposites(key[-1]):
                if target and (other, target) in where:
                    yield (*key, number), f"{noun} is among {other} too"


def _list_faults(key: Key, nouns: Sequence[str]) -> Iterable[Fault]:
    first: dict[str, str] = {}
    for number, noun in enumerate(nouns):
        target = sanitised(noun)
        if not target or not is_tidy(noun):
            yield (*key, number), f"{noun!r} is no noun; write words with single spaces between"
        elif target in first:
            yield (*key, number), f"{noun} is there twice"
        first.setdefault(target, noun)


def _opposites(side: str) -> tuple[str, ...]:
    return ("never", "never_expected") if side in ("seen", "expected") else ("seen", "expected")
