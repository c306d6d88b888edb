"""Things that cameras see at sites and that WordNet 3.0, which ends in 2006, lacks.

`scenarios/data/nouns.tsv` was written for Nomaly (CC0 1.0): devices, protective equipment, tools,
vehicles, packaging, people by work, and what stands in halls, laboratories, kitchens and gardens.
Rules for it: a concrete thing that a camera can see; not in the base dictionary by any spelling; no
brand, unless people call the thing by it; other names are of the same thing.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from novic.vocabulary import sanitised
from scenarios.base.senses import Word, share_of_nouns
from scenarios.dictionary import NounEntry, ObjectDictionary
from scenarios.wordnet import WordNet

GROUP, REMARK = "## ", "# "


@dataclass(frozen=True, slots=True)
class OwnNoun:
    """A noun of the list."""

    noun: str
    """In the singular, as it should be displayed; in the plural if there is only that."""
    others: tuple[str, ...]
    """Other names and spellings."""
    meaning: str
    """In a phrase."""
    group: str


@cache
def own_nouns() -> tuple[OwnNoun, ...]:
    """The whole list, in its order."""
    text = (files("scenarios") / "data" / "nouns.tsv").read_text("utf-8")
    found, group = [], ""
    for line in text.splitlines():
        if line.startswith(GROUP):
            group = line.removeprefix(GROUP)
        elif not line.startswith(REMARK):
            noun, others, meaning = line.split("\t")
            names = tuple(other for other in others.split("; ") if other)
            found.append(OwnNoun(noun, names, meaning, group))
    return tuple(found)


@cache
def nouns_by_other_name() -> Mapping[str, str]:
    """Canonical other name: target noun of the list."""
    return {sanitised(other): sanitised(own.noun) for own in own_nouns() for other in own.others}


def meant_by(dictionary: ObjectDictionary, text: str) -> tuple[NounEntry, ...]:
    """Nouns that a person may mean: `ObjectDictionary.resolve`, and by other names of the list.

    A rare noun's frequency is too small to be split over all its names, so the dictionary itself
    holds few of them.
    """
    if found := dictionary.resolve(text):
        return found
    noun = nouns_by_other_name().get(sanitised(text))
    return dictionary.resolve(noun) if noun else ()


def own_words(wordnet: WordNet, known: Collection[str]) -> Iterator[list[Word]]:
    """The nouns of the list as words, each with its other names, which are one noun.

    Args:
        wordnet: Says how often a word is a noun at all: cook is mostly a verb.
        known: Canonical spellings that are taken.
    """
    for own in own_nouns():
        words = [_word(name, wordnet) for name in (own.noun, *own.others)]
        if words[0].noun not in known:
            yield [word for word in words if word.noun not in known]


def _word(name: str, wordnet: WordNet) -> Word:
    return Word(sanitised(name), (name,), frozenset(), share_of_nouns(wordnet, name), own=True)
