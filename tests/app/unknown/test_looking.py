"""Pictures that are seen with their patches, or why they are not."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from app.unknown.looking import Folder, Patches, PatchRows, Seen
from novic.embedder import Pixels
from novic.embedders.kinds import build_embedder
from tests.novic.clips import clip_config, save_model, save_t5_tokenizer, siglip_config

CPU = torch.device("cpu")
PICTURES: list[Pixels] = [np.full((50, 60, 3), grey, np.uint8) for grey in (40, 200)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    save_model(folder, clip_config(42, "shortest", quick=True))
    return folder


def test_patches_are_seen_where_they_are_wanted(clip: Path):
    embedder, wanted = build_embedder(f"openclip:{clip}", CPU), Patches(2)
    vectors, patches = wanted.see(embedder, PICTURES)
    assert patches is not None
    assert (vectors.shape, patches.shape, wanted.why_not) == ((2, 24), (2, 9, 24), "")
    plain, none = Patches(2, "nobody asks").see(embedder, PICTURES)
    assert none is None
    np.testing.assert_array_equal(plain, vectors)


def test_why_there_are_none_is_told(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    begins = "needs vectors of patches in the space of the texts"
    starter = Patches(2)
    assert starter.see(build_embedder("starter", CPU), PICTURES)[1] is None
    assert starter.why_not == f"{begins}, which embedder 'starter' does not give"

    save_model(tmp_path, siglip_config(16))
    save_t5_tokenizer(tmp_path)
    siglip = Patches(2)
    vectors, patches = siglip.see(build_embedder(f"openclip:{tmp_path}", CPU), PICTURES)
    assert (len(vectors), patches) == (2, None)
    assert "(TimmModel) is neither a ViT with a class token" in siglip.why_not

    monkeypatch.setattr("app.unknown.looking.MOST_PATCH_BYTES", 1_000_000)
    many = Patches(2_000)
    assert many.see(build_embedder(f"openclip:{clip}", CPU), PICTURES)[1] is None
    assert many.why_not.endswith("which take 0.0 GB of memory for 2000 pictures; name fewer")


def test_patches_of_a_folder_are_in_memory_once():
    batches = [np.full((32, 50, 64), number, np.float32) for number in range(10)]
    whole = sum(batch.nbytes for batch in batches)
    rows = PatchRows(321)
    assert rows.rows is None
    tracemalloc.start()
    try:
        for batch in batches:
            rows.add(batch)
        found = rows.rows
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found is not None
    assert most < 1.1 * whole
    np.testing.assert_array_equal(found, np.concatenate(batches))


def test_patches_of_half_the_pictures_take_no_memory_of_their_own():
    patches = np.arange(24, dtype=np.float32).reshape(6, 2, 2)
    expected = patches[[1, 2, 5]]
    files = tuple("abcdef")
    empty = np.empty((6, 1))
    seen = Seen(Folder(Path("x"), files), files, empty, empty, ((),) * 6, None, patches=patches)
    assert seen.take_patches(np.arange(6)) is patches
    found = seen.take_patches(np.array([1, 2, 5]))
    assert found is not None
    assert np.shares_memory(found, patches)
    np.testing.assert_array_equal(found, expected)
