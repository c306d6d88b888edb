"""What is wrong with a single picture: it is empty, covered, or half of it was not decoded.

A picture alone is not enough: a view may be plain. Only what the detector finds unusual counts, so
that a white wall is normal where a white wall was learned.
"""

from typing import Literal, TypeGuard, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.types import Pixels

type Blinding = Literal[
    "black", "grey", "green", "white", "plain", "covered", "damaged", "frozen", "moved"
]
"""Nothing can be seen."""
type Fault = (
    Blinding
    | Literal[
        "shifted",
        "colourless",
        "overexposed",
        "underexposed",
        "blurred",
        "compressed",
        "changed",
        "falling",
        "shaken",
        "lit",
        "insects",
    ]
)
"""What is wrong with a camera; things can still be found in those that do not blind."""

FAULT_NAMES: dict[Fault, str] = {
    "black": "black picture",
    "grey": "grey picture",
    "green": "green picture",
    "white": "white picture",
    "plain": "picture of one colour",
    "covered": "covered picture",
    "damaged": "damaged picture",
    "frozen": "frozen picture",
    "moved": "camera moved",
    "shifted": "camera moved",
    "colourless": "picture lost its colour",
    "overexposed": "picture over-exposed",
    "underexposed": "picture under-exposed",
    "blurred": "picture out of focus",
    "compressed": "compression changed",
    "changed": "picture changed",
    "falling": "rain or snow",
    "shaken": "camera shakes",
    "lit": "patch of light",
    "insects": "insects before the lens",
}
"""What each is called where it is told."""


_SAMPLES = 160
"""Of so many pixels along the longer side a picture is judged."""
_BLACK = 32
"""A picture whose pixels but 3% are not above this shows nothing."""
_ONE_COLOUR = 10
"""... and one whose pixels but 6% are as near to each other: a clock is often drawn in."""
_WHITE = 225
_GREENER = 40
_COLOURLESS = 12
"""Channels that differ by no more are grey."""
_UNUSUAL_SHARE = 0.25
"""An empty picture is a fault where so much of it is unusual."""
_DETAIL_SHARE = 0.25
"""A covered picture has less than this share of the usual detail, ..."""
_COVERED_SHARE = 0.9
"""... and is unusual all over. Where it shows nothing of the view either, half will do: what lies
before the lens may be as dark as parts of the view (`app.watching.health`)."""
_BLOCK = 16
"""Pixels of a side; what was not decoded is made of whole blocks."""
_DAMAGED_SHARE = 0.15
"""Of a picture's blocks that must hang together and be filled in."""
_FLAT = 6
_FILLED = (((121, 121, 121), (137, 137, 137)), ((0, 60, 0), (24, 165, 24)))
"""What decoders leave, from and to: YUV of 128s is grey, of zeros green."""


def blinds(fault: Fault) -> TypeGuard[Blinding]:
    """Whether nothing can be found while it lasts."""
    return fault in get_args(Blinding.__value__)


def sampled(image: Pixels) -> Pixels:
    """Evenly chosen pixels of an image [H, W, 3], about 160 along its longer side."""
    step = max(1, max(image.shape[:2]) // _SAMPLES)
    return image[::step, ::step]


def detail_of(sample: Pixels) -> float:
    """How much the brightness differs from pixel to pixel, noise averaged out, 0 to 255."""
    grey = cv2.blur(cv2.cvtColor(sample, cv2.COLOR_RGB2GRAY), (3, 3)).astype(np.float32)
    across = np.abs(np.diff(grey, axis=1)).mean() if grey.shape[1] > 1 else 0.0
    down = np.abs(np.diff(grey, axis=0)).mean() if grey.shape[0] > 1 else 0.0
    return float(across + down)


def fault_of(image: Pixels, heat: NDArray[np.float32], usual_detail: float) -> Fault | None:
    """What is wrong with a picture, if so much that nothing can be seen in it.

    Args:
        image: RGB uint8 [H, W, 3].
        heat: Its anomaly map [h, w], 1.0 where just unusual, of the whole view.
        usual_detail: `detail_of` the camera's pictures before.
    """
    unusual = heat > 1
    share = float(unusual.mean())
    if share < _DAMAGED_SHARE / 2:
        return None
    sample = sampled(image)
    colour = _one_colour(sample) if share >= _UNUSUAL_SHARE else None
    if colour is not None:
        return colour
    if _is_damaged(image, unusual):
        return "damaged"
    return "covered" if share >= _COVERED_SHARE and is_bare(sample, usual_detail) else None


def is_bare(sample: Pixels, usual_detail: float) -> bool:
    """Whether hardly any of the usual detail is left in evenly chosen pixels [h, w, 3]."""
    return detail_of(sample) < _DETAIL_SHARE * usual_detail


def _one_colour(sample: Pixels) -> Fault | None:
    low, high = np.percentile(sample.reshape(-1, 3), (3, 97), axis=0)
    if high.max() <= _BLACK:
        return "black"
    if (high - low).max() > _ONE_COLOUR:
        return None
    red, green, blue = (low + high) / 2
    if min(red, green, blue) >= _WHITE:
        return "white"
    if green - max(red, blue) >= _GREENER:
        return "green"
    if max(red, green, blue) - min(red, green, blue) <= _COLOURLESS:
        return "grey"
    return "plain"


def _is_damaged(image: Pixels, unusual: NDArray[np.bool_]) -> bool:
    """Whether a large part was filled in with what decoders fill in, and is unusual."""
    filled = _filled_in(image)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(filled.astype(np.uint8))
    if count < 2:
        return False
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    region = labels == largest
    rows, columns = region.shape
    wide, high = stats[largest, cv2.CC_STAT_WIDTH], stats[largest, cv2.CC_STAT_HEIGHT]
    # Slices and tiles are lost from edge to edge.
    if region.mean() < _DAMAGED_SHARE or (wide < columns and high < rows):
        return False
    cells = cv2.resize(unusual.astype(np.uint8), (columns, rows), interpolation=cv2.INTER_NEAREST)
    return bool(cells[region].mean() >= 0.5)


def _filled_in(image: Pixels) -> NDArray[np.bool_]:
    """Which whole blocks [rows, columns] of an image are of a decoder's grey or green alone."""
    rows, columns = max(1, image.shape[0] // _BLOCK), max(1, image.shape[1] // _BLOCK)
    # Every fourth pixel is enough.
    cut = image[: rows * _BLOCK : 4, : columns * _BLOCK : 4]
    if cut.shape[:2] != (rows * _BLOCK // 4, columns * _BLOCK // 4):
        return np.zeros((rows, columns), np.bool_)
    blocks = cut.reshape(rows, _BLOCK // 4, columns, _BLOCK // 4, 3)
    low, high = blocks.min(axis=(1, 3)), blocks.max(axis=(1, 3))
    flat = (high - low).max(axis=2) <= _FLAT
    colours = (np.logical_and(low >= least, high <= most).all(axis=2) for least, most in _FILLED)
    return flat & np.logical_or.reduce([*colours])
