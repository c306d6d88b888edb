"""Small pictures' vectors, the same everywhere: sines need no random numbers of any library."""

import numpy as np
from numpy.typing import NDArray

from calibration.scores.protocol import Pictures

type Rows = NDArray[np.float64]


def sines(count: int, width: int, step: float) -> Rows:
    """Unit vectors without a pattern [N, F]."""
    at = np.arange(count * width, dtype=np.float64)
    return unit(np.sin(at * step + at**2 * 0.013).reshape(count, width))


def unit(rows: Rows) -> Rows:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def two_kinds() -> tuple[Rows, NDArray[np.int64]]:
    """40 unit vectors of six components in two classes."""
    classes = np.arange(40) % 2
    apart = np.where(classes[:, None] == 1, 0.5, -0.5) * np.array([1, 1, 0, 0, 0, 0])
    return unit(sines(40, 6, 0.9) + apart), classes


QUERIES = sines(3, 6, 2.3)
TEXTS = sines(4, 6, 0.31)
LOGITS = np.sin(np.arange(24) * 1.7).reshape(4, 6) * 3


def cloud(count: int, seed: int, width: int = 8, kinds: int = 3, apart: float = 1.0) -> Pictures:
    """Unit vectors around as many directions as there are kinds, with labels."""
    rng = np.random.default_rng(seed)
    centres = np.eye(width)[:kinds] * apart
    labels = np.arange(count) % kinds
    return Pictures(unit(centres[labels] + rng.normal(0, 0.15, (count, width))), labels)


def elsewhere(count: int, seed: int, width: int = 8) -> Pictures:
    """Unit vectors around a direction that no kind of `cloud` has."""
    rng = np.random.default_rng(seed)
    return Pictures(unit(np.eye(width)[-1] + rng.normal(0, 0.3, (count, width))))
