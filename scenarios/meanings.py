"""What nouns mean, in a phrase for people: from our own list, else WordNet's."""

from collections.abc import Iterable
from functools import cached_property

from novic.vocabulary import sanitised
from scenarios.base.own import own_nouns
from scenarios.base.senses import VISIBLE
from scenarios.dictionary import ObjectDictionary
from scenarios.wordnet import Synset, WordNet, read_wordnet

PEOPLE = frozenset({"person"})


class Meanings:
    """Meanings of a dictionary's nouns; WordNet is read when the first is asked for, in a second.

    Args:
        dictionary: Whose spellings lead to WordNet's.
    """

    def __init__(self, dictionary: ObjectDictionary) -> None:
        self._entries = {entry.target_noun: entry for entry in dictionary.entries}
        self._own = {sanitised(own.noun): own.meaning for own in own_nouns()}

    def of(self, noun: str) -> str:
        """The meaning that can be seen, of a target noun; empty if nobody says."""
        if noun in self._own:
            return self._own[noun]
        entry = self._entries.get(noun)
        spellings = (*entry.singulars, *entry.plurals) if entry else ()
        for spelling in (noun, *spellings):
            if offsets := self._wordnet.senses.get(spelling.lower()):
                return _gloss(self._wordnet.synsets[offset] for offset in offsets)
        return ""

    @cached_property
    def _wordnet(self) -> WordNet:
        return read_wordnet()


def _gloss(synsets: Iterable[Synset]) -> str:
    """Of the commonest meaning that is a thing, else a person, else any; without examples."""
    meanings = list(synsets)
    kinds = (VISIBLE, PEOPLE)
    things = [s for kind in kinds for s in meanings if s.lexname in kind] or meanings
    return things[0].gloss.partition('; "')[0]
