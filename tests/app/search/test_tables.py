"""Vectors of many events, asked at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.search.tables import LooksTable, NamesTable


def at(degrees: float) -> NDArray[np.float32]:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], np.float32)


def test_the_most_alike_come_first_and_a_newer_vector_takes_the_place_of_the_older():
    table = LooksTable()
    for number in range(600):
        table.add(number, at(number / 10).astype("<f2").tobytes())
    assert [number for number, _ in table.nearest(at(0), 3)] == [0, 1, 2]
    table.add(0, at(90).astype("<f2").tobytes())
    (best, cosine), *_ = table.nearest(at(90), 9)
    assert (best, round(cosine, 3)) == (0, 1.0)
    assert LooksTable().nearest(at(0), 3) == []


def test_names_are_mixed_by_their_p_and_nouns_are_asked_for_once():
    asked: list[str] = []

    def vectors_of(nouns: Sequence[str]) -> NDArray[np.float32]:
        asked.extend(nouns)
        return np.stack([at({"cat": 0, "dog": 20, "lamp": 90}[noun]) for noun in nouns])

    table = NamesTable()
    table.add(7, [("cat", 0.6), ("dog", 0.2)])
    table.add(8, [("lamp", 0.9)])
    (best, cosine), (other, _) = table.nearest(at(0), 9, vectors_of)
    mixed = 0.6 * at(0) + 0.2 * at(20)
    assert (best, other) == (7, 8)
    assert np.isclose(cosine, mixed[0] / np.linalg.norm(mixed), atol=1e-5)
    table.add(9, [("dog", 0.5)])
    table.add(8, [])
    assert [number for number, _ in table.nearest(at(20), 2, vectors_of)] == [9, 7]
    assert asked == ["cat", "dog", "lamp"]
