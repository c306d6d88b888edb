"""Nouns as short rows of compact token ids, so that decoding needs no tokenizer.

The compact vocabulary holds only the pieces that occur in some noun: id 0 ends a noun (and pads
the row behind it), the tokenizer's own ids follow in ascending order as 1, 2, 3, …
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from novic.errors import UsageError

END = 0
"""Compact id that ends a noun and pads behind it."""


@dataclass(frozen=True, slots=True, eq=False)
class NounTokens:
    """A list of nouns with their compact tokens."""

    nouns: tuple[str, ...]
    tokens: NDArray[np.int64]
    """[N, C], each row a noun's ids, then END to the right edge; C is the longest noun with its
    one END."""
    source_ids: NDArray[np.int64]
    """[V], the tokenizer's id of each compact id; entry 0 is its end or pad id."""

    @property
    def vocabulary(self) -> int:
        """V, the number of compact ids, END included."""
        return len(self.source_ids)

    @property
    def max_tokens(self) -> int:
        """C, tokens of the longest noun, END included."""
        return self.tokens.shape[1]

    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each noun, its END included [N]."""
        return (self.tokens != END).sum(axis=1) + 1


def build_noun_tokens(
    nouns: Sequence[str], encode: Callable[[str], Sequence[int]], end_id: int
) -> NounTokens:
    """Tokenise nouns and give the pieces they use compact ids.

    Args:
        nouns: Distinct, non-empty nouns in the order they are to be numbered.
        encode: Tokenizer without special tokens: text to ids.
        end_id: The tokenizer's end or pad id, remembered for compact id 0.

    Raises:
        UsageError: If there are no nouns, one repeats, or one has no tokens.
    """
    if not nouns:
        raise UsageError("no nouns to tokenise: the noun list is empty")
    if len(set(nouns)) != len(nouns):
        seen: set[str] = set()
        twice = next(noun for noun in nouns if noun in seen or seen.add(noun))
        raise UsageError(f"noun '{twice}' stands twice in the list; every noun must be distinct")
    rows = [list(encode(noun)) for noun in nouns]
    for noun, row in zip(nouns, rows, strict=True):
        if not row:
            raise UsageError(f"noun '{noun}' has no tokens; remove it from the list")
    used = sorted({piece for row in rows for piece in row} - {end_id})
    compact = {piece: number for number, piece in enumerate(used, start=1)}
    tokens = np.zeros((len(rows), max(map(len, rows)) + 1), dtype=np.int64)
    for number, row in enumerate(rows):
        tokens[number, : len(row)] = [compact[piece] for piece in row]
    return NounTokens(tuple(nouns), tokens, np.array([end_id, *used], dtype=np.int64))
