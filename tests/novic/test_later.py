"""An embedder that comes later: nobody builds it before, and whoever needs it gets it."""

import numpy as np
import pytest
import torch

from novic.embedder import EmbedderError
from novic.embedders.starter import StarterEmbedder
from novic.later import LaterEmbedder
from novic.model import load_model

IMAGE = np.full((40, 30, 3), 120, np.uint8)


def test_it_is_built_when_it_is_asked_for_and_then_gives_the_same():
    built: list[StarterEmbedder] = []

    def build() -> StarterEmbedder:
        built.append(StarterEmbedder())
        return built[-1]

    later = LaterEmbedder("starter", StarterEmbedder.width, build)
    assert (later.ready, built) == (False, [])
    vectors = later.embed_images([IMAGE])
    assert later.ready
    later.begin()
    assert len(built) == 1
    np.testing.assert_array_equal(vectors, built[0].embed_images([IMAGE]))
    assert later.identity() == built[0].identity()


def test_what_kept_it_from_being_built_is_told_to_whoever_asks():
    def build() -> StarterEmbedder:
        raise EmbedderError("weights missing")

    later = LaterEmbedder("starter", StarterEmbedder.width, build)
    with pytest.raises(EmbedderError, match="weights missing"):
        later.embed_images([IMAGE])
    with pytest.raises(EmbedderError, match="weights missing"):
        _ = later.ready


def test_one_of_another_width_is_refused():
    later = LaterEmbedder("other", 17, StarterEmbedder)
    with pytest.raises(EmbedderError, match=r"'other' gives 384 components, .* reads 17: use the"):
        later.embed_texts([])


def test_a_model_names_alike_whether_its_embedder_comes_at_once_or_later():
    cpu = torch.device("cpu")
    at_once, later = (load_model(None, cpu, many_images=True, later=one) for one in (False, True))
    assert (at_once.ready, later.ready) == (True, False)
    assert isinstance(later.embedder, LaterEmbedder)
    assert later.persons is None
    later.begin()
    [expected], [found] = (one.name([IMAGE]) for one in (at_once, later))
    assert found.nouns == expected.nouns
    assert (later.ready, later.persons) == (True, at_once.persons)
