"""A camera that goes over to grey at night and back, and what that alone makes unusual."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.types import Box, Frame, Pixels

_GREY = 3.0
"""Mean distance between the channels of a picture without colour, at most."""
_COLOURFUL = 7.5
"""... and of pictures before, at least: dusk alone takes colour away bit by bit."""
_BACK = 0.5
"""Colour is back at so much of it."""
_FOLLOW = 0.05
"""How quickly what is usual follows the light of the day, of every frame."""
_SETTLE_S = 1.0
_SETTLE_FRAMES = 5
"""What is unusual in the first pictures without colour is so because of the change itself."""
_MARGIN = 1.25
"""Above that a thing must be, as its parts are above the threshold otherwise."""


class ColourCheck:
    """Divides the maps of grey pictures by what the loss of colour alone has made unusual.

    What was followed before the change is left as it is: it was there before.
    """

    def __init__(self) -> None:
        self.lost = False
        """Whether a camera that showed colours shows none now."""
        self._usual: float | None = None
        self._since_s = 0.0
        self._frames = 0
        self._spared = np.zeros((0, 0), np.bool_)
        """Cells [h, w] where something was found before."""
        self._alone = np.zeros((0, 0), np.float32)
        """How unusual the change alone has made each cell [h, w]."""

    def see(
        self, frame: Frame, heat: NDArray[np.float32], followed: Iterable[Box]
    ) -> NDArray[np.float32]:
        """Take the next frame.

        Args:
            frame: RGB uint8 [H, W, 3].
            heat: Its anomaly map [h, w], 1.0 where just unusual.
            followed: Where things are that were found before, pixels of the frame.

        Returns:
            The map, 1.0 where just unusual for a picture without colour.
        """
        colour = colour_of(frame.image)
        usual = self._usual if self._usual is not None else colour
        if self.lost:
            self.lost = colour < _BACK * usual
        elif usual >= _COLOURFUL and colour <= _GREY:
            self.lost, self._since_s, self._frames = True, frame.pts_s, 0
            self._spared, self._alone = _cells(followed, heat.shape, frame), np.zeros_like(heat)
        else:
            self._usual = usual + _FOLLOW * (colour - usual)
        return self._without_the_change(frame, heat) if self.lost else heat

    def _without_the_change(self, frame: Frame, heat: NDArray[np.float32]) -> NDArray[np.float32]:
        settling = frame.pts_s - self._since_s < _SETTLE_S or self._frames < _SETTLE_FRAMES
        self._frames += 1
        if settling:
            # A map is smooth: what is unusual beside a cell may come to it with the next noise.
            self._alone = np.maximum(self._alone, cv2.dilate(heat, np.ones((3, 3), np.uint8)))
        divided = heat / np.maximum(1, _MARGIN * self._alone)
        return np.where(self._spared, heat, divided).astype(np.float32)


def colour_of(image: Pixels) -> float:
    """How far apart the channels of an image [H, W, 3] are on average, 0 to 255."""
    # Averaged over a few large cells, or noise of the channels would count as colour.
    cells = cv2.resize(image, (16, 12), interpolation=cv2.INTER_AREA).astype(np.int16)
    return float((cells.max(axis=2) - cells.min(axis=2)).mean())


def _cells(boxes: Iterable[Box], shape: tuple[int, ...], frame: Frame) -> NDArray[np.bool_]:
    """The cells of a map [h, w] that boxes in a frame touch, and those beside them."""
    height, width = frame.image.shape[:2]
    down, across = shape[0] / height, shape[1] / width
    cells = np.zeros(shape, np.bool_)
    for box in boxes:
        rows = slice(max(0, int(box.y1 * down) - 1), int(np.ceil(box.y2 * down)) + 1)
        columns = slice(max(0, int(box.x1 * across) - 1), int(np.ceil(box.x2 * across)) + 1)
        cells[rows, columns] = True
    return cells
