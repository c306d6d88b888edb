"""A trained CLIPN is written, read, and refused where it does not belong."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from calibration.clipn import unknown_scores
from novic.clipn.errors import ClipnError
from novic.clipn.files import SavedClipn, load_clipn, save_clipn
from novic.clipn.head import HeadSizes, NoHead
from novic.clipn.model import Clipn
from novic.clipn.tower import NoTextTower
from tests.novic.clipn.known import small_openclip
from tests.novic.clipn.test_head import moved
from tests.small_files import small_files
from tests.training.hashed import HashedEmbedder

NOUNS = ("cat", "dog", "traffic light")


@pytest.fixture
def embedder() -> HashedEmbedder:
    return HashedEmbedder(width=12)


@pytest.fixture
def folder(embedder: HashedEmbedder, tmp_path: Path) -> Path:
    centre = np.linspace(-0.2, 0.2, 12, dtype=np.float32)
    saved = SavedClipn(moved().eval(), 15.0, centre, {"command": "nomaly"}, {"loss": 0.5})
    save_clipn(tmp_path / "clipn", saved, embedder)
    return tmp_path / "clipn"


def test_a_head_is_read_as_it_was_written(folder: Path, embedder: HashedEmbedder):
    found = load_clipn(folder, embedder)
    assert isinstance(found.module, NoHead)
    assert not found.module.training
    assert (found.kind, found.scale, found.provenance) == ("head", 15.0, {"command": "nomaly"})
    assert found.metrics == {"loss": 0.5}
    clipn, vectors = Clipn(found, embedder), embedder.embed_texts(["a picture", "another"])
    known = clipn.known(NOUNS)
    assert found.centre is not None
    shifted = vectors - found.centre
    shifted /= np.linalg.norm(shifted, axis=1, keepdims=True)
    texts = embedder.embed_texts(NOUNS) - found.centre
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    with torch.inference_mode():
        no_texts = moved().eval()(torch.from_numpy(texts)).numpy()
    yes, no = clipn.logits(vectors, known)
    np.testing.assert_allclose(yes, 15 * shifted @ texts.T, atol=1e-4)
    np.testing.assert_allclose(no, 15 * shifted @ no_texts.T, atol=1e-4)


def test_before_training_every_score_is_a_half(tmp_path: Path, embedder: HashedEmbedder):
    head = NoHead(HeadSizes(12, hidden=8)).eval()
    save_clipn(tmp_path, SavedClipn(head, 20.0, np.zeros(12, np.float32)), embedder)
    clipn = Clipn.load(tmp_path, embedder)
    images = embedder.embed_texts(["one", "two", "three"])
    found = unknown_scores(*clipn.logits(images, clipn.known(NOUNS)))
    np.testing.assert_allclose(found.ctw, 0.5, atol=1e-5)
    np.testing.assert_allclose(found.atd, 0.5, atol=1e-5)


def test_another_embedder_is_refused(folder: Path):
    with pytest.raises(ClipnError, match="was trained on vectors of 'hashed'"):
        load_clipn(folder, HashedEmbedder(width=12, model="other"))


def test_the_device_of_the_embedder_does_not_matter(
    folder: Path, embedder: HashedEmbedder, monkeypatch: pytest.MonkeyPatch
):
    elsewhere = {**embedder.identity(), "device_type": "cuda", "amp_dtype": "torch.float16"}
    monkeypatch.setattr(embedder, "identity", lambda: elsewhere)
    assert load_clipn(folder, embedder).scale == 15.0


def card(folder: Path, **changed: object) -> None:
    known = json.loads((folder / "clipn.json").read_text())
    (folder / "clipn.json").write_text(json.dumps(known | changed))


def other_weights(folder: Path, **changed: torch.Tensor) -> None:
    """Weights that the card knows, but that do not fit."""
    file = folder / "clipn.safetensors"
    save_file(load_file(file) | changed, file)
    card(folder, weights_sha256=hashlib.sha256(file.read_bytes()).hexdigest())


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no card": (lambda at: (at / "clipn.json").unlink(), "there is no CLIPN here"),
    "damaged card": (lambda at: (at / "clipn.json").write_text("{"), "cannot be read"),
    "other card": (lambda at: card(at, format="x"), "is not a CLIPN's"),
    "newer": (lambda at: card(at, version=2), "version 2, this Nomaly reads version 1"),
    "no weights": (lambda at: (at / "clipn.safetensors").unlink(), "cannot be read"),
    "damaged weights": (
        lambda at: (at / "clipn.safetensors").write_bytes(b"x" * 90),
        "its SHA-256 is not the one in clipn.json",
    ),
    "scale": (lambda at: card(at, scale=-1), "its scale is -1"),
    "kind": (lambda at: card(at, kind="tower"), "has no text tower that can be trained"),
    "width": (lambda at: other_weights(at, prompts=torch.ones(16, 5)), "have 5 components"),
    "shapes": (lambda at: other_weights(at, inner=torch.ones(2)), "not a readable CLIPN"),
    "nan": (
        lambda at: other_weights(at, centre=torch.full((12,), torch.nan)),
        "centre holds numbers that are not finite",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_told(fault: str, folder: Path, embedder: HashedEmbedder):
    damage, told = FAULTS[fault]
    damage(folder)
    with pytest.raises(ClipnError, match=told):
        load_clipn(folder, embedder)


def test_a_full_disk_leaves_what_was_there(folder: Path, embedder: HashedEmbedder):
    with small_files(100), pytest.raises(ClipnError, match="cannot be written"):
        save_clipn(folder, SavedClipn(moved(), 9.0, np.zeros(12, np.float32)), embedder)
    assert load_clipn(folder, embedder).scale == 15.0


@pytest.mark.parametrize("learnable", [True, False])
def test_a_tower_is_read_as_it_was_written(learnable: bool, tmp_path: Path):
    embedder = small_openclip(tmp_path / "model")
    tower = NoTextTower(embedder.clip, learnable=learnable)
    with torch.no_grad():
        for weight in tower.parameters():
            weight += 0.03
    save_clipn(tmp_path / "clipn", SavedClipn(tower.eval(), 100.0, None), embedder)
    clipn = Clipn.load(tmp_path / "clipn", embedder)
    assert isinstance(clipn.saved.module, NoTextTower)
    assert clipn.saved.module.learnable == learnable
    known, before = clipn.known(NOUNS), Clipn(SavedClipn(tower, 100.0, None), embedder)
    np.testing.assert_array_equal(known.no, before.known(NOUNS).no)
    np.testing.assert_allclose(np.linalg.norm(known.no, axis=1), 1, atol=1e-5)
    assert not np.allclose(known.no, known.yes, atol=1e-3)
    with pytest.raises(ClipnError, match="was trained on vectors of 'openclip:"):
        load_clipn(tmp_path / "clipn", small_openclip(tmp_path / "other", seed=5))


def test_before_training_a_tower_with_prompts_knows_nothing(tmp_path: Path):
    embedder = small_openclip(tmp_path / "model")
    clipn = Clipn(SavedClipn(NoTextTower(embedder.clip).eval(), 100.0, None), embedder)
    known = clipn.known(NOUNS, ("a photo of a {}", "the {}"))
    np.testing.assert_allclose(known.no, known.yes, atol=1e-5)
    crafted = NoTextTower(embedder.clip, learnable=False).eval()
    with pytest.raises(ClipnError, match="has templates of its own"):
        Clipn(SavedClipn(crafted, 100.0, None), embedder).known(NOUNS, ("a {}",))
    with pytest.raises(ClipnError, match="at least one known thing"):
        clipn.known([])
