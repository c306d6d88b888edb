"""Vectors whose losses and scores were worked out with the authors' own functions."""

import numpy as np
from numpy.typing import NDArray

type Rows = NDArray[np.float64]


def fixed_vectors() -> tuple[Rows, Rows, Rows]:
    """Unit vectors of three images, their texts and the "no" of these."""
    images = [[1, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 0]]
    texts = [[1, 1, 0, 1], [0, 1, 2, 0], [1, 0, 1, 1]]
    no_texts = [[1, -1, 1, 0], [2, 1, 0, 0], [0, 1, 1, -1]]
    found = [np.asarray(rows, np.float64) for rows in (images, texts, no_texts)]
    one, two, three = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in found)
    return one, two, three
