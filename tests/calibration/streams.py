"""Scores of a view whose tail is known."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import norm

from calibration.tail import Scores, scores_of

RATE = 5.0


def stream(hours: float, seed: int, tail: str = "exponential") -> Scores:
    """Scores 5 times a second, each like the one before (AR(1) of .95), with the tail named."""
    rng = np.random.default_rng(seed)
    count = int(hours * 3600 * RATE)
    noise = rng.normal(size=count + 500)
    filtered = lfilter([np.sqrt(1 - 0.95**2)], [1, -0.95], noise)
    walk: NDArray[np.float64] = np.asarray(filtered, np.float64)[500:]
    values = -norm.logsf(walk) if tail == "exponential" else walk
    return scores_of(np.arange(count) / RATE, values, hours)
