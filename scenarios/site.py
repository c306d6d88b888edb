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
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from novic.vocabulary import sanitised
from scenarios.base.own import meant_by
from scenarios.bundle_list import write_list
from scenarios.dictionary import ObjectDictionary
from scenarios.ratings.records import Place
from scenarios.settings import FILE, Bundle, Settings, faults, is_name
from scenarios.yaml_files import ScenarioError, read_yaml, write_text

LIBRARY = Path(__file__).parent / "library"
"""The scenarios that Nomaly brings along."""


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
            rated = self.site_dictionary_path.is_file()
            steps = ["rate", "build"][rated:]
            commands = ", then ".join(f"nomaly scenario {step} {self.name}" for step in steps)
            raise ScenarioError(f"{self.file}: has no decoder yet; run: {commands}")
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


def scenario_root(root: Path | None = None) -> Path:
    """Folder that holds scenarios: the one given, or NOMALY_SCENARIOS, or ./nomaly-scenarios."""
    return root or Path(os.environ.get("NOMALY_SCENARIOS") or "nomaly-scenarios")


def presets() -> list[str]:
    """Names of the scenarios that Nomaly brings along."""
    return sorted(path.parent.name for path in LIBRARY.glob(f"*/{FILE}"))


def find_scenario(
    name: str, root: Path | None = None, say: Callable[[str], object] = print
) -> Scenario:
    """The scenario that a user means, to work on.

    Args:
        name: Of a scenario below the root, of a preset, which is copied there first, or a folder.
        root: Folder of scenarios, see `scenario_root`.
        say: Takes the sentence that says that a preset was copied.

    Raises:
        ScenarioError: If there is no such scenario, or it is not as it must be.
    """
    found = known_scenario(name, root)
    if found.folder.parent != LIBRARY:
        return found
    folder = scenario_root(root) / found.folder.name
    create(folder, found.file.read_text(encoding="utf-8"))
    say(f"Copied the preset {name} to {folder}; what it says there can be changed.")
    return load_scenario(folder)


def known_scenario(name: str, root: Path | None = None) -> Scenario:
    """The same, only to look at: a preset stays where it is.

    Raises:
        ScenarioError: If there is no such scenario, or it is not as it must be.
    """
    home = scenario_root(root)
    if is_name(name):
        if (home / name / FILE).is_file():
            return load_scenario(home / name)
        if name in presets():
            return load_scenario(LIBRARY / name)
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
    refuse_existing(folder)
    made = not folder.exists()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_text(folder / FILE, text)
    except OSError as error:
        raise ScenarioError(f"{folder}: cannot be made: {error.strerror}") from error
    except ScenarioError:
        if made:
            shutil.rmtree(folder)
        raise


def refuse_existing(folder: Path) -> None:
    """Refuse to make a scenario where one is.

    Raises:
        ScenarioError: If there is one.
    """
    if (folder / FILE).exists():
        raise ScenarioError(f"{folder / FILE}: exists already; choose another name")


def targets(nouns: Sequence[str], dictionary: ObjectDictionary | None = None) -> tuple[str, ...]:
    """Target nouns of nouns as people write them, each once, in their order.

    Args:
        nouns: Of a scenario.
        dictionary: Where to look them up; one that it does not know is taken as a new noun.
    """
    found = []
    for noun in nouns:
        entries = meant_by(dictionary, noun) if dictionary else ()
        found.append(entries[0].target_noun if entries else sanitised(noun))
    return tuple(dict.fromkeys(found))


def write_bundles(scenario: Scenario, bundles: Mapping[int, Path]) -> Scenario:
    """Note decoders in a scenario's file; the rest of it stays as it is, byte for byte.

    Args:
        scenario: The site.
        bundles: Folders by frequency threshold; decoders noted for other thresholds stay.

    Returns:
        The scenario as it is now.

    Raises:
        ScenarioError: If the file cannot be read or written, or is laid out so that the list
            cannot be put in without touching the rest; it is left as it was then.
    """
    noted = {bundle.ft: bundle.path for bundle in load_scenario(scenario.folder).settings.bundles}
    noted |= {ft: told_from(scenario.folder, path) for ft, path in bundles.items()}
    listed = [Bundle(ft=ft, path=path) for ft, path in sorted(noted.items(), reverse=True)]
    return Scenario(scenario.folder, write_list(scenario.file, listed))


def told_from(folder: Path, path: Path) -> str:
    """A path as a scenario tells it: from its folder, if it is in there."""
    whole, home = path.resolve(), folder.resolve()
    return whole.relative_to(home).as_posix() if whole.is_relative_to(home) else str(whole)
