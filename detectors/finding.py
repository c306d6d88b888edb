"""From an anomaly map and its frame to detections, for cameras, calibration and benchmarks."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detectors.boxes import MOST, find_boxes
from detectors.learned import LearnedView
from detectors.patches import shows_something
from detectors.swaying import Swaying
from detectors.tight import tightened
from detectors.types import Box, Detection, Frame, Pixels

COVERED = 0.8
"""Boxes of which one covers so much of the other are one, ..."""
LARGER = 5.0
"""... unless it is so many times larger: then the other is something in front of it."""


class Finder:
    """Finds the regions of a camera's frames that do not belong."""

    def __init__(self, view: LearnedView | None = None) -> None:
        """Begin.

        Args:
            view: What the camera usually shows; None if that is not known.
        """
        self.view = view
        self._swaying = None if view is None else Swaying(view)

    def remember(self, frame: Frame, followed: Iterable[Box]) -> None:
        """Take a frame of the view, to know later what sways; see `Swaying.remember`."""
        if self._swaying is not None:
            self._swaying.remember(frame, followed)

    def find(
        self,
        heat: NDArray[np.float32],
        image: Pixels,
        mask: NDArray[np.bool_] | None = None,
        most: int = MOST,
    ) -> list[Detection]:
        """Find what does not belong in one frame.

        Args:
            heat: Its anomaly map [h, w] that covers the frame, 1.0 where it is just unusual.
            image: The frame, RGB uint8 [H, W, 3].
            mask: Cells that are watched [h, w]; None watches all.
            most: How many regions of the map are looked at, the strongest.

        Returns:
            Detections in pixels of the frame, highest score first.

        Raises:
            ValueError: If the mask has another shape than the map.
        """
        found = find_boxes(heat, image.shape[:2], mask=mask, most=most)
        view = self.view
        if view is None or self._swaying is None:
            return found
        seen = [one for one in found if shows_something(one, heat, image, view)]
        tight = [part for one in seen for part in tightened(one, heat, image, view)]
        strongest = sorted(tight, key=lambda one: -one.score)
        return _distinct(self._swaying.without(strongest, image))


def _distinct(found: Sequence[Detection]) -> list[Detection]:
    """Unite what shows the same: two peaks of a map may be one thing in pixels.

    Args:
        found: The strongest first, which they stay.
    """
    kept: list[Detection] = []
    for one in found:
        same = next((i for i, other in enumerate(kept) if _same(one.box, other.box)), None)
        if same is None:
            kept.append(one)
        else:
            kept[same] = replace(kept[same], box=kept[same].box.union(one.box))
    return kept


def _same(one: Box, other: Box) -> bool:
    smaller, larger = sorted((one.area, other.area))
    return one.overlap(other) >= COVERED * smaller and larger <= LARGER * smaller
