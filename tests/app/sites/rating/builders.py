"""A preset with a dictionary so small that its words are embedded in seconds."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from scenarios.dictionary import NounEntry, ObjectDictionary, write_dictionary
from scenarios.site import LIBRARY

NAME = "airbus"


def lend_cache(monkeypatch: pytest.MonkeyPatch, home: Path, cache: Path) -> None:
    """Make a folder NOMALY_HOME whose cache is one that tests share: vectors take seconds."""
    home.mkdir()
    (home / "cache").symlink_to(cache)
    monkeypatch.setenv("NOMALY_HOME", str(home))


def labelled() -> Mapping[str, list[str]]:
    """The preset's hand labels: `seen` and `never`."""
    return yaml.safe_load((LIBRARY / NAME / "labels.yaml").read_text())


def small_site_dictionary(path: Path) -> Path:
    """A base dictionary of 40 labelled nouns and 4 that nobody labelled."""
    labels = labelled()
    plain = [n for n in (*labels["seen"], *labels["never"]) if n.replace(" ", "").isalpha()]
    nouns = sorted({*plain[:20], *plain[-20:], "cloud", "idea", "pencil case", "thimble"})
    entries = [
        NounEntry(number, noun, noun, (noun,), (f"{noun}s",), (3,), (1 + number % 9,))
        for number, noun in enumerate(nouns)
    ]
    write_dictionary(path, ObjectDictionary(tuple(entries)))
    return path


def digits() -> dict[str, int]:
    """What a good language model says of the preset's labels and examples."""
    settings = yaml.safe_load((LIBRARY / NAME / "scenario.yaml").read_text())
    labels, examples = labelled(), settings["examples"]
    seen = {noun: 7 + len(noun) % 3 for noun in (*labels["seen"], *examples["seen"])}
    never = {noun: len(noun) % 2 for noun in (*labels["never"], *examples["never"])}
    return {**seen, **never, "cloud": 3, "idea": 0, "pencil case": 4, "thimble": 2}
