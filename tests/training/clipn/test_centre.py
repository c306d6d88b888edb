"""What is taken off all vectors."""

import numpy as np

from novic.embedders.starter import StarterEmbedder, load_class_vectors
from tests.training.hashed import HashedEmbedder
from training.clipn.centre import centre_of


def test_it_is_the_mean_of_the_texts_and_the_starters_that_of_its_classes():
    embedder = HashedEmbedder(width=384)
    texts = embedder.embed_texts(["cup", "dog", "bus"])
    np.testing.assert_allclose(centre_of(embedder, texts), texts.mean(axis=0), atol=1e-7)
    found = centre_of(StarterEmbedder(), texts)
    np.testing.assert_allclose(found, load_class_vectors().mean(axis=0), atol=1e-6)
    assert found.dtype == np.float32
