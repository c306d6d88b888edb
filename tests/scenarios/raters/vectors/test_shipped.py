"""The vectors that come along: what they cover, how near they are, and when they are not used."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from novic.embedder import Vectors
from novic.embedders.starter import WIDTH, TextModel
from scenarios.dictionary import NounEntry, ObjectDictionary
from scenarios.raters.vectors import shipped as shipped_module
from scenarios.raters.vectors.axes import PLACES, TRAITS
from scenarios.raters.vectors.nouns import noun_vectors, text_vectors
from scenarios.raters.vectors.shipped import (
    FILE,
    PackedVectors,
    pack,
    shipped_vectors,
    write_packed,
)
from scenarios.raters.vectors.texts import TEMPLATES, noun_texts, texts_of
from scenarios.ratings.records import RatingError

NOUNS = ("anvil", "bellows", "crane")
AXES = ("in a smithy", "something heavy")


@pytest.fixture(scope="module")
def packed() -> PackedVectors:
    found = shipped_vectors()
    assert found is not None
    return found


def unit(rows: int, seed: int = 0) -> Vectors:
    found = np.random.default_rng(seed).normal(size=(rows, len(TEMPLATES), WIDTH))
    return (found / np.linalg.norm(found, axis=2, keepdims=True)).astype(np.float32)


def small_file(file: Path) -> Path:
    tensors = {
        **pack(unit(len(NOUNS)), components=3),
        "plural": np.array([False, True, False]),
        "axes": unit(len(AXES))[:, 0].astype(np.float16),
    }
    write_packed(file, NOUNS, AXES, tensors)
    return file


def test_they_cover_the_whole_base_dictionary(
    packed: PackedVectors, base_dictionary: ObjectDictionary
):
    """If not: python -m scenarios.raters.vectors.packing makes them anew."""
    missing = [e for e in base_dictionary.entries if tuple(noun_texts(e)) not in packed.rows]
    assert missing == []
    assert set(packed.axes) == {*PLACES, *TRAITS}


def test_they_are_small():
    assert FILE.stat().st_size < 25e6


def test_they_are_near_to_what_the_text_model_says(packed: PackedVectors, text_model: TextModel):
    rows = range(0, len(packed.nouns), len(packed.nouns) // 15)
    texts = [
        text
        for row in rows
        for text in texts_of(packed.nouns[row], singular=not packed.plural[row])
    ]
    exact = text_model.embed(texts).reshape(-1, len(TEMPLATES), WIDTH)
    near = (packed.vectors(rows) * exact).sum(axis=2)
    assert near.mean() > 0.99
    assert near.min() > 0.95
    axes = [*packed.axes][::90]
    np.testing.assert_allclose(
        [packed.axes[axis] for axis in axes], text_model.embed(axes), atol=1e-3
    )


def test_only_what_is_not_packed_is_embedded(tmp_path: Path):
    packed = shipped_vectors(small_file(tmp_path / "small.safetensors"))
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> Vectors:
        asked.extend(texts)
        return unit(len(texts))[:, 0]

    entries = [NounEntry(n, noun, noun, (noun,), (), (1,), ()) for n, noun in enumerate(NOUNS)]
    entries[1] = NounEntry(1, "bellows", "bellows", (), ("bellows",), (), (1,))
    known = noun_vectors(ObjectDictionary(tuple(entries)), tmp_path, packed=packed, embed=embed)
    assert asked == []
    np.testing.assert_allclose(known.where, unit(3)[:, 2], atol=0.02)
    entries.append(NounEntry(3, "dolly", "dolly", ("dolly",), (), (1,), ()))
    # Another form has other texts.
    entries[1] = NounEntry(1, "bellows", "bellows", ("bellows",), (), (1,), ())
    more = noun_vectors(ObjectDictionary(tuple(entries)), tmp_path, packed=packed, embed=embed)
    assert asked == [*texts_of("bellows", singular=True), *texts_of("dolly", singular=True)]
    np.testing.assert_array_equal(more.bare[[0, 2]], known.bare[[0, 2]])
    asked.clear()
    text_vectors([*AXES, "something new"], tmp_path, packed=packed, embed=embed)
    assert asked == ["something new"]


def test_those_of_another_text_model_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = small_file(tmp_path / "small.safetensors")
    monkeypatch.setattr(shipped_module, "TEXT_SHA256", "0" * 64)
    assert shipped_vectors(file) is None


def test_those_of_other_texts_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = small_file(tmp_path / "small.safetensors")
    monkeypatch.setattr(shipped_module, "texts_of", lambda noun, *, singular: [noun] * 4)
    assert shipped_vectors(file) is None


def test_a_damaged_file_is_told(tmp_path: Path):
    file = small_file(tmp_path / "small.safetensors")
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    with pytest.raises(RatingError, match="its checksum differs; install Nomaly again"):
        shipped_vectors(file)
    with pytest.raises(RatingError, match="missing or damaged"):
        shipped_vectors(tmp_path / "none.safetensors")
