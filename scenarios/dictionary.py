"""The object noun dictionary: every noun that can be said, how it is spelt and how common it is.

The file is upstream's `object_nouns.json` (novic_spec §1.1), also in its form for one site, in
which only display spellings and frequencies differ (novic_spec §1.9). A noun's number is its place
in the file, from 0; everything downstream speaks of nouns by number, so the order is part of the
content.
"""

import re
from collections import defaultdict
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast

from novic.errors import NomalyError
from novic.vocabulary import canonical, sanitised
from scenarios.json_files import Faults, is_tidy, is_whole, read_json, write_json

type Number = Literal["singular", "plural"]
"""Grammatical number."""

NUMBERS: tuple[Number, Number] = ("singular", "plural")
"""In the order in which everything goes through them."""

_TARGET = re.compile(r"[0-9a-z]+( [0-9a-z]+)*")


class DictionaryError(NomalyError):
    """A dictionary cannot be used; the text names the file, the entry, the field and the fault."""


@dataclass(frozen=True, slots=True)
class NounEntry:
    """One noun with all its spellings. Field names and order are the file's."""

    id: int
    """Unique, with gaps, unrelated to the place in the file; kept through site dictionaries."""
    target_noun: str
    """What the decoder says: canonical, of the characters a-z, 0-9 and space."""
    pretty_noun: str
    """For display; its canonical form is the target noun."""
    singulars: tuple[str, ...]
    """Spellings in the singular, cased; may be empty if there are plurals."""
    plurals: tuple[str, ...]
    singulars_freq: tuple[int, ...]
    """Frequency of each spelling, at least 1, on a logarithmic scale (novic_spec §1.3)."""
    plurals_freq: tuple[int, ...]
    hypernyms: tuple[int, ...] = ()
    """Ids of entries that are kinds of this one's; empty in every file seen so far."""

    def variants(self, number: Number) -> tuple[tuple[str, int], ...]:
        """Spellings in a number, each with its frequency."""
        if number == "singular":
            return tuple(zip(self.singulars, self.singulars_freq, strict=True))
        return tuple(zip(self.plurals, self.plurals_freq, strict=True))

    def freq(self, number: Number) -> int:
        """Frequency of all spellings in a number."""
        return sum(self.singulars_freq if number == "singular" else self.plurals_freq)

    @property
    def total_freq(self) -> int:
        """Frequency of all spellings."""
        return self.freq("singular") + self.freq("plural")


@dataclass(frozen=True)
class ObjectDictionary:
    """All nouns, sorted by target noun."""

    entries: tuple[NounEntry, ...]

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The target nouns; a noun's number is its place here."""
        return tuple(entry.target_noun for entry in self.entries)

    def thresholded(self, frequency: int) -> "ObjectDictionary":
        """The nouns whose total frequency is above a threshold, upstream's FTn.

        Raises:
            DictionaryError: If no noun is.
        """
        kept = [entry for entry in self.entries if entry.total_freq > frequency]
        if not kept:
            highest = max(entry.total_freq for entry in self.entries)
            raise DictionaryError(
                f"no noun has a frequency above {frequency}; the highest is {highest}, "
                "choose a lower threshold"
            )
        ids = {entry.id for entry in kept}
        return ObjectDictionary(
            tuple(
                replace(entry, hypernyms=tuple(id_ for id_ in entry.hypernyms if id_ in ids))
                for entry in kept
            )
        )

    def resolve(self, text: str) -> tuple[NounEntry, ...]:
        """Nouns that a person may mean by what they typed.

        Plurals, spelling variants, case, accents, hyphens and dots all lead to their noun. A word
        can be the plural of one noun and the name of another ("glasses"): the noun of that name
        comes first, the others follow in the dictionary's order.

        Returns:
            The entries; empty if the dictionary does not know the word.
        """
        spelling = sanitised(text)
        found = [self.entries[number] for number in self._spellings.get(spelling, ())]
        return tuple(sorted(found, key=lambda entry: entry.target_noun != spelling))

    @cached_property
    def _spellings(self) -> dict[str, list[int]]:
        """Noun numbers of every spelling, sanitised."""
        index = defaultdict(list)
        for number, entry in enumerate(self.entries):
            known = (entry.target_noun, entry.pretty_noun, *entry.singulars, *entry.plurals)
            for spelling in {sanitised(word) for word in known}:
                index[spelling].append(number)
        return dict(index)


def read_dictionary(path: Path) -> ObjectDictionary:
    """Read a dictionary and check every rule of novic_spec §1.1.

    Raises:
        DictionaryError: If the file is missing, no JSON, or breaks a rule; up to ten faults are
            told at once.
    """
    raw = read_json(path, DictionaryError)
    if not isinstance(raw, list) or not raw:
        raise DictionaryError(f"{path}: must be a JSON list of at least one noun entry")
    faults = Faults(path, DictionaryError)
    entries = [_read_entry(value, place, faults) for place, value in enumerate(raw, start=1)]
    faults.raise_any()
    entries = cast("list[NounEntry]", entries)
    _check_together(entries, faults)
    faults.raise_any()
    return ObjectDictionary(tuple(entries))


def write_dictionary(path: Path, dictionary: ObjectDictionary) -> None:
    """Write a dictionary in upstream's format, byte for byte, sorted by target noun.

    Raises:
        OSError: If the file cannot be written; what was there before is left.
    """
    entries = sorted(dictionary.entries, key=lambda entry: entry.target_noun)
    write_json(path, [asdict(entry) for entry in entries])


def _read_entry(value: object, place: int, faults: Faults) -> NounEntry | None:
    """An entry if its own fields are right; what is wrong is noted otherwise."""
    if not isinstance(value, dict):
        faults.add(f"entry {place}", "must be an object with the fields of a noun")
        return None
    here = f"entry {place} ({value.get('target_noun', 'without target_noun')})"
    names = [field.name for field in fields(NounEntry)]
    missing = [name for name in names if name not in value]
    unknown = [name for name in value if name not in names]
    for name in missing:
        faults.add(f"{here}, {name}", "the field is missing")
    for name in unknown:
        faults.add(f"{here}, {name}", f"there is no such field; the fields are {', '.join(names)}")
    wrong = [] if missing else _wrong_fields(value)
    for name, what in wrong:
        faults.add(f"{here}, {name}", what)
    if missing or unknown or wrong:
        return None
    return NounEntry(
        id=value["id"],
        target_noun=value["target_noun"],
        pretty_noun=value["pretty_noun"],
        singulars=tuple(value["singulars"]),
        plurals=tuple(value["plurals"]),
        singulars_freq=tuple(value["singulars_freq"]),
        plurals_freq=tuple(value["plurals_freq"]),
        hypernyms=tuple(value["hypernyms"]),
    )


def _wrong_fields(value: dict[str, Any]) -> list[tuple[str, str]]:
    """Names of fields that break a rule by themselves or with each other, and how."""
    wrong = []
    if not is_whole(value["id"], least=0):
        wrong.append(("id", f"{value['id']!r} is not a whole number from 0"))
    target, pretty = value["target_noun"], value["pretty_noun"]
    if not (isinstance(target, str) and _TARGET.fullmatch(target)):
        wrong.append(
            ("target_noun", f"{target!r} must be words of a-z and 0-9 with single spaces between")
        )
    if not is_tidy(pretty):
        wrong.append(("pretty_noun", _untidy(pretty)))
    elif target not in (canonical(pretty), sanitised(pretty)):
        wrong.append(
            ("pretty_noun", f"{pretty!r} is canonically {sanitised(pretty)!r}, not the target noun")
        )
    for spellings in ("singulars", "plurals"):
        wrong += _wrong_spellings(value, spellings)
    if value["singulars"] == [] and value["plurals"] == []:
        wrong.append(("singulars", "empty like plurals; a noun needs at least one spelling"))
    hypernyms = value["hypernyms"]
    if not (isinstance(hypernyms, list) and all(is_whole(id_, least=0) for id_ in hypernyms)):
        wrong.append(("hypernyms", f"{hypernyms!r} must be a list of ids"))
    return wrong


def _wrong_spellings(value: dict[str, Any], name: str) -> list[tuple[str, str]]:
    """The same for a list of spellings and the frequencies beside it."""
    words, freqs = value[name], value[f"{name}_freq"]
    wrong = []
    if not isinstance(words, list):
        wrong.append((name, f"{words!r} must be a list of spellings"))
    else:
        wrong += [(name, _untidy(word)) for word in words if not is_tidy(word)]
    if not isinstance(freqs, list):
        wrong.append((f"{name}_freq", f"{freqs!r} must be a list of frequencies"))
    else:
        wrong += [
            (f"{name}_freq", f"{freq!r} is not a whole number from 1")
            for freq in freqs
            if not is_whole(freq, least=1)
        ]
    if isinstance(words, list) and isinstance(freqs, list) and len(words) != len(freqs):
        wrong.append(
            (f"{name}_freq", f"has {len(freqs)} frequencies for {len(words)} {name}; one for each")
        )
    return wrong


def _untidy(text: object) -> str:
    return f"{text!r} must be text without leading, trailing or double spaces, and not empty"


def _check_together(entries: list[NounEntry], faults: Faults) -> None:
    """Note what entries do wrong to each other: ids, targets, order, hypernyms."""
    first_of_id: dict[int, int] = {}
    first_of_target: dict[str, int] = {}
    ids = {entry.id for entry in entries}
    before = ""
    for place, entry in enumerate(entries, start=1):
        here = f"entry {place} ({entry.target_noun})"
        if (first := first_of_id.setdefault(entry.id, place)) != place:
            faults.add(f"{here}, id", f"{entry.id} is the id of entry {first} already")
        target = entry.target_noun
        if (first := first_of_target.setdefault(target, place)) != place:
            faults.add(f"{here}, target_noun", f"is the target noun of entry {first} already")
        elif target < before:
            faults.add(
                f"{here}, target_noun",
                f"stands behind {before!r}; sort the entries by target noun",
            )
        before = target
        for id_ in entry.hypernyms:
            if id_ not in ids or id_ == entry.id:
                faults.add(f"{here}, hypernyms", f"{id_} is not the id of another entry")
