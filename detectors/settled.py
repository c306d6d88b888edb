"""What was found out about a place holds for as long as the place shows the same."""

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.types import Box, Pixels

MOST = 48
"""So many places are known, the newest."""
SAME_BOX = 0.8
"""Boxes are of one place that overlap so much (IoU), ..."""
SAME_LEVELS = 4.0
"""... and it shows the same while no cell of it differs by more grey levels: noise of a dark night
moves the mean of a cell by 1, a key frame by 2, a leaf on its way by 10 and more."""
_CELL = 8
"""Pixels of a cell's side."""


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    box: Box
    around: Box
    """What is compared of it, in pixels of the frame."""
    look: NDArray[np.float32]
    """Means of its cells, RGB [h, w, 3]."""
    answer: bool


class Settled:
    """Answers about places of one view, which cost too much to be worked out for each frame."""

    def __init__(self) -> None:
        """Begin with none."""
        self._places: deque[_Place] = deque(maxlen=MOST)

    def answer(self, box: Box, image: Pixels) -> bool | None:
        """What was found out of a place that still shows the same; None if nothing was.

        Args:
            box: In pixels of the frame.
            image: The frame, RGB uint8 [H, W, 3].
        """
        for place in reversed(self._places):
            if place.box.iou(box) >= SAME_BOX and self._shows_the_same(place, image):
                return place.answer
        return None

    def settle(self, box: Box, image: Pixels, answer: bool) -> None:
        """Note what was found out of a place; arguments as for `answer`."""
        around = box.grown(0.1, (image.shape[0], image.shape[1]))
        self._places.append(_Place(box, around, _look(around, image), answer))

    def forget(self) -> None:
        """Work all out anew: more is known than when it was found out."""
        self._places.clear()

    @staticmethod
    def _shows_the_same(place: _Place, image: Pixels) -> bool:
        now = _look(place.around, image)
        return bool(np.abs(now - place.look).max() <= SAME_LEVELS)


def _look(box: Box, image: Pixels) -> NDArray[np.float32]:
    """Means of the cells of a part of a frame, [h, w, 3]."""
    part = box.cut(image)
    size = (max(1, part.shape[1] // _CELL), max(1, part.shape[0] // _CELL))
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA).astype(np.float32)
