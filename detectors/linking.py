"""Which detection of a frame shows which thing that is followed: geometry in pixels and seconds.

A link is firm where a detection overlaps the last one of a thing; it is a leap where the thing is
too fast for that, and is near where it should be by now. Links are chosen together, so that they
fit best in sum (Kuhn 1955, by scipy).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.types import Box, Detection, Pixels

LEAP = 4.5
"""A thing is looked for within so many of its own widths from where it was seen first, ..."""
STRAY = 1.0
"""... and within so many from where it should be, once it is known how it moves."""
LEAPS_PER_S = 20.0
"""Nothing moves by more of its own widths a second: at many frames a second a leap is short."""
SAME_AFTER = 0.3
"""A thing that was not looked at for a while is the same if its boxes overlap so much (IoU)."""
MOST_GROWTH = 16.0
"""Boxes of which one is so many times as large as the other are never one thing that grew."""
ALIKE_SIZE = 2.5
"""A thing that leaps keeps its area but for this factor, ..."""
ALIKE_SCORE = 2.5
"""... and its score, unless it comes in or goes out: the frame's edge cuts off what it likes."""
TOLD = 0.5
"""What was told goes on before what was not: a part that comes off a thing is not its heir."""
_EDGE = 0.005
"""Of the frame's longer side: what ends so near its edge may go on beyond it."""


type Look = NDArray[np.float32]
"""Colours [S, 3] of S stripes of a thing from top to bottom, 0 to 255."""

_STRIPES = 3
_UNLIKE = 25.0
"""Two looks that differ by so many levels are of two things."""


def look_of(image: Pixels, box: Box) -> Look | None:
    """What a thing looks like.

    Args:
        image: RGB uint8 [H, W, 3].
        box: In its pixels.

    Returns:
        The colours [3, 3] of the middle half of the box, from top to bottom; None if the image is
        too small to hold it, as one that stands for many is.
    """
    if box.x1 >= image.shape[1] - 1 or box.y1 >= image.shape[0] - 1:
        return None
    quarter = box.width / 4
    middle = Box(box.x1 + quarter, box.y1, box.x2 - quarter, box.y2).cut(image)
    stripes = cv2.resize(middle, (1, _STRIPES), interpolation=cv2.INTER_AREA)
    return stripes.reshape(_STRIPES, 3).astype(np.float32)


def alike(one: Look | None, other: Look | None) -> float:
    """From 0 for looks of two things to 1 for the same look, or if one is not known."""
    if one is None or other is None:
        return 1.0
    return float(np.exp(-np.abs(one - other).mean() / _UNLIKE))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thing is looked for."""

    last: Box
    """Where it was seen last, alone or together with others."""
    guess: Box
    """Where it should be now, as large as it was when it was seen alone last; in what shows it."""
    course: Box
    """Where it should be if it went on as it went alone."""
    score: float
    """Of its last sighting."""
    since_s: float
    """How long ago that was."""
    moves: bool
    """Whether it is known how it moves."""
    together: bool
    """Whether others were in the same detection, so that `last` does not say which is which."""
    hidden: bool
    """Whether that detection was counted as a sighting of one of the others alone."""
    told: bool
    """Whether it is an event: then what goes on from it is no other, younger thing."""
    awaited: bool
    """Whether nobody looked since it was seen last: it may be where it was, or gone."""
    look: Look | None = None
    """What it looked like when it was seen alone; None if that is not known."""


@dataclass(frozen=True, slots=True)
class Links:
    """What belongs together: numbers of places and of detections."""

    firm: dict[int, int]
    leaps: dict[int, int]


def link(
    places: Sequence[Place],
    detections: Sequence[Detection],
    looks: Sequence[Look | None],
    *,
    size: tuple[int, int],
    same_iou: float,
    same_share: float,
) -> Links:
    """Pair places with detections, each at most once.

    Args:
        places: Where N things are looked for.
        detections: What was found, in pixels of the same frame.
        looks: What each of them looks like.
        size: (height, width) of the frame.
        same_iou: Boxes that overlap so much are one thing, ...
        same_share: ... and those of which one covers so much of the other.
    """
    gains = np.zeros((len(places), len(detections)))
    firm = np.zeros(gains.shape, bool)
    for row, place in enumerate(places):
        for column, detection in enumerate(detections):
            if place.awaited:
                iou = place.last.iou(detection.box)
                gains[row, column] = 1 + iou if iou >= SAME_AFTER else 0.0
                continue
            last, guess, course = (
                _same(reference, detection.box, same_iou, same_share)
                for reference in (place.last, place.guess, place.course)
            )
            firm[row, column] = last > 0
            same = alike(place.look, looks[column]) + (TOLD if place.told else 0)
            if place.together and max(last, course) > 0:
                gains[row, column] = 1 + _apart(place, detection.box) + same
            elif not place.together and max(last, guess) > 0:
                gains[row, column] = 1 + max(last, guess) + same
            else:
                gains[row, column] = _leap(place, detection, size) * same
    if not gains.any():
        return Links({}, {})
    # A watch that begins has nothing to link yet.
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    rows, columns = linear_sum_assignment(gains, maximize=True)
    pairs = [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if gains[r, c] > 0]
    return Links(
        {row: column for row, column in pairs if firm[row, column]},
        {row: column for row, column in pairs if not firm[row, column]},
    )


def _same(one: Box, other: Box, same_iou: float, same_share: float) -> float:
    """How surely two boxes show one thing: 0 for not, otherwise more for a better overlap."""
    iou, smaller = one.iou(other), min(one.area, other.area)
    share = one.overlap(other) / smaller if smaller > 0 else 0.0
    grown = max(one.area, other.area) / smaller if smaller > 0 else np.inf
    if iou < same_iou and (share < same_share or grown > MOST_GROWTH):
        return 0.0
    return iou + 1e-3 * share


def _apart(place: Place, box: Box) -> float:
    """How surely a box shows one of several things that were seen as one: by its course and size.

    Until they part, what they are seen as goes on as the same thing.
    """
    as_large = min(box.area, place.guess.area) / max(box.area, place.guess.area, 1e-9)
    steps = min(_steps(place.guess, box), _steps(place.course, box))
    on_course = as_large / (1 + steps)
    return on_course if place.hidden else on_course + 0.5 * place.last.iou(box)


def _leap(place: Place, detection: Detection, size: tuple[int, int]) -> float:
    """How well a box is in reach of the thing: 0 for not, at most a half."""
    box, was = detection.box, place.guess
    if place.together or min(box.area, was.area) <= 0:
        return 0.0
    grown = max(box.area, was.area) / min(box.area, was.area)
    scores = sorted((detection.score, place.score))
    if _cut_off(box, size) or _cut_off(place.last, size):
        same = grown <= MOST_GROWTH
    else:
        same = grown <= ALIKE_SIZE and scores[1] <= ALIKE_SCORE * scores[0]
    reach = min(STRAY if place.moves else LEAP, LEAPS_PER_S * place.since_s)
    if not same or reach <= 0:
        return 0.0
    return max(0.0, 0.5 * (1 - _steps(was, box) / reach))


def _cut_off(box: Box, size: tuple[int, int]) -> bool:
    """Whether the edge of the frame may cut off a part of what is in a box."""
    (height, width), near = size, _EDGE * max(size)
    outside = box.x1 > width or box.y1 > height  # of an image that stands for a larger one
    ends = (box.x1, box.y1, width - box.x2, height - box.y2)
    return not outside and min(ends) <= near


def _steps(one: Box, other: Box) -> float:
    """How far the middles of two boxes lie apart, in widths and heights of the larger one."""
    across = (other.x1 + other.x2 - one.x1 - one.x2) / 2
    down = (other.y1 + other.y2 - one.y1 - one.y2) / 2
    wide, high = max(one.width, other.width), max(one.height, other.height)
    return hypot(across / max(wide, 1e-9), down / max(high, 1e-9))
