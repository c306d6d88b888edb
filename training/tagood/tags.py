"""Which tags a picture has without a tagger: nouns that NOVIC says, by what they mean.

The tag of a class is its noun. Its probability is the sum over the likeliest nouns that the decoder
says and that are the class's noun, another name of it or a kind of it: "robin" speaks for "bird",
"bird" does not speak for "robin". It is never 0: what is not among the likeliest nouns may still be
there, and pictures without any of them are ranked by their vectors then (benchmarks/tagood.py).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from novic.decode import NounDecoder
from novic.embedder import Vectors
from novic.gencfg import GenConfig
from novic.vocabulary import canonical
from scenarios.base.senses import VISIBLE
from scenarios.wordnet import WordNet, read_wordnet

NOUNS = GenConfig()
"""Plain log-probabilities of ten nouns."""
LEAST = 0.003
"""Probability of a tag at least."""


class NounTags:
    """The nouns of classes as tags.

    Args:
        nouns: Of the classes, C; a comma parts names of one thing.
        wordnet: Names and kinds; by default those that are shipped.
    """

    def __init__(self, nouns: Sequence[str], wordnet: WordNet | None = None) -> None:
        self._wordnet = wordnet or read_wordnet()
        self._names = [
            frozenset(canonical(name) for name in noun.split(",")) - {""} for noun in nouns
        ]
        self._meanings = [
            frozenset(one for name in names if (one := self._meaning(name)) is not None)
            for names in self._names
        ]
        self._known: dict[str, NDArray[np.bool_]] = {}

    def speaks_for(self, noun: str) -> NDArray[np.bool_]:
        """Which classes a noun means [C]."""
        found = self._known.get(noun)
        if found is None:
            name = canonical(noun)
            meant = self._meaning(name)
            above: set[int] = set()
            if meant is not None:
                above = {meant, *self._wordnet.ancestors(meant)}
            pairs = zip(self._names, self._meanings, strict=True)
            found = np.array([name in names or not above.isdisjoint(own) for names, own in pairs])
            self._known[noun] = found
        return found

    def probabilities(
        self, said: Sequence[Sequence[str]], log_p: Sequence[Sequence[float]]
    ) -> NDArray[np.float32]:
        """Probability of each class's tag.

        Args:
            said: The decoder's likeliest nouns of N pictures.
            log_p: Their log-probabilities.

        Returns:
            [N, C], `LEAST` to 1.
        """
        found = np.zeros((len(said), len(self._names)))
        for row, (nouns, chances) in enumerate(zip(said, log_p, strict=True)):
            for noun, chance in zip(nouns, chances, strict=False):
                found[row] += np.exp(chance) * self.speaks_for(noun)
        return np.clip(found, LEAST, 1).astype(np.float32)

    def of_vectors(self, decoder: NounDecoder, vectors: Vectors) -> NDArray[np.float32]:
        """Probability of each class's tag for vectors of pictures [N, F]: [N, C]."""
        answers = decoder.decode(vectors, NOUNS, wanted=NOUNS.topk)
        said = [[answer.noun for answer in row] for row in answers]
        return self.probabilities(said, [[answer.score for answer in row] for row in answers])

    def _meaning(self, name: str) -> int | None:
        """The commonest meaning that can be seen of a name or its singular."""
        spelt = (name, name.removesuffix("s"), name.removesuffix("es"))
        senses = next((own for one in spelt if (own := self._wordnet.senses.get(one))), None)
        if senses is None:
            return None
        seen = [one for one in senses if self._wordnet.synsets[one].lexname in VISIBLE]
        return (*seen, *senses)[0]
