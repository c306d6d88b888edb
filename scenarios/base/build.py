"""Makes the base noun dictionary: the things that can be seen, in English (scenarios_spec §5).

Where everything comes from:

* Words and meanings, how often each meaning is used, irregular plurals: WordNet 3.0, which comes
  with Nomaly (`scenarios/data`, with its licence).
* Which further meanings have pictures, and the 1,000 famous classes: lists of ImageNet's classes
  inside timm (Apache-2.0). Names of the classes of ImageNet-1k, COCO and Pascal VOC: torchvision
  (BSD-3-Clause).
* How common words and pairs of words are: files inside wordsegment 1.3.1 (package Apache-2.0),
  made from Google's Web 1T corpus, LDC2006T13. **Whether counts derived from it may be passed on
  is to be cleared** before a dictionary made here is. Single words that are not counted there:
  wordfreq (code Apache-2.0, data CC BY-SA 4.0).
* What WordNet never heard of, smartphones and safety goggles: a list of our own
  (`scenarios.base.own`).
* Regular plurals: inflect (MIT). Spelling variants: rules and pairs of our own.

Nothing of upstream's dictionary, of its list of synsets or of its code is an input.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock

from novic.vocabulary import sanitised
from scenarios import paths as places
from scenarios.base.counts import WordCounts, read_counts
from scenarios.base.frequencies import Form, entry_of, form_of, pretty_spelling
from scenarios.base.own import meant_by, own_words
from scenarios.base.plurals import Plurals
from scenarios.base.senses import STOP_WORDS, Word, class_words, is_noun, visible_words
from scenarios.base.spelling import merged_spellings
from scenarios.dictionary import (
    DictionaryError,
    NounEntry,
    Number,
    ObjectDictionary,
    write_dictionary,
)
from scenarios.json_files import is_tidy
from scenarios.wordnet import read_irregular_plurals, read_wordnet

type Report = Callable[[str, int, int, str], None]
"""Told what is done: stage, how much, of how much, note."""

STAGES = ("WordNet", "word counts", "plurals", "frequencies")


@dataclass(frozen=True, slots=True)
class _Noun:
    """All words for one noun, with their forms."""

    target: str
    pretty: str
    forms: tuple[Form, ...]


def build_dictionary(report: Report = lambda *_: None) -> ObjectDictionary:
    """Make the base dictionary; the same installed data make the same dictionary.

    Returns:
        About 48,900 nouns with ids from 0 in alphabetical order.

    Raises:
        WordNetError: If WordNet's files are missing or damaged.
        DictionaryError: If a package with data is not installed.
    """
    _tell(report, 0)
    wordnet = read_wordnet()
    words = visible_words(wordnet)
    _tell(report, 1)
    counts = read_counts()
    _tell(report, 2)
    plurals = Plurals(wordnet.plurals, counts)
    names = wordnet.senses.keys()
    nouns = [_noun(group, plurals, names, counts) for group in merged_spellings(words)]
    known = {form.text for noun in nouns for form in noun.forms}
    nouns += [_noun([word], plurals, names, counts) for word in class_words(known)]
    known = {form.text for noun in nouns for form in noun.forms}
    nouns += [_noun(group, plurals, names, counts, lead=0) for group in own_words(wordnet, known)]
    _tell(report, 3)
    entries = _entries(nouns, counts, first_id=0)
    report("base dictionary", len(STAGES), len(STAGES), "")
    return ObjectDictionary(tuple(entries))


def ensure_base(report: Report = lambda *_: None) -> Path:
    """The base dictionary that all scenarios of this user start from, made if there is none yet.

    Returns:
        Its file.

    Raises:
        WordNetError: If WordNet's files are missing or damaged.
        DictionaryError: If a package with data is not installed.
        OSError: If the file cannot be written.
    """
    path = places.base_dictionary_path()
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if not path.is_file():
                write_dictionary(path, build_dictionary(report))
    return path


def with_additions(dictionary: ObjectDictionary, nouns: Sequence[str]) -> ObjectDictionary:
    """A dictionary with further nouns: what a site has and WordNet, which ended in 2006, lacks.

    Their frequencies follow the same recipe without a share of meanings, since the author means
    the thing. Words that the dictionary knows as a noun, a plural or another spelling stay as they
    are. Irregular plurals are WordNet's.

    Args:
        dictionary: Any dictionary, upstream's too.
        nouns: In the singular, as they should be displayed.

    Returns:
        The same entries and new ones, ids beyond the largest; the given dictionary itself if
        nothing was missing.

    Raises:
        DictionaryError: If a text cannot be a noun of a dictionary.
    """
    missing: dict[str, str] = {}
    for text in nouns:
        noun, shown = sanitised(text), " ".join(text.split())
        if not is_noun(noun) or not is_tidy(shown):
            raise DictionaryError(
                f"{text!r} cannot be a noun of the dictionary: it must be words of letters and "
                "digits, at least two characters, and not a word of grammar"
            )
        if not meant_by(dictionary, text):
            missing.setdefault(noun, shown)
    if not missing:
        return dictionary
    counts = read_counts()
    plurals = Plurals(read_irregular_plurals(), counts)
    words = [Word(noun, (text,), frozenset(), share=1.0) for noun, text in missing.items()]
    made = [_noun([word], plurals, (), counts) for word in words]
    beyond = 1 + max(entry.id for entry in dictionary.entries)
    entries = [*dictionary.entries, *_entries(made, counts, beyond)]
    return ObjectDictionary(tuple(sorted(entries, key=lambda entry: entry.target_noun)))


def _noun(
    group: Sequence[Word],
    plurals: Plurals,
    names: Collection[str],
    counts: WordCounts,
    lead: int | None = None,
) -> _Noun:
    """One noun of words for the same thing.

    Args:
        group: The words.
        plurals: Makes their plurals.
        names: All nouns of WordNet.
        counts: How common words are.
        lead: Place of the word that it is called by; by default the one that most people write.
    """
    if lead is None:
        lead = max(range(len(group)), key=lambda at: _commonness(group[at].noun, counts))
    named = group[lead]
    spellings: dict[tuple[Number, str], set[str]] = defaultdict(set)
    shares: dict[tuple[Number, str], float] = defaultdict(float)
    for word in group:
        for number, text, spelling in _spelt(word, plurals, names):
            spellings[number, text].add(spelling)
            shares[number, text] = max(shares[number, text], word.share)
    leading = {text for _, text, _ in _spelt(named, plurals, names)} if named.own else set()
    forms = [
        replace(form_of(text, number, written, shares[number, text]), leads=text in leading)
        for (number, text), written in spellings.items()
    ]
    return _Noun(named.noun, pretty_spelling(named.spellings), tuple(forms))


def _spelt(
    word: Word, plurals: Plurals, names: Collection[str]
) -> Iterator[tuple[Number, str, str]]:
    """Every spelling of a word with its number and canonical form."""
    if plurals.is_plural(word, names):
        for spelling in word.spellings:
            yield "plural", word.noun, spelling
        return
    for spelling in word.spellings:
        yield "singular", word.noun, spelling
        if not word.latin:
            for plural in plurals.of(spelling, counted=not word.own):
                yield "plural", sanitised(plural), plural


def _commonness(noun: str, counts: WordCounts) -> tuple[float, float]:
    """How common a spelling is; by its rarest word where the phrase itself was not counted."""
    return counts.frequency(noun), min(counts.frequency(word) for word in noun.split())


def _entries(nouns: Sequence[_Noun], counts: WordCounts, first_id: int) -> list[NounEntry]:
    """The nouns in alphabetical order, with ids from the first on.

    A form of several nouns, such as rooms of room and of rooms, is divided between them, as
    upstream does (novic_spec §1.3); one that is grammar, such as does of doe, is not counted.
    """
    owners = Counter(text for noun in nouns for text in {form.text for form in noun.forms})
    heard = {
        text: 0.0 if text in STOP_WORDS else counts.frequency(text) / count
        for text, count in owners.items()
    }
    ordered = sorted(nouns, key=lambda noun: noun.target)
    return [
        entry_of(first_id + place, noun.target, noun.pretty, noun.forms, heard)
        for place, noun in enumerate(ordered)
    ]


def _tell(report: Report, stage: int) -> None:
    report("base dictionary", stage, len(STAGES), STAGES[stage])
