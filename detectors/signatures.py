"""What a thing looks like, so that it is known again elsewhere in a view and in other light.

A thing is what differs from the learned picture. Of it are kept how wide it is for its height, and
a small picture of it and of what is behind it, in which it is as large as any other. Two things are
the same if the one explains the other (`detectors.laying`). How large and how light a thing is says
little: it may come nearer, into a shadow, and be mirrored when it turns.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.changes import Place
from detectors.laying import NUMBERS, SIDE, UNIT, Sight

LENGTH = 1 + NUMBERS
"""Of a signature: log of width over height, and the small picture (`detectors.laying.Sight`)."""
_LEAST = 20
"""Pixels that a thing has at least."""
_UNCHANGED, _THING = 6.0, 24.0
"""Grey levels up to which a pixel does not belong to the thing, and from which on it does."""
_SIDES = 6**0.5
"""Sides of a square over the spread (standard deviation) of its pixels, both ways together."""

type Signature = NDArray[np.float32]
"""[LENGTH]."""
type _Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Signatures:
    """Of what stands at a place now, and of what stood there as it was learned."""

    now: Signature
    before: Signature
    share: float
    """Of the place that is the thing."""

    @classmethod
    def of(cls, place: Place) -> Self | None:
        """None if too little differs there."""
        if place.differs.sum() < _LEAST:
            return None
        thing = _thing_of(place)
        if thing.sum() < _LEAST / 2:
            return None
        window = _Window.around(thing)
        return cls(
            _signature(place.now, place.before, thing, window),
            _signature(place.before, place.now, thing, window),
            float(thing.mean()),
        )


class _Window(NamedTuple):
    """Where the small picture is taken from, in pixels."""

    x: float
    y: float
    """Its middle."""
    scale: float
    """Pixels of the small picture over those of the place."""
    shape: float
    """Log of the thing's spread across, over that down."""

    @classmethod
    def around(cls, thing: _Floats) -> Self:
        """By mean and spread of a thing [h, w]: unlike its box, they hardly heed a loose end."""
        ys, xs = np.mgrid[: thing.shape[0], : thing.shape[1]]
        total = float(thing.sum())
        x, y = float((thing * xs).sum()) / total, float((thing * ys).sum()) / total
        across = float(np.sqrt((thing * (xs - x) ** 2).sum() / total)) + 0.5
        down = float(np.sqrt((thing * (ys - y) ** 2).sum() / total)) + 0.5
        side = _SIDES * float(np.hypot(across, down))
        return cls(x, y, UNIT / side, float(np.log(across / down)))

    def taken(self, image: _Floats) -> _Floats:
        """The picture's part of an image [h, w] or [h, w, 3], SIDE pixels each way."""
        if self.scale < 1:
            blurred = cv2.GaussianBlur(image, (0, 0), 0.5 / self.scale)
            image = np.asarray(blurred, np.float32)
        middle, scale = (SIDE - 1) / 2, self.scale
        places = np.array(
            [[scale, 0, middle - self.x * scale], [0, scale, middle - self.y * scale]]
        )
        part = cv2.warpAffine(image, places, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(part, np.float32)


def _thing_of(place: Place) -> _Floats:
    """How much of each pixel of a place belongs to the thing [h, w], 0 to 1."""
    now, before = (cv2.GaussianBlur(one, (0, 0), 0.7) for one in (place.now, place.before))
    apart = cv2.GaussianBlur(np.abs(now - before).max(axis=2), (0, 0), 0.7)
    share = ((apart - _UNCHANGED) / (_THING - _UNCHANGED)).clip(0, 1)
    share *= cv2.dilate(place.differs, np.ones((3, 3), np.uint8))
    return _without_specks(share.astype(np.float32))


def _without_specks(share: _Floats) -> _Floats:
    stroke = np.ones((3, 3), np.uint8)
    core = cv2.morphologyEx((share > 0.5).astype(np.uint8), cv2.MORPH_CLOSE, stroke)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(core)
    if count < 2:
        return share
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = [number for number, area in enumerate(areas, start=1) if area >= 0.1 * areas.max()]
    return share * cv2.dilate(np.isin(labels, kept).astype(np.uint8), stroke)


def _signature(image: _Floats, behind: _Floats, thing: _Floats, window: _Window) -> Signature:
    """Of one of the pictures of a place [h, w, 3], 0 to 255, and of what is behind the thing."""
    seen, beneath = (_lab(window.taken(one)) for one in (image, behind))
    sight = Sight(seen, beneath, window.taken(thing).clip(0, 1))
    return np.concatenate([[window.shape], sight.numbers]).astype(np.float32)


def _lab(image: _Floats) -> _Floats:
    """L*a*b* of a picture [h, w, 3], 0 to 255."""
    rgb = image.clip(0, 255) / np.float32(255)
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.float32)


SAME = (2.0, 1.1, 1.0, 7.1, 2.6, 4.5)
"""Weights of the ways in which two things look alike, and a constant: of their shapes, names'
vectors and names, and of how the one explains the other, better and worse way round. A logistic
regression on pairs of 180 appearances of 45 things in five scenes of the simulator, in other light
and at other places (benchmarks/README.md)."""


def sameness(
    one: Signature, other: Signature, cosine: float, agreement: float, least: float = -np.inf
) -> float:
    """Log-odds that two appearances are of the same thing.

    Args:
        one: Of the one, [LENGTH].
        other: Of the other.
        cosine: Of the unit vectors that they are named by.
        agreement: Of their names, 0 to 1; see `app.events.event.agreement`.
        least: What cannot reach so much is not looked at closely; what comes back is below it.
    """
    shapes = -abs(float(one[0] - other[0]))
    most = float(np.dot(SAME[:3], (shapes, cosine, agreement))) + SAME[-1]
    if most < least:
        return most
    first, second = Sight.of(one[1:]), Sight.of(other[1:])
    better, worse = sorted((first.left_by(second), second.left_by(first)))
    return most - SAME[3] * better - SAME[4] * worse
