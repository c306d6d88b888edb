"""Which meanings in WordNet are things to be seen, and the words for them (scenarios_spec §5.2)."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from novic.vocabulary import sanitised
from scenarios.base.packages import class_names, imagenet_synsets
from scenarios.wordnet import Synset, WordNet

VISIBLE = frozenset({"animal", "artifact", "body", "food", "object", "plant"})
"""Lexicographer files that are taken as a whole."""

NEVER = frozenset({"act", "communication", "attribute", "cognition", "state", "quantity"})
"""Files of which not even ImageNet-21k's meanings are taken, only the 1,000 famous classes."""

_RANKS = (
    "kingdom subkingdom phylum subphylum superclass class subclass infraclass superorder "
    "order suborder infraorder superfamily family subfamily tribe genus subgenus division "
    "section"
)

RANKS = frozenset(_RANKS.split())
"""First words of names such as "genus Camellia": a classification, nothing to be seen."""

INSULT = re.compile(
    r"\b(ethnic slur|(offensive|disparaging|derogatory|obscene|vulgar) (\w+ and \w+ )?"
    r"(terms?|names?|words?|slang|expression))\b"
)
"""In the glosses of words that a system which names what a camera sees must not say."""

_GRAMMAR = (
    "or have has had having must being been do does did not no nor if so as at be by he her "
    "him his i in is it its me my of off on our out she that the them then they this to up us "
    "was we were what when where which while who why will with would you your all any both "
    "each few more most other same some such than too very just here there now how about "
    "above after again below between during from further into once only over under until "
    "against before because first second third next last one two three four five six seven "
    "eight nine ten"
)
"""Also nouns somewhere: OR is an operating room, the have is rich, first is a base."""

_NOBODY = "someone somebody nobody everybody anybody everyone need needs thing things"

_OFTEN_OTHERS = (
    "al cum da de dr el et etc jnr john jonathan jr la le marc maria md pa px ref res sth sub "
    "www xx xxx"
)
"""Abbreviations and given names: what is counted is mostly something else."""

STOP_WORDS = frozenset(f"{_GRAMMAR} {_NOBODY} {_OFTEN_OTHERS}".split())
"""Never nouns of the dictionary. Words such as can, mine and well stay: tins, pits and wells."""

UNSEEN_USES = 0.5
"""Added to the uses of every noun sense: tagged text is small, and a sense never met there is not
impossible: without this, drill and location were never things."""

_READABLE = re.compile(r"[0-9a-z]+( [0-9a-z]+)*")


@dataclass(frozen=True, slots=True)
class Word:
    """A canonical word for one or more visible meanings."""

    noun: str
    spellings: tuple[str, ...]
    """As WordNet writes it: "X ray", "X-ray"; sorted."""
    synsets: frozenset[int]
    """Offsets of the visible meanings; empty if WordNet does not know it."""
    share: float
    """Share of the word's uses that mean one of them, 0 to 1."""
    latin: bool = False
    """Whether it is the scientific name of a species."""
    own: bool = False
    """Whether it is of our own list, whose plurals need not be counted anywhere."""


def visible_words(wordnet: WordNet) -> list[Word]:
    """Words for what can be seen, in alphabetical order.

    Raises:
        DictionaryError: If the lists of ImageNet's classes are not installed.
    """
    kept = {synset.offset: synset for synset in visible_synsets(wordnet)}
    spellings, meanings = defaultdict(set), defaultdict(set)
    for synset in kept.values():
        for lemma in synset.lemmas:
            noun = sanitised(lemma)
            if is_noun(noun):
                spellings[noun].add(lemma)
                meanings[noun].add(synset.offset)
    genera = _genera(wordnet)
    return [
        Word(
            noun,
            tuple(sorted(spellings[noun])),
            frozenset(meanings[noun]),
            _share(wordnet, spellings[noun], kept),
            all(_is_latin(spelling, genera) for spelling in spellings[noun]),
        )
        for noun in sorted(spellings)
    ]


def visible_synsets(wordnet: WordNet) -> list[Synset]:
    """Meanings that are kinds of things to be seen, without taxa and insults."""
    famous = imagenet_synsets("imagenet_synsets")
    pictured = imagenet_synsets("imagenet22k_synsets")
    return [
        synset
        for synset in wordnet.synsets.values()
        if synset.offset in famous
        or (
            (
                synset.lexname in VISIBLE
                or (synset.offset in pictured and synset.lexname not in NEVER)
            )
            and not synset.instance
            and not _is_taxon(synset)
            and not INSULT.search(synset.gloss.split('; "')[0])
        )
    ]


def is_noun(noun: str) -> bool:
    """Whether a canonical word can be in the dictionary at all."""
    return (
        len(noun) > 1
        and noun not in STOP_WORDS
        and _READABLE.fullmatch(noun) is not None
        and not noun.replace(" ", "").isdigit()
    )


def class_words(known: Iterable[str]) -> list[Word]:
    """Names of image classes that are not among the known spellings, as words."""
    known = set(known)
    named = {sanitised(name): name for name in class_names()}
    return [
        Word(noun, (name,), frozenset(), share=1.0)
        for noun, name in sorted(named.items())
        if is_noun(noun) and noun not in known
    ]


def share_of_nouns(wordnet: WordNet, name: str) -> float:
    """Share of a name's uses in tagged text as a noun; 1 if WordNet does not know it."""
    known = [name.lower()] if name.lower() in wordnet.senses else []
    return _share(wordnet, known, wordnet.synsets) if known else 1.0


def _is_taxon(synset: Synset) -> bool:
    return synset.lexname in ("animal", "plant") and any(
        " " in lemma and lemma.split()[0] in RANKS for lemma in synset.lemmas
    )


def _genera(wordnet: WordNet) -> frozenset[str]:
    """Names of genera, capitalised."""
    lemmas = (lemma.split() for s in wordnet.synsets.values() for lemma in s.lemmas)
    return frozenset(words[1] for words in lemmas if len(words) == 2 and words[0] == "genus")


def _is_latin(spelling: str, genera: frozenset[str]) -> bool:
    genus, _, species = spelling.partition(" ")
    return bool(species) and genus in genera and species == species.lower()


def _share(wordnet: WordNet, spellings: Iterable[str], kept: dict[int, Synset]) -> float:
    """Share of a word's uses in tagged text, as any part of speech, that mean a visible thing."""
    visible = total = 0.0
    for lemma in {spelling.lower() for spelling in spellings}:
        uses = wordnet.noun_counts.get(lemma, {})
        for offset in wordnet.senses[lemma]:
            of_sense = uses.get(offset, 0) + UNSEEN_USES
            total += of_sense
            visible += of_sense * (offset in kept)
        total += wordnet.verb_counts.get(lemma, 0) + wordnet.adjective_counts.get(lemma, 0)
    return visible / total
