"""Which nouns the starter bundle can say, and what each may mean.

The choice matters as much as the model (measured: with every sense and every person noun kept,
"have", "private" and "minister" swallow every uncertain picture). A noun is kept if pictures of it
exist and the word is used often enough for that thing: every meaning gets the word's Zipf
frequency, lowered by the share of its uses that mean something else.
"""

import math
import re
from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass

import wordfreq
from timm.data.imagenet_info import ImageNetInfo

from novic.vocabulary import canonical
from scenarios.wordnet import Synset, WordNet

LEAST_ZIPF = {"animal": 1.8, "food": 2.2, "plant": 2.3, "artifact": 2.3, "object": 3.7}
"""Rarest meaning taken from each lexicographer file that can be photographed. Animals and food
stay pictures of themselves when rare; rare artifacts are jargon, and most objects are places."""

GIVEN_LEXNAMES = frozenset({*LEAST_ZIPF, "body", "person"})
"""Kinds of things that a noun may mean which somebody else chose."""

LEAST_PHRASE_ZIPF = 2.7
"""Rarest artifact of several words."""

PEOPLE = {
    "person": 1,
    "man": 1,
    "woman": 1,
    "child": 1,
    "boy": 1,
    "girl": 1,
    "baby": 1,
}
"""Persons told by their looks, with the number of the meaning. All others ("minister", "wife") are
left out: nothing in a picture shows them, and being frequent they would answer for everything."""

LEAST_SYNONYM_ZIPF = 1.0
"""Rarest further name of an ImageNet class."""

MOST_SENSES = 2
LEAST_PRIOR = 0.1
"""Of a further meaning of a noun, against its first."""

PHRASE_ZIPF = 2.0
"""Taken from the Zipf frequency per extra word: wordfreq guesses a phrase from its words and
overestimates it grossly ("bell toad")."""

INFLECTED_ZIPF = 1.5
"""Taken from a word that is also a form of a commoner verb ("saw", "felt", "hanging")."""

NAME_ZIPF = 1.0
"""Taken from a word that is also a proper name ("mike", "crane")."""

MOST_ZIPF = 5.75
"""Words more frequent than this are grammar or stand for anything: "can", "way", "need"."""

NEVER = frozenset({"must", "mens", "womens", "john"})
"""What these rules would let through although nobody means the thing by the word."""

MOST_WORDS = 3
READABLE = re.compile(r"[a-z][a-z '\-]*[a-z]")


@dataclass(frozen=True, slots=True)
class Noun:
    """A word that the decoder can say."""

    text: str
    """Canonical: lower case, words separated by one space."""
    senses: tuple[tuple[int, float], ...]
    """Synset offsets that it can mean in a picture, and how likely each is against the first."""
    zipf: float
    """log10 of its uses in these meanings per 10^9 words, phrases discounted."""


def class_synsets() -> list[int]:
    """WordNet offsets of the 1,000 ImageNet classes, in the classifier's order."""
    return [int(name[1:]) for name in ImageNetInfo().label_names()]


def choose_nouns(wordnet: WordNet, wanted: Container[str] | None = None) -> list[Noun]:
    """Choose the starter's nouns, in alphabetical order.

    The first name of every ImageNet class is among them, whatever the rules say about it, and so
    are its other names that are plain English.

    Args:
        wordnet: Where they come from.
        wanted: Only those of them that are here, in canonical form, which takes a tenth of the
            time; all of them if None.
    """
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for lemma in wordnet.senses:
        noun = canonical(lemma)
        if (wanted is None or noun in wanted) and _readable(lemma):
            for offset, zipf in _pictured_senses(wordnet, lemma):
                known = found[noun]
                known[offset] = max(zipf, known.get(offset, zipf))
    for offset in class_synsets():
        for place, lemma in enumerate(wordnet.synsets[offset].lemmas):
            noun = canonical(lemma)
            if wanted is not None and noun not in wanted:
                continue
            share = _shares(wordnet, lemma.lower())[offset]
            zipf = _zipf(lemma) + math.log10(share)
            if place == 0 or (zipf >= LEAST_SYNONYM_ZIPF and _readable(lemma)):
                found[noun].setdefault(offset, zipf)
    return [_noun(text, senses) for text, senses in sorted(found.items())]


def given_noun(wordnet: WordNet, text: str, spellings: Iterable[str]) -> Noun:
    """A noun that somebody else chose, with the meanings that can be pictured.

    Unlike for `choose_nouns`, no meaning is too rare.

    Args:
        wordnet: Where its meanings come from.
        text: The noun, canonical.
        spellings: How it is written, in the singular or as a word that has only a plural.

    Returns:
        The noun; without senses if WordNet knows none of a kind of thing.
    """
    senses: dict[int, float] = {}
    for lemma in sorted({spelling.lower() for spelling in spellings} & wordnet.senses.keys()):
        for offset, share in _shares(wordnet, lemma).items():
            synset, zipf = wordnet.synsets[offset], _zipf(lemma) + math.log10(share)
            if synset.lexname in GIVEN_LEXNAMES and not synset.instance:
                senses[offset] = max(zipf, senses.get(offset, zipf))
    return _noun(text, senses) if senses else Noun(text, (), _zipf(text))


def hypernym_nouns(wordnet: WordNet, nouns: Iterable[Noun]) -> dict[str, list[str]]:
    """What each noun is a kind of: readable words for all ancestors of its meanings.

    Nearest first. A noun with several pictured meanings has the ancestors of them all.
    """
    found = {}
    for noun in nouns:
        names: dict[str, None] = {}
        for offset, _ in noun.senses:
            for up in wordnet.ancestors(offset):
                lemmas = filter(READABLE.fullmatch, wordnet.synsets[up].lemmas)
                names.update(dict.fromkeys(map(canonical, lemmas)))
        names.pop(noun.text, None)
        found[noun.text] = list(names)
    return found


def _noun(text: str, senses: dict[int, float]) -> Noun:
    """Keep the commonest meanings; their priors are their shares of use."""
    best = sorted(senses.items(), key=lambda sense: -sense[1])[:MOST_SENSES]
    top = best[0][1]
    priors = tuple((offset, max(10 ** (zipf - top), LEAST_PRIOR)) for offset, zipf in best)
    return Noun(text, priors, top)


def _readable(lemma: str) -> bool:
    """Whether it is made of few words in plain letters."""
    return bool(READABLE.fullmatch(lemma)) and len(canonical(lemma).split()) <= MOST_WORDS


def _pictured_senses(wordnet: WordNet, lemma: str) -> list[tuple[int, float]]:
    """Meanings of a lemma worth saying and their Zipf frequencies; none if it is no good noun."""
    kinds = {wordnet.synsets[offset].lexname for offset in wordnet.senses[lemma]}
    # Asked first, because it is cheap and most words mean nothing that can be pictured.
    if lemma not in PEOPLE and LEAST_ZIPF.keys().isdisjoint(kinds):
        return []
    if _is_plural(wordnet, lemma):
        return []
    zipf = _zipf(lemma)
    if (zipf > MOST_ZIPF and lemma not in PEOPLE) or canonical(lemma) in NEVER:
        return []
    zipf -= INFLECTED_ZIPF if _is_verb_form(wordnet, lemma) else 0.0
    zipf -= NAME_ZIPF if _is_name(wordnet, lemma) else 0.0
    kept = []
    for place, (offset, share) in enumerate(_shares(wordnet, lemma).items(), start=1):
        synset, of_sense = wordnet.synsets[offset], zipf + math.log10(share)
        person = PEOPLE.get(lemma) == place
        pictured = of_sense >= _least_zipf(lemma, synset)
        if person or (pictured and not synset.instance and _names(lemma, synset)):
            kept.append((offset, of_sense))
    return kept


def _least_zipf(lemma: str, synset: Synset) -> float:
    if synset.lexname == "artifact" and " " in canonical(lemma):
        return LEAST_PHRASE_ZIPF
    return LEAST_ZIPF.get(synset.lexname, math.inf)


def _names(lemma: str, synset: Synset) -> bool:
    """Whether the word is written in lower case for this meaning: "turkey", not "Turkey".

    Breeds and species keep their capital ("German shepherd"), groups of them are no pictures.
    """
    if lemma.endswith((" genus", " family", " order")):
        return False
    breed = synset.lexname in ("animal", "plant") and " " in lemma
    return lemma in synset.lemmas or (breed and lemma in map(str.lower, synset.lemmas))


def _shares(wordnet: WordNet, lemma: str) -> dict[int, float]:
    """Share of each noun meaning, the commonest first, in all uses of the word.

    Half a use is added to every meaning and another one to the first, so that words never met in
    tagged text count as used mostly that way. Uses as a verb count by their root: "to bear" says
    little about how "a bear" is meant, unlike "private".
    """
    counts = wordnet.noun_counts.get(lemma, {})
    senses = wordnet.senses[lemma]
    uses = {o: counts.get(o, 0) + (1.5 if place == 0 else 0.5) for place, o in enumerate(senses)}
    verbs = math.sqrt(wordnet.verb_counts.get(lemma, 0))
    total = sum(uses.values()) + verbs + wordnet.adjective_counts.get(lemma, 0)
    return {offset: count / total for offset, count in uses.items()}


def _is_plural(wordnet: WordNet, lemma: str) -> bool:
    """Whether this is the plural of a commoner noun ("eggs", but not "pants" or "glass")."""
    if not lemma.endswith("s") or lemma.endswith("ss"):
        return False
    singulars = [lemma[:-1], lemma.removesuffix("es"), lemma.removesuffix("ies") + "y"]
    return any(s != lemma and s in wordnet.senses and _zipf(s) > _zipf(lemma) for s in singulars)


def _is_name(wordnet: WordNet, lemma: str) -> bool:
    """Whether a single word is written with a capital for some meaning."""
    synsets = [wordnet.synsets[offset] for offset in wordnet.senses[lemma]]
    return " " not in lemma and any(lemma.capitalize() in s.lemmas for s in synsets)


def _is_verb_form(wordnet: WordNet, lemma: str) -> bool:
    """Whether this is also a form of a commoner verb."""
    bases = [wordnet.verb_forms.get(lemma, lemma)]
    for ending in ("ing", "ed"):
        if lemma.endswith(ending):
            stem = lemma.removesuffix(ending)
            bases += [stem, stem + "e", stem[:-1]]
    return any(b != lemma and b in wordnet.verbs and _zipf(b) > _zipf(lemma) for b in bases)


def _zipf(text: str) -> float:
    extra = len(canonical(text).split()) - 1
    return wordfreq.zipf_frequency(text, "en") - PHRASE_ZIPF * extra
