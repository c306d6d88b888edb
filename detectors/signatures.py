"""What a thing looks like, so that it is known again elsewhere in a view and in other light.

A thing is what differs from the learned picture. Of it are kept its colours over its own
brightness, how wide it is for its height, and a small picture of it and of what is behind it, in
which it is as large as any other. Laid over what is behind another thing, in that thing's light,
mirrored, and a little larger or elsewhere, the picture explains that thing if both are the same:
also where it looks like its background, and is not seen to differ. How large and how light a thing
is says little: it may come nearer, into a shadow, and be mirrored when it turns.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.changes import Place

BINS = (8, 9, 9)
"""Of lightness and of the two colours."""
SIDE = 16
"""Pixels of the small picture of a thing."""
_COLOURS = int(np.prod(BINS))
LENGTH = _COLOURS + 1 + SIDE * SIDE * 7
"""Of a signature: roots of the shares of the colours, log of width over height, and the picture:
L*a*b* of the thing, of what is behind it, and how much of each pixel is the thing."""
_LIGHTNESS, _COLOUR = (0.0, 100.0), (-45.0, 45.0)
_LEAST = 20
"""Pixels that a thing has at least."""
_UNCHANGED, _THING = 6.0, 24.0
"""Grey levels up to which a pixel does not belong to the thing, and from which on it does."""
_REACH = 2.07
"""Half of what the picture shows, over the spread (standard deviation) of the thing's pixels: a
rectangle of 1.73 spreads each way, and a fifth around it."""
_THIN = 0.3
"""What is thinner than that, over its length, is not drawn wider."""

type Signature = NDArray[np.float32]
"""[LENGTH]; means of several are signatures, too."""
type _Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Signatures:
    """Of what stands at a place now, and of what stood there as it was learned."""

    now: Signature
    before: Signature

    @classmethod
    def of(cls, place: Place) -> Self | None:
        """None if too little differs there."""
        if place.differs.sum() < _LEAST:
            return None
        thing = thing_of(place)
        if thing.sum() < _LEAST / 2:
            return None
        window = _Window.around(thing)
        return cls(
            _signature(place.now, place.before, thing, window),
            _signature(place.before, place.now, thing, window),
        )


class _Window(NamedTuple):
    """Where the small picture is taken from, in pixels."""

    x: float
    y: float
    """Its middle."""
    half_width: float
    half_height: float
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
        least = _THIN * max(across, down)
        shape = float(np.log(across / down))
        return cls(x, y, _REACH * max(across, least), _REACH * max(down, least), shape)

    def taken(self, image: _Floats) -> _Floats:
        """The picture's part of an image [h, w] or [h, w, 3], SIDE pixels each way."""
        across, down = SIDE / (2 * self.half_width), SIDE / (2 * self.half_height)
        if min(across, down) < 1:
            wide, high = (max(0.01, 0.5 / scale) for scale in (across, down))
            blurred = cv2.GaussianBlur(image, (0, 0), sigmaX=wide, sigmaY=high)
            image = np.asarray(blurred, np.float32)
        middle = (SIDE - 1) / 2
        places = np.array(
            [[across, 0, middle - self.x * across], [0, down, middle - self.y * down]]
        )
        part = cv2.warpAffine(image, places, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(part, np.float32)


def thing_of(place: Place) -> _Floats:
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
    parts = (
        _colours(_lab(image), thing),
        np.array([window.shape], np.float32),
        _lab(window.taken(image)).ravel(),
        _lab(window.taken(behind)).ravel(),
        window.taken(thing).clip(0, 1).ravel(),
    )
    return np.concatenate(parts).astype(np.float32)


def _lab(image: _Floats) -> _Floats:
    """L*a*b* of a picture [h, w, 3], 0 to 255."""
    rgb = image.clip(0, 255) / np.float32(255)
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.float32)


def _colours(lab: _Floats, thing: _Floats) -> _Floats:
    """Square roots of the shares of a thing's colours [prod(BINS)], its mean lightness at 50."""
    inside = thing > 0.02
    pixels, weights = lab[inside], thing[inside]
    pixels[:, 0] += 50 - np.average(pixels[:, 0], weights=weights)
    ranges = [_LIGHTNESS, _COLOUR, _COLOUR]
    counts, _ = np.histogramdd(pixels, BINS, ranges, weights=weights)
    smooth = cv2.GaussianBlur(counts.astype(np.float32).reshape(BINS[0], -1), (1, 3), 0.7)
    planes = [cv2.GaussianBlur(one.reshape(BINS[1:]), (0, 0), 0.7) for one in smooth]
    total = max(float(smooth.sum()), 1e-6)
    return np.sqrt(np.stack(planes).ravel() / total).astype(np.float32)


SAME = (3.0, 1.6, 2.2, 3.6, 5.0, 3.5, 4.0)
"""Weights of the ways in which two things look alike, and a constant: of their colours, shapes,
names' vectors and names, and of how the one explains the other, better and worse way round. A
logistic regression on pairs of 288 appearances of 81 things in five scenes of the simulator, in
other light and at other places (benchmarks/README.md)."""


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
    colours = _overlap(one[:_COLOURS], other[:_COLOURS])
    shapes = -abs(float(one[_COLOURS] - other[_COLOURS]))
    most = float(np.dot(SAME[:4], (colours, shapes, cosine, agreement))) + SAME[-1]
    if most < least:
        return most
    first, second = _Picture.of(one), _Picture.of(other)
    better, worse = sorted((first.left_by(second), second.left_by(first)))
    return most - SAME[4] * better - SAME[5] * worse


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    """The small picture of a thing."""

    seen: _Floats
    """L*a*b* [SIDE, SIDE, 3], ..."""
    behind: _Floats
    """... that of what is behind the thing, ..."""
    thing: _Floats
    """... and how much of each pixel is the thing [SIDE, SIDE], 0 to 1."""

    @classmethod
    def of(cls, signature: Signature) -> Self:
        """The picture that a signature holds."""
        seen, behind, thing = np.split(signature[_COLOURS + 1 :], [3 * SIDE**2, 6 * SIDE**2])
        whole = (SIDE, SIDE, 3)
        return cls(seen.reshape(whole), behind.reshape(whole), thing.reshape(SIDE, SIDE))

    def laid(self) -> tuple[_Floats, _Floats]:
        """Colours [K, SIDE, SIDE, 3] and shares [K, SIDE, SIDE] of the thing in all ways."""
        cut = np.dstack([self.seen * self.thing[..., None], self.thing]).astype(np.float32)
        both = (cut, np.ascontiguousarray(cut[:, ::-1]))
        ways = np.stack([cv2.warpAffine(one, way, (SIDE, SIDE)) for one in both for way in _WAYS])
        ways = np.asarray(ways, np.float32)
        share = ways[..., 3]
        colour = ways[..., :3] / np.maximum(share, 1e-3)[..., None]
        return np.asarray(colour, np.float32), share

    def left_by(self, other: "_Picture") -> float:
        """Lay another thing over what is behind this one, as light as this one, the best way.

        Returns:
            Share of what differs from the background that is not explained so; 0 if all is.
        """
        colour, share = other.laid()
        common = share * self.thing
        mass = common.sum(axis=(1, 2)) + 1e-6
        darker = ((self.seen[..., 0] - colour[..., 0]) * common).sum(axis=(1, 2)) / mass
        colour[..., 0] += darker.clip(-_LIGHTER, _LIGHTER)[:, None, None]
        made = np.asarray(share[..., None] * (colour - self.behind) + self.behind, np.float32)
        unexplained = _apart(self.seen, made).sum(axis=(1, 2))
        differs = _apart(self.seen, self.behind).sum() + _apart(made, self.behind).sum(axis=(1, 2))
        return float((unexplained / (differs / 2 + 1e-6)).min())


_LIGHTER = 30.0
"""L* that a thing may be lighter or darker elsewhere."""
_FAR = 20.0
"""Colours that are so far from each other differ; more tells nothing more (CIE 1976)."""


def _apart(one: _Floats, other: _Floats) -> _Floats:
    return np.minimum(np.linalg.norm(one - other, axis=-1), _FAR)


def _ways() -> list[NDArray[np.float64]]:
    """A little smaller and larger, and a pixel to each side."""
    middle = (SIDE - 1) / 2
    return [
        np.array([[size, 0, middle * (1 - size) + x], [0, size, middle * (1 - size) + y]])
        for size in (0.87, 1.0, 1.15)
        for x in (-1, 0, 1)
        for y in (-1, 0, 1)
    ]


_WAYS = _ways()


def _overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Bhattacharyya coefficient of two distributions, of which the square roots are given."""
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length else 0.0
