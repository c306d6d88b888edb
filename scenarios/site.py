"""A scenario: one site in a folder, with what its author says about it.

NAME/scenario.yaml                    what the author says, and which decoders belong to it
NAME/overlay.yaml                     what people say about single nouns (scenarios.overlay)
NAME/object_nouns_NAME.json           the site's dictionary, upstream's format
NAME/object_nouns_NAME.ratings.json   how each of its nouns came to its frequency
NAME/bundles/ftN/                     decoders, by frequency threshold
NAME/work/                            what can be made again; may be deleted
"""

import difflib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from detectors.zones import Zones
from novic.vocabulary import sanitised
from scenarios.dictionary import ObjectDictionary
from scenarios.json_files import is_tidy
from scenarios.language import why_not_english
from scenarios.ratings.records import Place
from scenarios.yaml_files import Fault, Key, ScenarioError, read_yaml, write_whole

FILE = "scenario.yaml"

LIBRARY = Path(__file__).parent / "library"
"""The scenarios that Nomaly brings along."""

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


class Detector(_Part):
    """How the site's video is looked at."""

    folder: str | None = None
    """A detector that `nomaly fit` has made, from the scenario's folder; without it, normal video
    must be given."""
    fps: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Frames a second to look at."""
    exclude: list[list[Annotated[list[float], Field(min_length=2, max_length=2)]]] = []
    """Polygons that are not watched: corners [x, y] as shares of the frame's width and height."""

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


@dataclass(frozen=True)
class Scenario:
    """A site's folder and what its scenario.yaml says."""

    folder: Path
    settings: Settings

    @property
    def name(self) -> str:
        """As its files are called."""
        return self.settings.name

    @property
    def file(self) -> Path:
        """What the author wrote."""
        return self.folder / FILE

    @property
    def overlay_path(self) -> Path:
        """Edits of single nouns; need not be there."""
        return self.folder / "overlay.yaml"

    @property
    def site_dictionary_path(self) -> Path:
        """The site's dictionary; there once it was rated."""
        return self.folder / f"object_nouns_{self.name}.json"

    @property
    def ratings_path(self) -> Path:
        """How its nouns came to their frequencies; beside it."""
        return self.folder / f"object_nouns_{self.name}.ratings.json"

    @property
    def work_folder(self) -> Path:
        """For what can be made again."""
        return self.folder / "work"

    @property
    def dictionary(self) -> Path | None:
        """The dictionary to start from, if the author names one."""
        named = self.settings.dictionary
        return None if named is None else self.folder / named

    @property
    def named(self) -> tuple[str, ...]:
        """Every noun that the author names, as written."""
        said = self.settings
        return (*said.examples.seen, *said.examples.never, *said.expected, *said.never_expected)

    def place(self, dictionary: ObjectDictionary | None = None) -> Place:
        """What raters are told of the site.

        Args:
            dictionary: Leads plurals and other spellings of the examples to their nouns.
        """
        return Place(
            " ".join(self.settings.description.split()),
            targets(self.settings.examples.seen, dictionary),
            targets(self.settings.examples.never, dictionary),
        )

    def bundle(self, ft: int | None = None) -> Path:
        """Folder of one of its decoders.

        Args:
            ft: Frequency threshold; by default the lowest that there is, which knows most nouns.

        Raises:
            ScenarioError: If there is none.
        """
        paths = {bundle.ft: self.folder / bundle.path for bundle in self.settings.bundles}
        if not paths:
            raise ScenarioError(
                f"{self.file}: has no decoder yet; run: nomaly scenario build {self.name}"
            )
        wanted = min(paths) if ft is None else ft
        if wanted not in paths:
            there = ", ".join(str(known) for known in sorted(paths))
            raise ScenarioError(
                f"{self.file}: has no decoder for ft {wanted}; there are those for ft {there}"
            )
        return paths[wanted]


def load_scenario(folder: Path) -> Scenario:
    """Read and check a scenario.

    Raises:
        ScenarioError: If its file cannot be read or something in it is not as it must be; tells
            lines and keys, and up to ten faults at once.
    """
    if not (folder / FILE).is_file():
        raise ScenarioError(f"{folder}: no scenario is here ({FILE} is missing)")
    return Scenario(folder, read_yaml(folder / FILE).checked(Settings, faults))


def schema() -> dict[str, Any]:
    """JSON schema of scenario.yaml, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(),
    }


def scenario_root(root: Path | None = None) -> Path:
    """Folder that holds scenarios: the one given, or NOMALY_SCENARIOS, or ./nomaly-scenarios."""
    return root or Path(os.environ.get("NOMALY_SCENARIOS") or "nomaly-scenarios")


def presets() -> list[str]:
    """Names of the scenarios that Nomaly brings along."""
    return sorted(path.parent.name for path in LIBRARY.glob(f"*/{FILE}"))


def find_scenario(
    name: str, root: Path | None = None, say: Callable[[str], object] = print
) -> Scenario:
    """The scenario that a user means.

    Args:
        name: Of a scenario below the root, of a preset, which is copied there first, or a folder.
        root: Folder of scenarios, see `scenario_root`.
        say: Takes the sentence that says that a preset was copied.

    Raises:
        ScenarioError: If there is no such scenario, or it is not as it must be.
    """
    home = scenario_root(root)
    if _NAME.fullmatch(name):
        folder = home / name
        if (folder / FILE).is_file():
            return load_scenario(folder)
        if name in presets():
            create(folder, (LIBRARY / name / FILE).read_text(encoding="utf-8"))
            say(f"Copied the preset {name} to {folder}; what it says there can be changed.")
            return load_scenario(folder)
    if (Path(name) / FILE).is_file() or len(Path(name).parts) > 1:
        return load_scenario(Path(name))
    known = sorted({*presets(), *(path.parent.name for path in home.glob(f"*/{FILE}"))})
    close = difflib.get_close_matches(name, known, 1)
    advice = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
    raise ScenarioError(f"{name}: no such scenario in {home}, {advice}")


def create(folder: Path, text: str) -> None:
    """Make a scenario's folder with its file in it.

    Raises:
        ScenarioError: If there is one already, or it cannot be written.
    """
    if (folder / FILE).exists():
        raise ScenarioError(f"{folder / FILE}: exists already; choose another name")
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / FILE, text)
    except OSError as error:
        raise ScenarioError(f"{folder}: cannot be made: {error.strerror}") from error
    except ScenarioError:
        if made:
            shutil.rmtree(folder)
        raise


def targets(nouns: Sequence[str], dictionary: ObjectDictionary | None = None) -> tuple[str, ...]:
    """Target nouns of nouns as people write them, each once, in their order.

    Args:
        nouns: Of a scenario.
        dictionary: Where to look them up; one that it does not know is taken as a new noun.
    """
    found = []
    for noun in nouns:
        entries = dictionary.resolve(noun) if dictionary else ()
        found.append(entries[0].target_noun if entries else sanitised(noun))
    return tuple(dict.fromkeys(found))


def faults(settings: Settings) -> list[Fault]:
    """What is wrong with settings whose types are right."""
    found = [*_description_faults(settings), *_noun_faults(settings)]
    if not _NAME.fullmatch(settings.name):
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
            f"{why}; raters know English best: translate it, or write any_language: true if it is "
            "English or a model is used that knows the language"
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
