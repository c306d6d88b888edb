"""A threshold from the largest map values of normal frames."""

import math

import numpy as np
from numpy.typing import NDArray

_EULER = 0.5772156649
_BLOCK = 4
"""Held-out pictures per block maximum: about one frame and its variations."""


def held_out_threshold(scores: NDArray[np.float32], false_rate: float) -> float:
    """The threshold that normal pictures exceed with probability `false_rate`.

    Args:
        scores: Largest map value of every held-out picture [n], n at least 2, in the order they
            were taken.
        false_rate: Wanted share above the threshold.
    """
    blocks = np.array_split(scores, max(2, len(scores) // _BLOCK))
    maxima = np.array([block.max() for block in blocks])
    return gumbel_threshold(maxima, len(scores) / len(blocks), false_rate)


def gumbel_threshold(
    maxima: NDArray[np.floating], frames_per_maximum: float, false_rate: float
) -> float:
    """The value that a normal frame exceeds with probability `false_rate`.

    Fits a Gumbel distribution to block maxima by L-moments (Hosking 1990, table 1), which small
    samples bear better than maximum likelihood. Neighbouring frames are alike, so each maximum
    must already stand for a block of them (Coles 2001, section 5.3).

    Args:
        maxima: Largest value of each block [n], n at least 2.
        frames_per_maximum: How many independent frames a block stands for.
        false_rate: Wanted share of normal frames above the threshold.

    Raises:
        ValueError: If there are fewer than two maxima.
    """
    if len(maxima) < 2:
        raise ValueError(f"a tail needs at least 2 block maxima, got {len(maxima)}")
    ordered = np.sort(np.asarray(maxima, np.float64))
    count = len(ordered)
    weights = np.arange(count) / (count - 1)
    mean = float(ordered.mean())
    second = float(2 * (weights * ordered).mean() - mean)
    # Two or three maxima can agree by chance; no real view's frames agree to 2%.
    scale = max(second / math.log(2), 0.02 * mean)
    location = mean - _EULER * scale
    kept = (1 - false_rate) ** frames_per_maximum
    return location - scale * math.log(-math.log(kept))


def checked_threshold(threshold: float) -> float:
    """A threshold that maps can be divided by.

    Raises:
        ValueError: If it is not above 0 and finite.
    """
    if not 0 < threshold < math.inf:
        raise ValueError(f"threshold {threshold:g}: must be above 0 and finite")
    return threshold
