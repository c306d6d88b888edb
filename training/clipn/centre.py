"""What all vectors have in common, and which is taken off before a head looks at them."""

import numpy as np
from numpy.typing import NDArray

from novic.embedder import Embedder, Vectors
from novic.embedders.starter import StarterEmbedder, load_class_vectors


def centre_of(embedder: Embedder, texts: Vectors) -> NDArray[np.float32]:
    """The centre of an embedder's space.

    The starter's images are mixtures of the vectors of its classes, so it is the mean of these; of
    any other embedder it is the mean of the texts.

    Args:
        embedder: The embedder.
        texts: Unit vectors of the texts that are learnt [M, F].

    Returns:
        [F], float32.
    """
    known = load_class_vectors() if isinstance(embedder, StarterEmbedder) else texts
    return known.mean(axis=0, dtype=np.float64).astype(np.float32)
