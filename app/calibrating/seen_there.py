"""What is seen of a part of a view: how much light falls there, and how soft the lens draws it.

To tell softness, what is near the size of a few pixels is compared with what is larger. The same
picture, blurred on purpose, says what softness that comes to; where there is nothing to see but a
plain wall, none.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.types import Box, Pixels

BLURS_PX = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0)
"""Of a picture 640 wide, standard deviations that are tried."""
LEAST_PX = 2.0
"""Less is no softness: surfaces differ as much."""
_FINE, _COARSE = (1.0, 2.0), (4.0, 8.0)
_PART = 1 / 8
"""Share of the width over which a part is looked at."""
_SEEN = 1.5
"""Grey levels by which something must vary for a part to tell anything."""
_SHARP = 75
"""Percentile of all parts that counts as sharp."""

NEAR, BRIGHTEST = 0.15, 95
"""How light a place is, is told by this percentile within a share of the width around it."""

type _Map = NDArray[np.float32]


def softness(picture: Pixels) -> _Map:
    """By how much each pixel's surroundings are blurred: standard deviations in pixels, [H, W].

    Args:
        picture: RGB uint8 [H, W, 3].
    """
    unit = picture.shape[1] / 640
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    ratio, seen = _ratio(grey, unit)
    if not seen.any():
        return np.zeros_like(grey)
    known = [float(np.percentile(ratio[seen], _SHARP))]
    for blur in BLURS_PX[1:]:
        blurred, _ = _ratio(_blurred(grey, blur * unit), unit)
        known.append(min(known[-1], float(np.percentile(blurred[seen], _SHARP))))
    softer = np.interp(-ratio, -np.array(known), BLURS_PX)
    return np.where(seen & (softer >= LEAST_PX), softer * unit, 0).astype(np.float32)


def light_at(picture: Pixels, box: Box) -> float:
    """How bright the brightest is around a place, on all sides but the darkest.

    Beside the edge of the dark one side is bright, beside that of the light one is dark; neither
    says how much light falls on the place.

    Args:
        picture: RGB uint8 [H, W, 3].
        box: The place, pixels.

    Returns:
        Grey levels, 0 to 255.
    """
    rim = round(NEAR * picture.shape[1])
    x1, y1, x2, y2 = (int(edge) for edge in (box.x1, box.y1, box.x2, box.y2))
    sides = (
        (y1, y2, x1 - rim, x2),
        (y1, y2, x1, x2 + rim),
        (y1 - rim, y2, x1, x2),
        (y1, y2 + rim, x1, x2),
    )
    brightest = (
        np.percentile(picture[max(0, top) : low, max(0, left) : right].max(axis=2), BRIGHTEST)
        for top, low, left, right in sides
    )
    return float(sorted(brightest)[1])


def softest(of: _Map, box: Box) -> float:
    """The softness in the middle of a box, pixels."""
    y, x = int((box.y1 + box.y2) / 2), int((box.x1 + box.x2) / 2)
    return float(of[min(y, of.shape[0] - 1), min(x, of.shape[1] - 1)])


def _ratio(grey: _Map, unit: float) -> tuple[_Map, NDArray[np.bool_]]:
    """How much of a part varies finely, over coarsely, as a logarithm; and whether it tells."""
    side = max(3, round(_PART * grey.shape[1]))
    fine, coarse = (
        cv2.blur(_band(grey, low * unit, high * unit) ** 2, (side, side))
        for low, high in (_FINE, _COARSE)
    )
    ratio = np.log((fine + 1e-3) / (coarse + 1e-3))
    return ratio.astype(np.float32), coarse > _SEEN**2


def _band(grey: _Map, low: float, high: float) -> _Map:
    return _blurred(grey, low) - _blurred(grey, high)


def _blurred(grey: _Map, sigma: float) -> _Map:
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), sigma), np.float32)
