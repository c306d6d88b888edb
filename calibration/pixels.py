"""How well maps part the pixels of defects from the others: AUROC, AUPRO and F1.

Values are counted in bins, so that thousands of large maps take no memory and images can be drawn
again for an interval. A map's values are over their threshold, so the bins lie evenly on a
logarithm around 1; each is half a per cent wide.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.ranking import bounded
from novic.intervals import Estimate

BINS = 4096
REACH = 2.0**15
"""Values from its inverse to it are told apart."""
MOST_FALSE = 0.3
"""AUPRO counts false positive rates up to here (Bergmann et al. 2020, MVTec AD)."""
RESAMPLES = 200

type Counts = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PixelFigures:
    """Figures over all pixels of some images."""

    auroc: Estimate
    """Pixels of defects against all others."""
    aupro: Estimate
    """Mean share of a defect that is covered, over false positive rates up to MOST_FALSE."""
    f1: Estimate
    """The best that one threshold for all pixels gives."""


@dataclass(slots=True, eq=False)
class PixelCounts:
    """Counts of the images so far."""

    _good: list[Counts] = field(default_factory=list)
    _bad: list[Counts] = field(default_factory=list)
    _covered: list[Counts] = field(default_factory=list)
    """Summed over the defects of an image, each with the weight 1."""
    _defects: list[int] = field(default_factory=list)

    def add(self, heat: NDArray[np.float32], mask: NDArray[np.bool_]) -> None:
        """Count one image.

        Args:
            heat: Its map [h, w], above 0, 1.0 where just unusual; brought to the mask's size.
            mask: Where its defects are [H, W]; connected pixels are one, diagonals included.
        """
        height, width = mask.shape
        known = np.nan_to_num(heat, nan=0.0, posinf=REACH, neginf=0.0)
        values = cv2.resize(known, (width, height), interpolation=cv2.INTER_LINEAR)
        places = _bins(np.asarray(values, np.float32))
        self._good.append(_counted(places[~mask]))
        self._bad.append(_counted(places[mask]))
        count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
        covered = np.zeros(BINS, np.float32)
        for label in range(1, count):
            inside = places[labels == label]
            covered += _counted(inside) / len(inside)
        self._covered.append(covered)
        self._defects.append(count - 1)

    @classmethod
    def joined(cls, parts: "Iterable[PixelCounts]") -> "PixelCounts":
        """The counts of several."""
        counts = cls()
        for part in parts:
            counts._good += part._good
            counts._bad += part._bad
            counts._covered += part._covered
            counts._defects += part._defects
        return counts

    def figures(self, seed: int = 0) -> PixelFigures | None:
        """What the images give, with 95% intervals over images; None without a defect."""
        if not sum(self._defects):
            return None
        good, bad, covered = (np.stack(counts) for counts in (self._good, self._bad, self._covered))
        defects = np.array(self._defects, np.float64)
        images = len(defects)
        rng = np.random.default_rng(seed)
        drawn = rng.multinomial(images, np.full(images, 1 / images), size=RESAMPLES)
        weights = np.concatenate([np.ones((1, images)), drawn]).astype(np.float32)
        # Without a defect, or without a good pixel, there is nothing to measure.
        kept = (weights @ defects > 0) & (weights @ good.sum(axis=1) > 0)
        rows = [
            _figures(weight @ good, weight @ bad, weight @ covered / (weight @ defects))
            for weight in weights[kept]
        ]
        first, again = rows[0], np.array(rows[1:] or rows)
        return PixelFigures(*(bounded(first[i], again[:, i], images) for i in range(3)))


def _bins(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """The bin of each value, higher values in later ones."""
    share = np.log2(np.clip(values, 1 / REACH, REACH)) / np.log2(REACH)
    return np.minimum((share + 1) / 2 * BINS, BINS - 1).astype(np.int64)


def _counted(places: NDArray[np.int64]) -> Counts:
    return np.bincount(places, minlength=BINS).astype(np.float32)


def _figures(good: Counts, bad: Counts, covered: Counts) -> tuple[float, float, float]:
    """AUROC, AUPRO and F1 of counts by bin, `covered` summing to 1."""
    false = np.concatenate([[0.0], np.cumsum(good[::-1], dtype=np.float64)])
    found = np.concatenate([[0.0], np.cumsum(bad[::-1], dtype=np.float64)])
    overlap = np.concatenate([[0.0], np.cumsum(covered[::-1], dtype=np.float64)])
    f1 = 2 * found / (found + false + found[-1])
    rate = false / false[-1]
    area = float(np.trapezoid(found / found[-1], rate))
    return area, _area_up_to(rate, overlap, MOST_FALSE), float(f1.max())


def _area_up_to(rate: NDArray[np.float64], overlap: NDArray[np.float64], most: float) -> float:
    """Mean overlap over rates from 0 to `most`; both rise together."""
    inside = rate < most
    last = float(np.interp(most, rate, overlap))
    rates = np.concatenate([rate[inside], [most]])
    return float(np.trapezoid(np.concatenate([overlap[inside], [last]]), rates)) / most
