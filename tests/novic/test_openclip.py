"""The open_clip embedder on a small CLIP with random weights, saved to disk and loaded back."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from open_clip.model import CLIP
from PIL import Image
from safetensors.torch import save_file
from skimage import data

from novic.embedder import EmbedderError
from novic.model import build_embedder

CPU = torch.device("cpu")
SIZES: dict[str, Any] = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip")
    torch.manual_seed(0)
    model: Any = CLIP(**SIZES)
    save_file(
        {name: weight.contiguous() for name, weight in model.state_dict().items()},
        path / "open_clip_model.safetensors",
    )
    preprocess = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic"}
    config = {"model_cfg": SIZES, "preprocess_cfg": preprocess}
    (path / "open_clip_config.json").write_text(json.dumps(config))
    return path


def test_a_local_folder_gives_the_models_own_features(folder: Path):
    embedder = build_embedder(f"openclip:{folder}", CPU)
    images = [data.chelsea(), data.coffee()[:50, :20]]
    vectors = embedder.embed_images(images)
    loaded: Any = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    model, transform = loaded
    batch = torch.stack([torch.as_tensor(transform(Image.fromarray(image))) for image in images])
    with torch.inference_mode():
        expected = model.eval().encode_image(batch, normalize=True).numpy()
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    assert vectors.dtype == np.float32
    assert embedder.width == 24


def test_texts_are_unit_vectors_in_order(folder: Path):
    embedder = build_embedder(f"openclip:{folder}", CPU)
    vectors = embedder.embed_texts(["a cat", "a dog", "a cat"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors[0], vectors[2], atol=1e-5)
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3


def test_nothing_in_nothing_out(folder: Path):
    embedder = build_embedder(f"openclip:{folder}", CPU)
    assert embedder.embed_images([]).shape == (0, 24)
    assert embedder.embed_texts([]).shape == (0, 24)


def test_an_architecture_with_a_weights_file(tmp_path: Path):
    torch.manual_seed(0)
    model: Any = open_clip.create_model("ViT-S-32-alt")
    weights = tmp_path / "weights.pt"
    torch.save(model.state_dict(), weights)
    embedder = build_embedder(f"openclip:ViT-S-32-alt@{weights}", CPU)
    assert embedder.embed_images([data.coffee()]).shape == (1, embedder.width)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("openclip:/nowhere/at/all", "there is no folder /nowhere/at/all"),
        ("openclip:ViT-B-32@/nowhere.pt", "there is no weights file /nowhere.pt"),
    ],
)
def test_missing_files_are_named(spec: str, message: str):
    with pytest.raises(EmbedderError, match=message):
        build_embedder(spec, CPU)


def test_a_damaged_folder_is_refused(tmp_path: Path):
    (tmp_path / "open_clip_config.json").write_text("{}")
    (tmp_path / "open_clip_model.safetensors").touch()
    with pytest.raises(EmbedderError, match="is no open_clip configuration"):
        build_embedder(f"openclip:{tmp_path}", CPU)


def test_a_hub_id_without_a_hub_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EmbedderError, match="'openclip:nobody/nothing' is not in the hub's cache"):
        build_embedder("openclip:nobody/nothing", CPU)


def test_an_unknown_embedder_is_refused():
    with pytest.raises(EmbedderError, match="unknown embedder 'clap:x'; use starter, openclip"):
        build_embedder("clap:x", CPU)
