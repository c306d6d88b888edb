"""Whether a name is right for a thing: by its words, by its meaning, and how precise it is.

A noun means here the commonest kind of thing that WordNet has for it, else of person, else
anything: of what a truth file calls something nobody knows more.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from calibration.events import TrueThing
from novic.embedder import Vectors
from novic.vocabulary import canonical
from scenarios.base.senses import VISIBLE
from scenarios.wordnet import WordNet, read_wordnet

NEAR = 0.7
"""Least cosine of text vectors from which on two words mean alike; fixed, not chosen here."""
THINGS, PEOPLE = VISIBLE | {"tops"}, frozenset({"person"})
"""Lexicographer files; "animal" and "person" themselves are among the tops."""

type Embed = Callable[[Sequence[str]], Vectors]
"""Texts to unit vectors float32 [N, F]."""


class Meanings:
    """What words mean; WordNet is read and texts are embedded when they are first asked for.

    Args:
        embed: Text model, as all-MiniLM-L6-v2's.
    """

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._words: dict[tuple[str, ...], frozenset[str]] = {}

    def words(self, thing: TrueThing) -> frozenset[str]:
        """All right words for a thing, canonical: its noun, its aliases, WordNet's synonyms."""
        given = (thing.noun, *thing.aliases)
        if given not in self._words:
            shown = self.sense(thing.noun)
            synonyms = () if shown is None else self._wordnet.synsets[shown].lemmas
            words = {canonical(word) for word in (*given, *synonyms)}
            self._words[given] = frozenset(word for word in words if word)
        return self._words[given]

    def named(self, noun: str, thing: TrueThing) -> bool:
        """Whether a name is one of the right words."""
        return canonical(noun) in self.words(thing)

    def meant(self, noun: str, thing: TrueThing) -> bool:
        """Whether a name is as near as NEAR to one of the right words.

        The name similarity of SNAP (LAOD, arXiv 2507.10844): cosine of the texts' vectors.
        """
        name, words = canonical(noun), self.words(thing)
        if not name or not words:
            return False
        return name in words or self._nearness(name, words) >= NEAR

    def steps(self, noun: str, thing: TrueThing) -> int | None:
        """How many levels of WordNet a right name is below the thing's noun.

        Right is one of the thing's words (0), what the thing is a kind of (below 0, one for each
        level on the shortest way up), or what is a kind of the thing (above 0).

        Returns:
            None if the name is not right in that sense.
        """
        if self.named(noun, thing):
            return 0
        shown = self.sense(thing.noun)
        if shown is None:
            return None
        above = self._levels(shown)
        ways = [-above[one] for one in self._senses(noun) if one in above]
        below = (self._levels(one) for one in self._senses(noun))
        ways += [levels[shown] for levels in below if shown in levels]
        return min(ways, key=abs, default=None)

    def sense(self, noun: str) -> int | None:
        """The meaning of a noun, as WordNet's offset; None if WordNet does not know it."""
        senses = self._senses(noun)
        for kind in (THINGS, PEOPLE):
            for one in senses:
                synset = self._wordnet.synsets[one]
                if synset.lexname in kind and not synset.instance:
                    return one
        return senses[0] if senses else None

    def kinds(self, offset: int) -> frozenset[int]:
        """A meaning and all that it is a kind of."""
        return frozenset((offset, *self._wordnet.ancestors(offset)))

    def words_for(self, offset: int) -> tuple[str, ...]:
        """Canonical words for a meaning, the commonest first."""
        return tuple(map(canonical, self._wordnet.synsets[offset].lemmas))

    def learn(self, words: Iterable[str]) -> None:
        """Embed words that will be asked for, all at once, which is quicker than one by one."""
        wanted = {canonical(word) for word in words}
        missing = sorted(word for word in wanted if word and word not in self._vectors)
        if missing:
            self._vectors |= zip(missing, self._embed(missing), strict=True)

    def _nearness(self, name: str, words: frozenset[str]) -> float:
        """The largest cosine of a word to some others."""
        self.learn([name, *words])
        others = np.stack([self._vectors[word] for word in sorted(words)])
        return float((others @ self._vectors[name]).max())

    def _senses(self, noun: str) -> tuple[int, ...]:
        """WordNet's meanings of a word in whatever spelling, the commonest first."""
        found: dict[int, None] = {}
        for lemma in self._lemmas.get(canonical(noun), ()):
            found.update(dict.fromkeys(self._wordnet.senses[lemma]))
        return tuple(found)

    def _levels(self, offset: int) -> dict[int, int]:
        """How many levels up each thing lies that a meaning is a kind of, by the shortest way."""
        found, level, height = {offset: 0}, {offset}, 0
        while level:
            height += 1
            ups = {up for one in level for up in self._wordnet.synsets[one].hypernyms}
            level = ups - found.keys()
            found |= dict.fromkeys(level, height)
        return found

    @property
    def _wordnet(self) -> WordNet:
        return _shipped()

    @property
    def _lemmas(self) -> dict[str, list[str]]:
        return _spellings()


@cache
def _shipped() -> WordNet:
    """WordNet, which takes a second or two to read."""
    return read_wordnet()


@cache
def _spellings() -> dict[str, list[str]]:
    """WordNet's own spellings of each canonical word."""
    spelt: dict[str, list[str]] = {}
    for lemma in _shipped().senses:
        spelt.setdefault(canonical(lemma), []).append(lemma)
    return spelt
