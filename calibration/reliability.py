"""What a probability is worth: how often what it says is right, and what is right among the surest.

Expected calibration error (ECE, Guo et al. 2017) has bins of equal numbers, so that few things make
no empty ones. Risk and coverage: El-Yaniv and Wiener 2010.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 10

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bin:
    """Things of about the same p."""

    p: float
    """Their mean p, 0 to 1."""
    right: float
    """Share of them that is right, 0 to 1."""
    count: int


def bins(p: ArrayLike, right: ArrayLike, count: int = BINS) -> list[Bin]:
    """Things in the order of p, in bins of equal numbers.

    Args:
        p: What was said of each [N], 0 to 1.
        right: Whether it was right [N], 0 or 1.
        count: Bins, fewer where there are fewer things.
    """
    said, true = _checked(p, right)
    order = np.argsort(said, kind="stable")
    parts = np.array_split(order, min(count, max(1, len(order))))
    return [
        Bin(float(said[part].mean()), float(true[part].mean()), len(part))
        for part in parts
        if len(part)
    ]


def ece(p: ArrayLike, right: ArrayLike, count: int = BINS) -> float:
    """Mean distance of p from the share that is right, over bins; NaN without things."""
    found = bins(p, right, count)
    total = sum(one.count for one in found)
    if not total:
        return float("nan")
    return sum(abs(one.p - one.right) * one.count for one in found) / total


def risk_coverage(p: ArrayLike, right: ArrayLike) -> tuple[Floats, Floats]:
    """Share of things that are told if only the surest are, and the share of these that is wrong.

    Things of equal p are told together.

    Returns:
        Coverage, rising to 1, and risk, both [at most N].
    """
    said, true = _checked(p, right)
    order = np.argsort(-said, kind="stable")
    wrong = np.cumsum(1 - true[order])
    told = np.arange(1, len(order) + 1)
    last = np.append(np.diff(said[order]) != 0, True)[: len(order)]
    return told[last] / max(1, len(order)), (wrong / told)[last]


def _checked(p: ArrayLike, right: ArrayLike) -> tuple[Floats, Floats]:
    """Both as float64 [N].

    Raises:
        ValueError: If they are not of one length, not finite, or no probabilities.
    """
    said, true = np.asarray(p, np.float64), np.asarray(right, np.float64)
    if said.ndim != 1 or said.shape != true.shape:
        raise ValueError(f"needs one truth for each p, these are {said.shape} and {true.shape}")
    if len(said) and not (np.isfinite(said).all() and said.min() >= 0 and said.max() <= 1):
        raise ValueError("p must be numbers from 0 to 1")
    return said, true
