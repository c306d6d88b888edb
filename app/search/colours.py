"""Which colours a thing has, by name, from the pixels of its crop.

The vectors of the starter know nothing of colour, so it is looked at when somebody asks. A pixel is
named by its hue, saturation and value; the share of a colour in the middle of the crop counts, less
what of it the margin around the thing shows too.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

LOOKED_AT = 96
"""Longer side of the crop that is looked at, in pixels."""
SHOWS = 0.12
"""Share of a thing from which on it is said to have a colour."""
_MARGIN = 0.1
"""Share of a crop's sides that is surely around the thing (`app.events.media.CONTEXT_MARGIN`)."""
_HUES = (
    ("red", 0, 8),
    ("orange", 8, 20),
    ("yellow", 20, 34),
    ("green", 34, 86),
    ("blue", 86, 128),
    ("purple", 128, 150),
    ("pink", 150, 170),
    ("red", 170, 181),
)
"""Half degrees of OpenCV's hue, from and to."""


def colour_shares(crop: Path) -> Mapping[str, float]:
    """How much of a thing each colour is, 0 to 1, less what its surroundings show of it.

    Args:
        crop: A picture of the thing with a margin; what cannot be read has no colours.
    """
    try:
        return _shares(crop, crop.stat().st_mtime_ns)
    except OSError:
        return {}


@lru_cache(maxsize=4096)
def _shares(crop: Path, _modified: int) -> Mapping[str, float]:
    with Image.open(crop) as opened:
        opened.thumbnail((LOOKED_AT, LOOKED_AT))
        names = _named(np.asarray(opened.convert("RGB")))
    inside, around = _regions(names.shape)
    found = {}
    for name in np.unique(names[inside]).tolist():
        share = float((names[inside] == name).mean())
        found[name] = max(0.0, share - float((names[around] == name).mean()) / 2)
    return found


def _regions(shape: tuple[int, ...]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where the thing is, an ellipse in the middle, and where it is not."""
    height, width = shape
    y = (np.arange(height)[:, None] + 0.5) / height - 0.5
    x = (np.arange(width)[None] + 0.5) / width - 0.5
    half = 0.5 - _MARGIN
    around = (np.abs(y) > half) | (np.abs(x) > half)
    inside = (y / half) ** 2 + (x / half) ** 2 <= 1
    return inside, around


def _named(image: NDArray[np.uint8]) -> NDArray[np.str_]:
    """The name of each pixel's colour [H, W]."""
    hue, saturation, value = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
    names = np.full(hue.shape, "red", dtype="<U6")
    for name, start, end in _HUES:
        names[(hue >= start) & (hue < end)] = name
    warm = (hue < 20) | (hue >= 170)
    names[warm & (value < 150) & (saturation >= 60)] = "brown"
    names[(hue < 8) & (saturation >= 140) & (value >= 100)] = "red"
    names[warm & (value >= 170) & (saturation >= 40) & (saturation < 115)] = "pink"
    pale = saturation < 45
    names[pale] = "grey"
    names[pale & (value >= 190)] = "white"
    names[value < 50] = "black"
    return names
