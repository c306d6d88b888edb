"""WordNet, read once, with the shipped vectors of words in the place of the text model."""

from collections.abc import Sequence
from functools import cache

import pytest

from app.evaluating.pipeline.meaning import Meanings
from novic.embedder import Vectors
from scenarios.raters.vectors.shipped import PackedVectors, shipped_vectors


@cache
def _packed() -> tuple[PackedVectors, dict[str, int]]:
    packed = shipped_vectors()
    assert packed is not None
    return packed, {noun: row for row, noun in enumerate(packed.nouns)}


def shipped(texts: Sequence[str]) -> Vectors:
    """The vectors that come with Nomaly; what has none is as far from everything as can be."""
    packed, row_of = _packed()
    found = packed.vectors([row_of.get(text, 0) for text in texts])[:, 0]
    found[[text not in row_of for text in texts]] = 0
    return found


@pytest.fixture(scope="session")
def meanings() -> Meanings:
    return Meanings(shipped)
