"""Which of two pictures of one place has the thing in it: the learned one, or the frame.

Whatever lies in a place differs from what surrounds it: its outline is an edge, its colours are not
those around it, and it cannot be filled in from its surroundings. A place that something has left
looks like its surroundings. (Abandoned or removed: San Miguel and Martínez 2008, Tian et al. 2011.)
Each picture is measured in these ways at the outline of what differs between the two. A thing in
both is another one, or has changed.
"""

import math
from dataclasses import dataclass
from typing import Literal, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.learned import LearnedView
from detectors.types import Box, Pixels

MARGIN = 1.0
"""So much of a box's longer side is looked at around it."""
LEAST_DIFFERENCE = 8.0
"""Grey levels that differ at least where something has changed."""
EDGE, UNLIKE, FILLING, STEP, NOTHING = 2.32, -3.17, 1.43, 2.98, -5.19
"""Of the four ways, in log-odds, and their sum where nothing stands: a logistic regression on 303
pairs of pictures of three scenes of the simulator, of things that came, that went, and that took
the place of others (benchmarks/README.md)."""
_SIDE = 192
"""Pixels of the longer side of what is compared; more tell nothing more."""
_FILL_SIDE = 64
_STROKE = np.ones((3, 3), np.uint8)

type _Mask = NDArray[np.bool_]
type _Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stands:
    """How much one picture has a thing inside an outline."""

    edge: float
    """Mean gradient along the outline, grey levels a pixel, ..."""
    texture: float
    """... and around it, ..."""
    rough: float
    """... and in its steepest fifth."""
    likeness: float
    """Bhattacharyya coefficient of the colours inside and around, 1 for the same."""
    unlike_filling: float
    """Mean difference of the inside to what its surroundings would fill in, grey levels."""
    step: float
    """Mean difference of colour across the outline, grey levels."""

    @property
    def evidence(self) -> float:
        """Log-odds that there is a thing."""
        return (
            EDGE * math.log((self.edge + 1) / (self.texture + 1))
            + UNLIKE * self.likeness
            + FILLING * math.log(self.unlike_filling + 2)
            + STEP * math.log((self.step + 3) / (self.rough + 1))
            + NOTHING
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """A place as it was learned and as it is: log-odds that there is a thing."""

    before: float
    now: float


@dataclass(frozen=True, slots=True, eq=False)
class _Outline:
    """What differs between two pictures [h, w], and the parts along it."""

    filled: NDArray[np.uint8]
    edge: _Mask
    inside: _Mask
    around: _Mask
    rim: _Mask
    """Just inside of the edge ..."""
    hem: _Mask
    """... and just outside."""

    @classmethod
    def of(cls, filled: NDArray[np.uint8], reach: int) -> Self:
        """Measure along the edge of a mask; `reach` pixels around it are its surroundings."""
        inside = _eroded(filled, 2)
        if inside.sum() < 12:
            inside = filled
        near = _dilated(filled, 2)
        return cls(
            filled,
            (_dilated(filled, 1) - _eroded(filled, 1)) > 0,
            inside > 0,
            (_dilated(filled, reach) - near) > 0,
            (filled - _eroded(filled, 3)) > 0,
            (_dilated(filled, 4) - _dilated(filled, 1)) > 0,
        )


type Change = Literal["arrived", "missing", "changed"]

GONE = 1.0
"""So much more evidence, in log-odds, tells that a thing was there before and is not now."""
THERE = 2.0
"""From so much evidence on there is a thing; if in both pictures, it has changed ..."""
ALIKE = 3.0
"""... unless one of them has so much more of it."""


def judged(before: float, now: float) -> Change:
    """What has happened at a place, by the evidence for a thing before and now, in log-odds.

    What cannot be decided has arrived.
    """
    if min(before, now) >= THERE and abs(now - before) < ALIKE:
        return "changed"
    return "missing" if before - now >= GONE else "arrived"


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A place in two pictures of one size and one light."""

    before: _Floats
    """As it was learned, RGB [h, w, 3], 0 to 255."""
    now: _Floats
    """As it is."""
    differs: NDArray[np.uint8]
    """1 where something differs [h, w], without holes, ..."""
    pixels: _Mask
    """... and pixel by pixel."""
    reach: int
    """Pixels around it that are its surroundings."""

    @classmethod
    def in_view(cls, view: LearnedView, image: Pixels, box: Box) -> Self | None:
        """Lay a box of a frame and its surroundings on what was learned there; see `of`."""
        part = box.grown(MARGIN, (image.shape[0], image.shape[1]))
        return cls.of(view.part(part), part.cut(image), box.within(part))

    @classmethod
    def of(cls, learned: Pixels, seen: Pixels, box: Box) -> Self | None:
        """Lay two pictures on each other.

        Args:
            learned: As it was learned, RGB uint8 [h, w, 3]: the box and its surroundings (MARGIN).
            seen: The same part of the frame, RGB uint8 [h, w, 3].
            box: Where something differs, in pixels of `seen`.

        Returns:
            None where they do not differ.
        """
        scale = min(1.0, _SIDE / max(seen.shape[:2]))
        size = (max(1, round(seen.shape[1] * scale)), max(1, round(seen.shape[0] * scale)))
        before, now = (
            cv2.resize(one, size, interpolation=cv2.INTER_AREA).astype(np.float32)
            for one in (learned, seen)
        )
        small = box.scaled(scale, scale)
        reach = max(4, round(0.15 * max(small.width, small.height)))
        near = _near(small, reach, before.shape[:2])
        now = _same_light(now, before, ~near)
        differs = _differing(before, now, near)
        return None if differs is None else cls(before, now, *differs, reach)


def compare(place: Place) -> Comparison | None:
    """Look for a thing in both pictures; None where what differs has no surroundings."""
    outline = _Outline.of(place.differs, place.reach)
    if outline.around.sum() < 20:
        return None
    return Comparison(_stands(place.before, outline).evidence, _stands(place.now, outline).evidence)


def _near(box: Box, reach: int, size: tuple[int, int]) -> _Mask:
    """The box and a little more [h, w]; what lies beyond is taken for unchanged."""
    inside = np.zeros(size, np.bool_)
    top, left = max(0, round(box.y1) - reach), max(0, round(box.x1) - reach)
    inside[top : round(box.y2) + reach, left : round(box.x2) + reach] = True
    return inside


def _same_light(image: _Floats, goal: _Floats, unchanged: _Mask) -> _Floats:
    """The image with the light of another: a gain for each colour, where nothing has changed."""
    if unchanged.sum() < 50:
        unchanged = np.ones_like(unchanged)
    gain = np.median((goal[unchanged] + 1) / (image[unchanged] + 1), axis=0)
    return np.clip(image * gain, 0, 255).astype(np.float32)


def _differing(
    before: _Floats, now: _Floats, near: _Mask
) -> tuple[NDArray[np.uint8], _Mask] | None:
    """What differs inside of `near` [h, w], without holes and specks, and its pixels.

    None if nothing does.
    """
    apart = np.abs(_smooth(now) - _smooth(before)).max(axis=2)
    usual = float(np.percentile(apart[~near], 95)) if not near.all() else 0.0
    pixels = (apart > max(LEAST_DIFFERENCE, 1.2 * usual)) & near
    differs = cv2.morphologyEx(pixels.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(differs)
    if count < 2:
        return None
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = [number for number, area in enumerate(areas, start=1) if area >= 0.15 * areas.max()]
    whole = np.isin(labels, kept).astype(np.uint8)
    whole = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    contours, _ = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(whole.shape, np.uint8)
    cv2.drawContours(filled, contours, -1, (1,), cv2.FILLED)
    return filled, pixels & (filled > 0)


def _stands(image: _Floats, outline: _Outline) -> Stands:
    gradient = _gradient(_smooth(image))
    around = gradient[outline.around]
    return Stands(
        float(gradient[outline.edge].mean()),
        float(around.mean()),
        float(np.percentile(around, 80)),
        _likeness(image, outline.inside, outline.around),
        _unlike_filling(image, outline.filled),
        _step(image, outline),
    )


def _gradient(image: _Floats) -> _Floats:
    """Steepness of the steepest colour [h, w], grey levels a pixel."""
    across, down = (
        cv2.Sobel(image, cv2.CV_32F, dx, dy, ksize=3, scale=1 / 8) for dx, dy in ((1, 0), (0, 1))
    )
    return np.sqrt((across**2 + down**2).max(axis=2)).astype(np.float32)


def _likeness(image: _Floats, inside: _Mask, around: _Mask) -> float:
    lab = cv2.cvtColor(image.astype(np.uint8), cv2.COLOR_RGB2LAB).astype(np.uint8, copy=False)
    one, other = (_colours(lab, part) for part in (inside, around))
    return float(np.sqrt(one * other).sum())


def _colours(lab: Pixels, part: _Mask) -> _Floats:
    """Shares of the colours in a part, of neighbouring ones together."""
    bins = (10, 12, 12)
    counts = cv2.calcHist([lab], [0, 1, 2], part.astype(np.uint8), list(bins), [0, 256] * 3)
    smooth = cv2.GaussianBlur(counts.reshape(bins[0], -1), (3, 1), 0.6)
    return (smooth / max(float(smooth.sum()), 1.0)).astype(np.float32)


def _unlike_filling(image: _Floats, filled: NDArray[np.uint8]) -> float:
    scale = min(1.0, _FILL_SIDE / max(filled.shape))
    size = (max(1, round(filled.shape[1] * scale)), max(1, round(filled.shape[0] * scale)))
    small = cv2.resize(image.astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    hole = cv2.resize(_dilated(filled, 2), size, interpolation=cv2.INTER_NEAREST)
    guess = cv2.inpaint(small, hole, 3, cv2.INPAINT_TELEA)
    apart = np.abs(guess.astype(np.float32) - small.astype(np.float32)).mean(axis=2)
    return float(apart[hole > 0].mean()) if hole.any() else 0.0


def _step(image: _Floats, outline: _Outline) -> float:
    """Difference of the mean colours just inside and just outside, averaged along the edge."""
    (inner, within), (outer, beyond) = (
        _local_mean(image, part) for part in (outline.rim, outline.hem)
    )
    told = outline.edge & (within > 4) & (beyond > 4)
    if told.sum() <= 5:
        return 0.0
    return float(np.linalg.norm(inner - outer, axis=2)[told].mean())


def _local_mean(image: _Floats, part: _Mask) -> tuple[_Floats, _Floats]:
    """Mean of a part in every window of 7 pixels [h, w, 3], and its pixels there [h, w]."""
    weight = part.astype(np.float32)
    window = (7, 7)
    total = cv2.boxFilter(image * weight[..., None], -1, window, normalize=False)
    count = np.asarray(cv2.boxFilter(weight, -1, window, normalize=False), np.float32)
    return (total / np.maximum(count, 1)[..., None]).astype(np.float32), count


def _smooth(image: _Floats) -> _Floats:
    return cv2.GaussianBlur(image, (0, 0), 1.0).astype(np.float32)


def _eroded(mask: NDArray[np.uint8], times: int) -> NDArray[np.uint8]:
    return cv2.erode(mask, _STROKE, iterations=times).astype(np.uint8, copy=False)


def _dilated(mask: NDArray[np.uint8], times: int) -> NDArray[np.uint8]:
    return cv2.dilate(mask, _STROKE, iterations=times).astype(np.uint8, copy=False)
