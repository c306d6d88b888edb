"""An embedder and a decoder put together: what a name carries, and who shares what."""

import math

import numpy as np
import pytest
import torch

from novic.bundle import BundleError, load_bundle
from novic.embedder import Pixels
from novic.embedders.starter import StarterEmbedder
from novic.gencfg import parse_gencfg
from novic.model import (
    BATCH,
    ModelOptions,
    NounModel,
    load_model,
    open_decoder,
    starter_bundle_path,
)

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def embedder() -> StarterEmbedder:
    return StarterEmbedder()


@pytest.fixture(scope="module")
def model(embedder: StarterEmbedder) -> NounModel:
    return load_model(None, CPU, embedder=embedder)


def pictures(count: int) -> list[Pixels]:
    draw = np.random.default_rng(0)
    tiles = draw.integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return [np.kron(tile, np.ones((16, 16, 1), np.uint8)) for tile in tiles]


def test_every_name_carries_its_vector_and_what_is_left(
    model: NounModel, embedder: StarterEmbedder
):
    images = pictures(3)
    named = model.name(images, top=4)
    vectors = embedder.embed_images(images)
    for naming, vector in zip(named, vectors, strict=True):
        np.testing.assert_allclose(naming.vector, vector, atol=1e-5)
        assert naming.vector.dtype == np.float32
        assert len(naming.nouns) == 4
        assert sum(noun.p for noun in naming.nouns) + naming.rest == pytest.approx(1)
        assert 0 < naming.rest < 1


def test_names_come_in_the_order_of_the_images_across_batches(model: NounModel):
    images = pictures(BATCH + 3)
    together = model.name(images, top=1)
    assert len(together) == len(images)
    for number in (0, BATCH - 1, BATCH, BATCH + 2):
        [alone] = model.name([images[number]], top=1)
        assert together[number].nouns[0].noun == alone.nouns[0].noun
        np.testing.assert_allclose(together[number].vector, alone.vector, atol=1e-4)


def test_no_images_have_no_names(model: NounModel):
    assert model.name([]) == []


@pytest.mark.parametrize("text", ["beam_k5_vtok1", "beam_k5_a0.5"])
def test_scores_that_are_no_probabilities_leave_nothing_to_be_told(
    text: str, embedder: StarterEmbedder
):
    options = ModelOptions(parse_gencfg(text))
    [naming] = load_model(None, CPU, options, embedder=embedder).name(pictures(1))
    assert math.isnan(naming.rest)


def test_two_decoders_share_one_embedder(embedder: StarterEmbedder):
    sites = [
        load_model(None, CPU, ModelOptions(guide=guide), embedder=embedder)
        for guide in (["cat", "dog"], ["ladder", "bucket", "tripod"])
    ]
    assert sites[0].embedder is sites[1].embedder is embedder
    assert sites[0].decoder is not sites[1].decoder
    [image] = pictures(1)
    pets, tools = ({noun.noun for noun in site.name([image])[0].nouns} for site in sites)
    assert pets == {"cat", "dog"}
    assert tools == {"ladder", "bucket", "tripod"}


def test_an_open_embedder_that_is_not_the_decoders_is_refused(embedder: StarterEmbedder):
    options = ModelOptions(embedder="openclip:timm/ViT-B-16-SigLIP")
    with pytest.raises(BundleError, match=r"reads vectors of 'openclip:.*', but .* is 'starter'"):
        load_model(None, CPU, options, embedder=embedder)


def test_an_embedder_of_another_width_is_refused(embedder: StarterEmbedder):
    class Narrow(StarterEmbedder):
        width = 128

    decoder = open_decoder(load_bundle(starter_bundle_path()))
    with pytest.raises(BundleError, match=r"reads 384 components of 'starter', but .* gives 128"):
        NounModel(Narrow(), decoder)
