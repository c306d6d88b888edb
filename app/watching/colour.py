"""A camera that goes over to grey at night and back."""

import cv2
import numpy as np

from detectors.learned import LearnedView
from detectors.types import Frame, Pixels

_GREY = 3.0
"""Mean distance between the channels of a picture without colour, at most."""
_COLOURFUL = 7.5
"""... and of pictures before, at least: dusk alone takes colour away bit by bit."""
_BACK = 0.5
"""Colour is back at so much of it."""
_FOLLOW = 0.05
"""How quickly what is usual follows the light of the day, of every frame."""


class ColourCheck:
    """Tells when a camera that shows colours shows none."""

    def __init__(self, view: LearnedView | None = None) -> None:
        """Begin with the colours of the learned view, or of the first frame."""
        self._lost = False
        self._usual = None if view is None else colour_of(view.picture)

    def lost_in(self, frame: Frame) -> bool:
        """Whether the next frame, RGB uint8 [H, W, 3], has lost its colour."""
        colour = colour_of(frame.image)
        usual = self._usual if self._usual is not None else colour
        if self._lost:
            self._lost = colour < _BACK * usual
        elif usual >= _COLOURFUL and colour <= _GREY:
            self._lost = True
        else:
            self._usual = usual + _FOLLOW * (colour - usual)
        return self._lost


def colour_of(image: Pixels) -> float:
    """How far apart the channels of an image [H, W, 3] are on average, 0 to 255."""
    # Averaged over a few large cells, or noise of the channels would count as colour.
    cells = cv2.resize(image, (16, 12), interpolation=cv2.INTER_AREA).astype(np.int16)
    return float((cells.max(axis=2) - cells.min(axis=2)).mean())
