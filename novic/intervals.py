"""Means over images with bootstrap intervals (Efron and Tibshirani 1993, chapter 13); shares."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
CONFIDENCE = 0.95
NORMAL_95 = 1.959964
"""Standard deviations of a 95% interval."""

type Values = NDArray[np.float64]
"""One value per image [N]."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over images with its 95% interval, all as shares of 1."""

    value: float
    low: float
    high: float
    images: int
    """How many it is a mean of."""

    def as_json(self) -> dict[str, float | int]:
        """In percent, as all published tables are."""
        percent = {key: round(100 * getattr(self, key), 4) for key in ("value", "low", "high")}
        return {**percent, "images": self.images}


def estimate(values: Values, seed: int = 0) -> Estimate | None:
    """Mean of one value per image, with a bootstrap interval over images.

    Resampling images means drawing how often each *distinct* value comes up, so the cost does not
    grow with the images.

    Args:
        values: Without NaN.
        seed: Of the resampling; the same values and seed give the same interval.

    Returns:
        The estimate; None without values.
    """
    if not len(values):
        return None
    low, high = np.quantile(_resampled_means(values, seed), _tails())
    return Estimate(float(values.mean()), float(low), float(high), len(values))


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better one model is than another on the same images, as shares of 1."""

    value: float
    low: float
    high: float
    images: int
    p_value: float
    """How often chance alone would make a difference this far from 0, both ways."""

    def as_json(self) -> dict[str, float | int]:
        """In percent points; the p-value as it is."""
        points = {key: round(100 * getattr(self, key), 4) for key in ("value", "low", "high")}
        return {**points, "images": self.images, "p_value": self.p_value}


def compare(
    values: Mapping[str, float], others: Mapping[str, float], seed: int = 0
) -> Difference | None:
    """Paired bootstrap of one model's values against another's, over the images that both have.

    Images are drawn together with both their values, so what makes an image hard for both models
    cancels out.

    Args:
        values: By image.
        others: By image.
        seed: Of the resampling.

    Returns:
        The difference; None if there is no image that both have.
    """
    both = [image for image in values if image in others]
    if not both:
        return None
    # Rounded so that 0.8 - 0.3 and 0.5 are one value.
    apart = np.array([values[image] - others[image] for image in both]).round(12)
    means = _resampled_means(apart, seed)
    low, high = np.quantile(means, _tails())
    ways = min(int((means <= 0).sum()), int((means >= 0).sum()))
    # One is added, as a resample can always be the data themselves.
    p_value = min(1.0, 2 * (ways + 1) / (RESAMPLES + 1))
    return Difference(float(apart.mean()), float(low), float(high), len(both), p_value)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95% interval of a share (Wilson 1927), which holds for few things too.

    Args:
        hits: How many were, 0 to `of`.
        of: Of how many.

    Returns:
        Lowest and highest share, 0 to 1; all of 0 to 1 of nothing.
    """
    if not of:
        return 0.0, 1.0
    share, spread = hits / of, NORMAL_95**2 / of
    middle = (share + spread / 2) / (1 + spread)
    half = sqrt(share * (1 - share) * spread + spread**2 / 4) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _resampled_means(values: Values, seed: int) -> NDArray[np.float64]:
    """Means of RESAMPLES samples drawn from the values with replacement."""
    distinct, counts = np.unique(values, return_counts=True)
    draws = np.random.default_rng(seed).multinomial(
        len(values), counts / len(values), size=RESAMPLES
    )
    return draws @ distinct / len(values)


def _tails() -> tuple[float, float]:
    return (1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2
