"""Looking into noun dictionaries: searching one, measuring one, comparing two."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from novic.vocabulary import sanitised
from scenarios.dictionary import NounEntry, ObjectDictionary

THRESHOLDS = (0, 2, 4, 6, 9)
"""The n of the sets FTn that are told: those that upstream trained decoders for."""

SHORTEST_PIECE = 3
"""Letters of a word that make nouns with the same word similar."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a dictionary holds."""

    nouns: int
    phrases: int
    """Nouns of more than one word."""
    plural_only: int
    """Nouns without a singular."""
    singulars: int
    """Spellings in the singular."""
    plurals: int
    singular_freq: int
    """Sum of the frequencies of all singular spellings."""
    plural_freq: int
    above: dict[int, int]
    """Threshold n: nouns of a total frequency above it."""
    commonest: tuple[NounEntry, ...]
    """The nouns of the highest frequencies, falling."""


@dataclass(frozen=True, slots=True)
class Change:
    """A noun whose frequency differs between two dictionaries."""

    before: NounEntry
    after: NounEntry

    @property
    def step(self) -> int:
        """By how much the total frequency rose; negative if it fell."""
        return self.after.total_freq - self.before.total_freq


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of one dictionary in another, nouns matched by target noun."""

    added: tuple[NounEntry, ...]
    """The commonest first, as in `gone`."""
    gone: tuple[NounEntry, ...]
    ups: tuple[Change, ...]
    """The largest step first, as in `downs`."""
    downs: tuple[Change, ...]
    respelt: int
    """Nouns of the same frequency whose spellings, or how it is split over them, changed."""
    above: dict[int, tuple[int, int]]
    """Threshold n: nouns above it before and after."""


def search(dictionary: ObjectDictionary, pattern: str) -> list[NounEntry]:
    """Nouns with a spelling that matches, the commonest first.

    Args:
        dictionary: Where to look.
        pattern: Part of a spelling, or, with * for any letters and ? for one, all of it. Case,
            accents, hyphens and dots do not count.

    Returns:
        Equally common nouns in alphabetical order; empty if nothing matches.
    """
    wanted = sanitised(pattern)
    whole = wanted if set("*?[") & set(wanted) else f"*{wanted}*"
    found = [
        entry
        for entry in dictionary.entries
        if any(
            fnmatchcase(spelling, whole)
            for spelling in {entry.target_noun, *map(sanitised, (*entry.singulars, *entry.plurals))}
        )
    ]
    return _commonest_first(found)


def similar_nouns(dictionary: ObjectDictionary, text: str, most: int = 5) -> list[str]:
    """Target nouns that a person may have meant by a word that the dictionary does not know."""
    wanted = sanitised(text)
    near = difflib.get_close_matches(wanted, dictionary.targets, n=most, cutoff=0.75)
    pieces = {piece for piece in wanted.split() if len(piece) >= SHORTEST_PIECE}
    sharing = [
        entry.target_noun
        for entry in _commonest_first(dictionary.entries)
        if pieces & set(entry.target_noun.split())
    ]
    return list(dict.fromkeys([*near, *sharing]))[:most]


def statistics(dictionary: ObjectDictionary, most: int = 10) -> Statistics:
    """Count what a dictionary holds.

    Args:
        dictionary: What is counted.
        most: So many of the commonest nouns are named.
    """
    entries = dictionary.entries
    return Statistics(
        nouns=len(entries),
        phrases=sum(" " in entry.target_noun for entry in entries),
        plural_only=sum(not entry.singulars for entry in entries),
        singulars=sum(len(entry.singulars) for entry in entries),
        plurals=sum(len(entry.plurals) for entry in entries),
        singular_freq=sum(entry.freq("singular") for entry in entries),
        plural_freq=sum(entry.freq("plural") for entry in entries),
        above={threshold: count_above(dictionary, threshold) for threshold in THRESHOLDS},
        commonest=tuple(_commonest_first(entries)[:most]),
    )


def count_above(dictionary: ObjectDictionary, threshold: int) -> int:
    """Number of nouns of FTn: of a total frequency above n."""
    return sum(entry.total_freq > threshold for entry in dictionary.entries)


def compare(before: ObjectDictionary, after: ObjectDictionary) -> Difference:
    """What changed from one dictionary to another."""
    old = {entry.target_noun: entry for entry in before.entries}
    new = {entry.target_noun: entry for entry in after.entries}
    changes = [Change(old[noun], new[noun]) for noun in old if noun in new]
    return Difference(
        added=tuple(_commonest_first([new[noun] for noun in new if noun not in old])),
        gone=tuple(_commonest_first([old[noun] for noun in old if noun not in new])),
        ups=tuple(sorted((c for c in changes if c.step > 0), key=lambda c: -c.step)),
        downs=tuple(sorted((c for c in changes if c.step < 0), key=lambda c: c.step)),
        respelt=sum(c.step == 0 and _spellings(c.before) != _spellings(c.after) for c in changes),
        above={n: (count_above(before, n), count_above(after, n)) for n in THRESHOLDS},
    )


def _commonest_first(entries: Sequence[NounEntry]) -> list[NounEntry]:
    return sorted(entries, key=lambda entry: (-entry.total_freq, entry.target_noun))


def _spellings(entry: NounEntry) -> tuple[str, list[tuple[str, int]], list[tuple[str, int]]]:
    return (
        entry.pretty_noun,
        sorted(entry.variants("singular")),
        sorted(entry.variants("plural")),
    )
