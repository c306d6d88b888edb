"""Plurals of nouns, and nouns that are plurals themselves (scenarios_spec §5.2, 4, 5)."""

import re
from collections.abc import Collection, Mapping

from novic.vocabulary import sanitised
from scenarios.base.counts import WordCounts
from scenarios.base.senses import Word

LEAST_SHARE = 0.1
"""A regular plural beside an irregular one must be counted at least so often against it: hoofs
stand beside hooves, but foots is a verb and Leafs a team."""

_PREPOSITIONS = "of in on at to for from with without by de du des la le del von"

PREPOSITIONS = frozenset(_PREPOSITIONS.split())
"""What stands between the head of a name and the rest: mothers-in-law, birds of paradise."""

SINGULAR_ENDINGS = ("ss", "us", "is", "ous")

SHORTEST_STEM = 3
"""Letters; "ga" of gas and "gp" of GPS are WordNet nouns, too."""

_SINGULAR = (
    "agenda amnios canvas data dive gas insignia judas lei lens mens mews mons news opera sens "
    "species teras velours"
)

SINGULAR = frozenset(_SINGULAR.split())
"""Said of one thing although the word's form is, or could be, a plural."""


class Plurals:
    """Makes plurals.

    Args:
        irregular: Lower-case noun: its plurals; WordNet's noun.exc.
        counts: A plural that was never met is none: inflect makes "pubiss" and "mikadoes".
    """

    def __init__(self, irregular: Mapping[str, tuple[str, ...]], counts: WordCounts) -> None:
        self._irregular = irregular
        self._irregular_plurals = frozenset(p for of in irregular.values() for p in of)
        self._counts = counts
        # It takes 3 CPU-seconds to import, more than all else that most commands do.
        import inflect  # noqa: PLC0415

        self._engine = inflect.engine()
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, spelling: str, *, counted: bool = True) -> tuple[str, ...]:
        """Plurals of a noun in the spelling of its singular, cased, the surest first.

        Args:
            spelling: One or more words with spaces or hyphens between.
            counted: Only plurals that were counted; nobody had a quadcopter in 2006.

        Returns:
            Empty if there is none, or none was ever met.
        """
        if (whole := self._irregular.get(spelling.lower())) and " " in spelling.replace("-", " "):
            return whole
        pieces = re.split(r"([ \-])", spelling)
        at = _head(pieces)
        before, after = "".join(pieces[:at]), "".join(pieces[at + 1 :])
        made = self._of_word(pieces[at]) or (() if counted else self._regular(pieces[at]))
        return tuple(before + plural + after for plural in made)

    def is_plural(self, word: Word, nouns: Collection[str]) -> bool:
        """Whether a noun is a plural by itself, such as scissors.

        It is if WordNet knows it as an irregular plural, or if its last word ends in s and is a
        noun without. A noun of our own list is if it looks like one.
        inflect is not asked: it takes bus, lens, gas and octopus for plurals.

        Args:
            word: The noun.
            nouns: All nouns of WordNet, lower case.
        """
        noun = word.noun
        last = noun.split()[-1]
        if word.own and last.endswith("s") and not last.endswith(SINGULAR_ENDINGS):
            return last not in SINGULAR and not PREPOSITIONS & set(noun.split())
        if last in SINGULAR or word.latin or PREPOSITIONS & set(noun.split()):
            return False
        if not any(spelling == spelling.lower() for spelling in word.spellings):
            return False
        if noun in self._irregular_plurals and noun not in self._irregular:
            return True
        if not last.endswith("s") or last.endswith(SINGULAR_ENDINGS):
            return False
        stems = [last[:-1], *([last[:-3] + "y"] if last.endswith("ies") else [])]
        stems += [last[:-2]] if last.endswith(("ches", "shes", "xes", "sses")) else []
        return any(len(stem) >= SHORTEST_STEM and stem in nouns for stem in stems)

    def _of_word(self, word: str) -> tuple[str, ...]:
        if word not in self._known:
            self._known[word] = self._make(word)
        return self._known[word]

    def _make(self, word: str) -> tuple[str, ...]:
        irregular = self._irregular.get(word.lower(), ())
        regulars = self._regular(word)
        if not (regulars and irregular):
            return tuple(plural for plural in regulars if self._counts.knows(sanitised(plural)))
        regular = regulars[0]
        met = [plural for plural in irregular if self._counts.knows(sanitised(plural))]
        met = [plural for plural in met if plural != word] or met  # noun.exc has "gas gas", too.
        found = met or list(irregular[:1])
        least = LEAST_SHARE * max(self._count(plural) for plural in found)
        if regular not in (word, *found) and self._count(regular) >= max(least, 1):
            found.append(regular)
        return tuple(found)

    def _regular(self, word: str) -> tuple[str, ...]:
        if "." in word or not any(letter.isalpha() for letter in word):
            return ()
        return (f"{word}s" if word.isupper() else str(self._engine.plural_noun(word)),)

    def _count(self, form: str) -> int:
        return self._counts.counts.get(sanitised(form), 0)


def _head(pieces: list[str]) -> int:
    """Place of the word that takes the ending; words stand at even places, gaps between."""
    for at in range(2, len(pieces), 2):
        if pieces[at].lower() in PREPOSITIONS and at + 2 < len(pieces):
            return at - 2
    return len(pieces) - 1
