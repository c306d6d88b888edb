"""Texts that one image may show at once: CLIPN must not learn that one denies the other.

A "dog" is an "animal" and a "hound"; the "no" of these texts is false for its picture.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from novic.vocabulary import canonical
from scenarios.wordnet import WordNet

CLOSE = 0.9
"""Cosine from which on two texts count as one."""


class Relatives:
    """Which rows of a list of texts belong together.

    Args:
        texts: Unit vectors [M, F].
        pairs: Numbers of texts that are related besides, in either order.
        close: See `CLOSE`.
    """

    def __init__(
        self, texts: Tensor, pairs: Iterable[tuple[int, int]] = (), close: float = CLOSE
    ) -> None:
        self._texts, self._close = texts, close
        count = len(texts)
        both = {pair for one, two in pairs for pair in ((one, two), (two, one))}
        self._keys = torch.tensor(sorted(one * count + two for one, two in both), dtype=torch.long)

    def among(self, rows: Tensor) -> Tensor:
        """Which texts of a batch are related, themselves included.

        Args:
            rows: Numbers of texts [N], on the CPU; one may come more than once.

        Returns:
            bool [N, N], on the CPU.
        """
        vectors = self._texts[rows.to(self._texts.device)]
        close = (vectors @ vectors.T > self._close).cpu()
        same = rows[:, None] == rows[None, :]
        wanted = rows[:, None] * len(self._texts) + rows[None, :]
        if not len(self._keys):
            return close | same
        at = torch.searchsorted(self._keys, wanted).clamp(max=len(self._keys) - 1)
        return close | same | (self._keys[at] == wanted)


def kindred(nouns: Sequence[str], wordnet: WordNet) -> list[tuple[int, int]]:
    """Pairs of nouns of which one is another name or a kind of the other, in any of its meanings.

    Args:
        nouns: In canonical form; those that WordNet does not know have no relatives.
        wordnet: Names and kinds.

    Returns:
        Numbers of two different nouns each.
    """
    numbers = {noun: number for number, noun in enumerate(nouns)}
    named: dict[int, set[int]] = {}
    meanings: dict[int, set[int]] = {}
    for lemma, offsets in wordnet.senses.items():
        number = numbers.get(canonical(lemma))
        if number is not None:
            meanings.setdefault(number, set()).update(offsets)
            for offset in offsets:
                named.setdefault(offset, set()).add(number)
    return sorted(
        {
            (number, other)
            for number, offsets in meanings.items()
            for offset in offsets
            for kind in (offset, *wordnet.ancestors(offset))
            for other in named.get(kind, ())
            if other != number
        }
    )
