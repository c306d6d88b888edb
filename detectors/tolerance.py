"""Where a view may differ more than elsewhere, because it does so while all is normal.

A car that passes every dozen seconds while a camera learns must neither alarm at its next pass nor
raise the threshold of the rest of the view. What passes once alone is left unusual: it was no part
of the normal view, but somebody walking through.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.tails import held_out_threshold

type Maps = NDArray[np.float32]
"""Map values before any threshold [N, h, w], in the order in which the frames were taken."""

PARTS = 8
"""The footage is parted in so many; what stirs in two that lie apart belongs to the view."""
OUTLYING = 4.0
"""Cells are restless whose largest values lie so many spreads above the view's usual ..."""
LEAST_OUTLYING = 1.8
"""... and so many times, at least."""
REACH = 2
"""Cells around a restless one that may be as restless: a thing passes a little beside."""
MOST_RESTLESS = 0.5
"""Of a view; where more is restless there is no calm part to compare with."""
STIRRING = 0.8
"""Share of the threshold from which a cell stirs that was looked at frame by frame, ..."""
BORNE = 0.6
"""... and what is left there of what it reached: as much as calm views come to."""


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """What the maps of normal pictures come to."""

    threshold: float
    """Value that counts as 1.0 where the view is calm."""
    tolerance: NDArray[np.float32]
    """How much more is borne at each cell [h, w], at least 1."""
    peak: float
    """Largest value of real pictures over threshold and tolerance, what happened once left out."""


def usual(real: Maps, varied: Maps, false_rate: float, *, tolerant: bool = True) -> Usual:
    """What is usual at a view.

    Args:
        real: Of real frames alone, at least two, fitted and held out.
        varied: Of held-out pictures and variations of them, at least two, harsher than life.
        false_rate: Share of these that may exceed the threshold.
        tolerant: Whether anything is borne anywhere, and kept out of the threshold.
    """
    real, varied = _finite(real), _finite(varied)
    parts = np.array_split(real, min(PARTS, len(real)))
    reached = {number: _near(part.max(axis=0)) for number, part in enumerate(parts)}
    once = np.max(list(reached.values()), axis=0)
    twice = _twice(reached) if len(parts) == PARTS else None
    twice = once if twice is None else twice
    calm = _calm(once) if tolerant else np.ones(once.shape, np.bool_)
    threshold = held_out_threshold(varied[:, calm].max(axis=1), false_rate)
    peak = max(float(twice[calm].max()), 1e-3 * threshold)
    restless = ~_calm(twice) if tolerant else ~calm
    borne = _borne(_widened(twice) / np.float32(max(peak, BORNE * threshold)), restless)
    return Usual(threshold, borne, peak / threshold)


class Stirring:
    """Where a view stirs, from all frames of its normal footage in which anything moves.

    A fit sees a frame now and then. A car that passes is then known at some places of its road
    alone, and would alarm between them.
    """

    def __init__(self) -> None:
        """Begin without frames."""
        self._parts: dict[int, NDArray[np.float32]] = {}

    def add(self, maps: Maps, part: int) -> None:
        """Take maps [B, h, w] over the threshold, of one of the PARTS of the footage."""
        highest = _near(_finite(maps).max(axis=0))
        before = self._parts.get(part)
        self._parts[part] = highest if before is None else np.maximum(before, highest)

    def tolerance(self) -> NDArray[np.float32] | None:
        """What has to be borne at each cell [h, w], at least 1; None if nothing stirs twice.

        Nor where more than half of the view stirs: there the threshold has to do.
        """
        twice = _twice(self._parts)
        if twice is None:
            return None
        # Between frames that were all looked at, nothing passes further beside than a cell.
        stirring = _near((twice > STIRRING).astype(np.float32)) > 0
        if not 0 < stirring.mean() <= MOST_RESTLESS:
            return None
        return _borne(_near(twice) / np.float32(BORNE), stirring)


def _borne(times: NDArray[np.float32], where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """A tolerance [h, w] that brings what was reached down to 1 at some cells, and fades out."""
    borne = np.where(where, np.maximum(1, times), 1).astype(np.float32)
    return np.maximum(borne, cv2.GaussianBlur(borne, (0, 0), 1.0)).astype(np.float32)


def checked_tolerance(tolerance: Maps) -> NDArray[np.float32]:
    """A tolerance [h, w] that a file tells.

    Raises:
        ValueError: If it is none.
    """
    if tolerance.ndim != 2 or not np.isfinite(tolerance).all() or tolerance.min(initial=1) < 1:
        raise ValueError(f"tolerance {tolerance.shape}: must be [h, w] and at least 1 everywhere")
    return tolerance.astype(np.float32)


def _twice(parts: Mapping[int, NDArray[np.float32]]) -> NDArray[np.float32] | None:
    """The value of each cell [h, w] that was reached in two parts of the footage that lie apart.

    Who stands there while one part ends and the next begins was there once. None without two parts
    that lie apart.
    """
    pairs = [
        np.minimum(one, other)
        for (number, one), (later, other) in combinations(
            sorted(parts.items(), key=lambda part: part[0]), 2
        )
        if later - number >= 2
    ]
    return np.max(pairs, axis=0).astype(np.float32) if pairs else None


def _near(highest: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest value at or beside each cell [h, w]."""
    return np.asarray(cv2.dilate(highest, np.ones((3, 3), np.uint8)), np.float32)


def _calm(highest: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Cells [h, w] that do not stick out, and lie beside none; all where there are too few."""
    logs = np.log(np.maximum(highest, 1e-12))
    usual = float(np.median(logs))
    spread = 1.4826 * float(np.median(np.abs(logs - usual)))
    out = logs > usual + max(OUTLYING * spread, np.log(LEAST_OUTLYING))
    calm = _widened(out.astype(np.float32)) == 0
    return calm if calm.mean() >= 1 - MOST_RESTLESS else np.ones_like(calm)


def _widened(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest value around each cell [h, w]."""
    side = 2 * REACH + 1
    return np.asarray(cv2.dilate(values, np.ones((side, side), np.uint8)), np.float32)


def _finite(maps: Maps) -> Maps:
    return np.nan_to_num(maps.astype(np.float32), nan=0.0, posinf=1e6, neginf=0.0)
