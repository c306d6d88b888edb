"""Words for one thing: binoculars and field glasses are one answer, not two that compete.

A decoder shares what it thinks of a thing among the words for it, and none of them may reach the
line from which on it is told. So the p of words with one meaning are added up, by the commonest
meaning of each that can be pictured (`training.texts.synonyms`), and the likeliest word is told.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path

SYNONYMS_FILE = Path(str(files("novic"))) / "data" / "synonyms.json"


def joined(nouns: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    """Candidates of which no two are words for one thing, the most probable first.

    Args:
        nouns: (noun, p).

    Returns:
        Of each thing the most probable word, with the sum of the p of all words for it.
    """
    known = sorted(nouns, key=lambda one: -one[1])
    told: dict[object, str] = {}
    total: defaultdict[str, float] = defaultdict(float)
    for noun, p in known:
        total[told.setdefault(_groups().get(noun, noun), noun)] += p
    return sorted(total.items(), key=lambda one: -one[1])


def further_words(noun: str) -> tuple[str, ...]:
    """All other words for the thing that a noun mostly means, in alphabetical order."""
    group = _groups().get(noun)
    return () if group is None else tuple(word for word in _listed()[group] if word != noun)


@cache
def _listed() -> list[list[str]]:
    return json.loads(SYNONYMS_FILE.read_text(encoding="utf-8"))


@cache
def _groups() -> dict[str, int]:
    """The number of each noun's group."""
    return {word: number for number, words in enumerate(_listed()) for word in words}
