"""Vectors of many events in one table, asked all at once."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from novic.embedder import Vectors

type Scored = list[tuple[int, float]]
"""(number of an event, how well it fits), the best first."""

WORDS = 5
"""Nouns of an event that count; it has no more."""
_AT_ONCE = 4096


class LooksTable:
    """Unit vectors of events by their number; grows."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._rows: dict[int, int] = {}
        self._table = np.empty((0, 0), np.float32)

    def add(self, number: int, unit: bytes) -> None:
        """Take the vector of an event as a store keeps it, in the place of an earlier one."""
        vector = np.frombuffer(unit, "<f2").astype(np.float32)
        row = self._rows.setdefault(number, len(self._rows))
        self._table = _with_room(self._table, row, len(vector))
        self._table[row] = vector / max(float(np.linalg.norm(vector)), 1e-6)

    def nearest(self, vector: NDArray[np.float32], most: int) -> Scored:
        """Events with the largest cosines to a unit vector [F], at most so many."""
        if not self._rows:
            return []
        return _best(self._rows, self._table[: len(self._rows)] @ vector, most)


class NamesTable:
    """What events are called, as mixtures of the vectors of their nouns; grows.

    An event's vector is the sum of those of its nouns, each times its p, of length 1; it is kept as
    the nouns' numbers and p, which is a hundredth of it.
    """

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._rows: dict[int, int] = {}
        self._nouns: dict[str, int] = {}
        self._vectors = np.empty((0, 0), np.float32)
        self._which = np.zeros((0, WORDS), np.int32)
        self._p = np.zeros((0, WORDS), np.float32)
        self._length = np.zeros((0, 1), np.float32)

    def add(self, number: int, names: Sequence[tuple[str, float]]) -> None:
        """Take an event's nouns with their p, in the place of earlier ones."""
        row = self._rows.setdefault(number, len(self._rows))
        self._which = _with_room(self._which, row, WORDS)
        self._p = _with_room(self._p, row, WORDS)
        self._length = _with_room(self._length, row, 1)
        self._which[row], self._p[row], self._length[row] = 0, 0.0, 0.0
        for place, (noun, p) in enumerate(names[:WORDS]):
            self._which[row, place] = self._nouns.setdefault(noun, len(self._nouns))
            self._p[row, place] = p

    def nearest(
        self,
        vector: NDArray[np.float32],
        most: int,
        vectors_of: Callable[[Sequence[str]], Vectors],
    ) -> Scored:
        """Events whose names are most like a unit vector [F], at most so many.

        Args:
            vector: Of a text.
            most: How many.
            vectors_of: Gives unit vectors [N, F] of nouns that are new.
        """
        new = list(self._nouns)[len(self._vectors) :]
        if new:
            found = vectors_of(new)
            known = self._vectors.reshape(-1, found.shape[1])
            self._vectors = np.concatenate([known, found])
        count = len(self._rows)
        self._measure(count)
        likeness = self._vectors @ vector if len(self._vectors) else np.zeros(1, np.float32)
        scores = (likeness[self._which[:count]] * self._p[:count]).sum(axis=1)
        return _best(self._rows, scores / np.maximum(self._length[:count, 0], 1e-6), most)

    def _measure(self, count: int) -> None:
        """Lengths of the sums that are new."""
        new = np.flatnonzero(self._length[:count, 0] == 0)
        for start in range(0, len(new), _AT_ONCE):
            some = new[start : start + _AT_ONCE]
            if len(self._vectors):
                sums = np.einsum("nk,nkf->nf", self._p[some], self._vectors[self._which[some]])
                self._length[some, 0] = np.linalg.norm(sums, axis=1)


def _with_room[T: np.generic](table: NDArray[T], row: int, width: int) -> NDArray[T]:
    """The table, grown if it has no such row."""
    if row < len(table):
        return table
    grown = np.zeros((max(256, 2 * row), width), table.dtype)
    if row:
        grown[:row] = table[:row]
    return grown


def _best(rows: dict[int, int], scores: NDArray[np.floating], most: int) -> Scored:
    most = min(most, len(scores))
    if not most:
        return []
    best = np.argpartition(-scores, most - 1)[:most]
    numbers = list(rows)
    return [(numbers[row], float(scores[row])) for row in best[np.argsort(-scores[best])].tolist()]
