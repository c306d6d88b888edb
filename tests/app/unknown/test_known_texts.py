"""Vectors of texts that are kept for the next time."""

from pathlib import Path

import numpy as np
import pytest

from app.unknown.known_texts import embed_once
from novic.embedders.starter import StarterEmbedder

TEXTS = ["cup", "tractor", "rocket"]


@pytest.fixture(scope="module")
def embedder() -> StarterEmbedder:
    return StarterEmbedder()


def asked(texts: list[str], embedder: StarterEmbedder, folder: Path | None):
    """Vectors, and how many were embedded when progress was told first."""
    told: list[tuple[int, int]] = []
    return embed_once(texts, embedder, folder, lambda *now: told.append(now)), told[0][0]


def test_texts_are_embedded_once(embedder: StarterEmbedder, tmp_path: Path):
    folder = tmp_path / "made" / "texts"
    first, before = asked(TEXTS, embedder, folder)
    again, after = asked(TEXTS, embedder, folder)
    assert (before, after) == (0, len(TEXTS))
    assert again.dtype == np.float32
    np.testing.assert_array_equal(again, first)
    np.testing.assert_array_equal(asked(TEXTS, embedder, None)[0], first)
    assert len(list(folder.iterdir())) == 1
    assert asked(TEXTS[::-1], embedder, folder)[1] == 0


@pytest.mark.parametrize("damage", [b"", b"x" * 40, None])
def test_a_damaged_file_is_made_again(
    embedder: StarterEmbedder, tmp_path: Path, damage: bytes | None
):
    first, _ = asked(TEXTS, embedder, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-4] if damage is None else damage)
    again, embedded = asked(TEXTS, embedder, tmp_path)
    assert embedded == 0
    np.testing.assert_array_equal(again, first)
    assert asked(TEXTS, embedder, tmp_path)[1] == len(TEXTS)


def test_where_nothing_can_be_kept_texts_are_embedded_all_the_same(
    embedder: StarterEmbedder, tmp_path: Path
):
    (tmp_path / "file").touch()
    assert len(asked(TEXTS, embedder, tmp_path / "file")[0]) == len(TEXTS)
