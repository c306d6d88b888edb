"""Light with hard edges, told from things by what it does to all that it falls on.

A patch of sun multiplies whatever lies in it by one and the same gain. Where the view has texture
that is seen: the learned texture shines through. A plain place by itself tells nothing; where it
is lighter by that very gain, in all colours and right beside, it is the same light. A thing has a
colour of its own. Measured in five simulated scenes (`benchmarks/README.md`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.watching import texture
from app.watching.texture import Part
from detectors.patches import MOST_PIXELS, SHAKE, SOFT, WHITE, slope
from detectors.types import Pixels

_SIDE = 160
"""Pixels of the longer side of what light is looked for in, coarsely."""
_WIDE = 0.39
"""The light around is the median over so much of the longer side."""
_CLOSE = 0.2
"""... and, once a light is known, without that, over so much."""
_LIGHTEST, _LEVELS = 1.28, 100
"""Logarithms that are made levels of a byte for it: up to this one, so many each."""
_STANDS_OUT = 0.1
"""Of the logarithm of the light, over what is around, from which on something stands out, ..."""
_GAIN = 0.15
"""... and from which on that is a light."""
_LEAST = 0.002
"""Share of the view that a light must lie on, and a quarter of that must be textured."""
_TEXTURE = 0.02
"""Least spread of the learned fine texture of a textured place, of the logarithm of the light."""
_LOWEST = 0.35
"""Correlation of all parts of it but few: white and noise take from it."""
_EVEN = 0.3
"""Half of it is within so much of one gain."""
_SURE, _KNOWN = 25, 0.3
"""Grey levels from which on a gain can be told, in so much of the light."""
_ALIKE, _NOISE = 0.1, 8.0
"""What differs by so much, or so many grey levels, from what it should be in a light is in it."""
_LEFT = 0.08
"""Share of a place that may be explained by no light, ..."""
_LIT = 0.05
"""... and that must lie in it; ..."""
_LEFT_OPEN = 1.7
"""... and what may be left, in what may be borne, of what is too slim for that; ..."""
_SEEN = 0.5
"""... with the learned texture in it, if there is any, correlated by so much; ..."""
_BLOWN = 0.5
"""Share of a coarse pixel that is white where it may lie in any light."""
_NEAR = 0.1
"""... so near to where it is known, share of the longer side, ..."""
_MOSTLY = 0.8
"""... for the most part."""
_THING = 0.025
"""... and not so much as a thing of this width, share of the longer side."""

type _Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Sun:
    """One light with hard edges."""

    gain: _Floats
    """[3]: how much lighter it makes each colour than it is around."""
    where: NDArray[np.bool_]
    """Coarse pixels [h, w] that it lies on, ..."""
    reach: NDArray[np.bool_]
    """... and those beside it."""


class Sunlit:
    """The lights with hard edges in one frame; they are looked for once something is asked."""

    def __init__(self, image: Pixels, usual: Pixels, known: Sequence[Sun] = ()) -> None:
        """Take a frame and the learned picture, RGB uint8 of one size [H, W, 3].

        Args:
            image: The frame.
            usual: The learned picture.
            known: Lights of just before: one frame may be too blurred to show any.
        """
        self._image, self._usual, self._known = image, usual, known
        self._scale = max(1, round(max(image.shape[:2]) / _SIDE))

    def explains(self, part: Part) -> bool:
        """Whether these rows and columns show what was learned, partly in such a light."""
        return any(self._lies_in(sun, around, part) for sun, around in self._lights)

    @cached_property
    def _lights(self) -> Sequence[tuple[Sun, _Floats]]:
        """Lights, and how much lighter each pixel [H, W] is by all else, logarithms."""
        return [(sun, self._without(sun)) for sun in self.suns or self._known]

    def _lies_in(self, light: Sun, around: _Floats, part: Part) -> bool:
        image, learned = self._image[part], self._usual[part]
        usual = (learned * np.exp(around[part])[..., None]).astype(np.float32)
        shaken = SHAKE * max(self._image.shape) * slope(learned)[..., None]
        beside, inside = _apart(image, usual, shaken), _apart(image, usual * light.gain, shaken)
        lit = (inside.calm <= 1) & (beside.calm > 1)
        left = (np.minimum(inside.calm, beside.calm) > 1).astype(np.uint8)
        left = cv2.morphologyEx(left, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        most = min(_LEFT * left.size, (_THING * max(self._image.shape)) ** 2)
        if lit.mean() < _LIT or left.sum() > most:
            return False
        slim = np.minimum(inside.fine, beside.fine)[~_edge(lit)]
        if len(slim) and np.percentile(slim, MOST_PIXELS) > _LEFT_OPEN:
            return False
        near = _finer(light.reach, self._image.shape)[part][lit]
        return float(near.mean()) >= _MOSTLY and _shows_through(image, learned, lit)

    @cached_property
    def _coarse(self) -> _Floats:
        """How much lighter it is [h, w], coarsely, logarithms."""
        height, width = self._image.shape[:2]
        size = (max(1, width // self._scale), max(1, height // self._scale))
        now, usual = (
            texture.logs(cv2.resize(one, size, interpolation=cv2.INTER_AREA).astype(np.uint8))
            for one in (self._image, self._usual)
        )
        return now - usual

    @cached_property
    def _slow(self) -> _Floats:
        """The same [h, w] without what reaches less far than clouds do."""
        return _slowly(self._coarse, _WIDE)

    @cached_property
    def _around(self) -> _Floats:
        """How much lighter it is around each pixel [H, W], logarithms."""
        height, width = self._image.shape[:2]
        return np.asarray(cv2.resize(self._slow, (width, height)), np.float32)

    @cached_property
    def suns(self) -> Sequence[Sun]:
        """The lights that this frame shows by itself."""
        over = self._coarse - self._slow
        found = []
        for side in (over, -over):
            stands_out = (side > _STANDS_OUT).astype(np.uint8)
            calm = cv2.morphologyEx(stands_out, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
            count, labels, stats, _ = cv2.connectedComponentsWithStats(calm)
            for number in range(1, count):
                if stats[number, cv2.CC_STAT_AREA] >= _LEAST * calm.size:
                    found.append(self._sun(labels == number))
        return [sun for sun in found if sun is not None]

    def _sun(self, where: NDArray[np.bool_]) -> Sun | None:
        """The light that lies on coarse pixels [h, w]; None if it is none."""
        rows, columns = (self._fine(np.flatnonzero(where.any(axis=axis))) for axis in (1, 0))
        part = (rows, columns)
        image, usual = self._image[part], self._usual[part]
        inside = _finer(where, self._image.shape)[part]
        now, fine = _fine(image), _fine(usual)
        textured = texture.mean(fine * fine) > _TEXTURE**2
        seen = inside & textured & (image < WHITE).all(axis=2)
        if seen.sum() < _LEAST / 4 * self._image.shape[0] * self._image.shape[1]:
            return None
        if not _shines_through(now, fine, seen):
            return None
        due = (usual * np.exp(self._around[part])[..., None])[seen].astype(np.float32)
        gain = _gain(image[seen], due)
        return None if gain is None else Sun(gain, where, self._reach(where))

    def _reach(self, where: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """What is beside a light [h, w]; what is white may lie in it, and what is beside that."""
        height, width = where.shape
        white = (self._image >= WHITE).all(axis=2).astype(np.float32)
        blown = cv2.resize(white, (width, height), interpolation=cv2.INTER_AREA) > _BLOWN
        _, labels = cv2.connectedComponents((where | blown).astype(np.uint8))
        whole = np.isin(labels, np.unique(labels[where])).astype(np.uint8)
        side = 2 * round(_NEAR * max(where.shape)) + 1
        return cv2.dilate(whole, np.ones((side, side), np.uint8)) > 0

    def _without(self, sun: Sun) -> _Floats:
        """How much lighter it is [H, W] by all but a light, logarithms."""
        # At its edge a coarse pixel lies partly in it.
        inside = cv2.blur(sun.where.astype(np.float32), (3, 3)) * np.log(sun.gain).mean()
        height, width = self._image.shape[:2]
        slow = _slowly(self._coarse - inside.astype(np.float32), _CLOSE)
        return np.asarray(cv2.resize(slow, (width, height)), np.float32)

    def _fine(self, coarse: NDArray[np.intp]) -> slice:
        """From coarse rows or columns to those of the frame."""
        return slice(int(coarse[0]) * self._scale, (int(coarse[-1]) + 1) * self._scale)


def _finer(coarse: NDArray[np.bool_], shape: Sequence[int]) -> NDArray[np.bool_]:
    """Coarse pixels as those of a frame [H, W]."""
    size = (shape[1], shape[0])
    return cv2.resize(coarse.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0


def _slowly(lighter: _Floats, reach: float) -> _Floats:
    """What of a coarse picture [h, w] reaches farther than half of this share of its side."""
    height, width = lighter.shape
    size = (max(1, width // 2), max(1, height // 2))
    small = cv2.resize(lighter, size, interpolation=cv2.INTER_AREA)
    levels = np.clip((small + _LIGHTEST) * _LEVELS, 0, 255).astype(np.uint8)
    side = 2 * round(reach * max(size) / 2) + 1
    slow = cv2.blur(cv2.medianBlur(levels, side).astype(np.float32), (9, 9))
    return np.asarray(cv2.resize(slow / _LEVELS - _LIGHTEST, (width, height)), np.float32)


def _shows_through(image: Pixels, usual: Pixels, lit: NDArray[np.bool_]) -> bool:
    """Whether the learned texture is seen in what is lit, if there is any."""
    now, fine = _fine(image), _fine(usual)
    seen = lit & (texture.mean(fine * fine) > _TEXTURE**2) & (image < WHITE).all(axis=2)
    if seen.sum() < texture.PART**2:
        return True
    return texture.correlation(now[seen], fine[seen]) >= _SEEN


def _shines_through(now: _Floats, learned: _Floats, seen: NDArray[np.bool_]) -> bool:
    """Whether the learned fine texture is seen in all parts."""
    whole = texture.correlation(now[seen], learned[seen])
    lowest = np.quantile(texture.alike(now, learned)[seen], texture.LEAST_PARTS)
    return whole >= texture.SHINES_THROUGH and float(lowest) >= _LOWEST


def _fine(image: Pixels) -> _Floats:
    return texture.detail(texture.logs(image))


def _gain(seen: Pixels, usual: _Floats) -> _Floats | None:
    """How much lighter pixels [N, 3] are; None if they are so by different gains, or hardly."""
    gains = []
    for now, before in zip(seen.T, usual.T, strict=True):
        known = before >= _SURE
        if known.mean() < _KNOWN:
            continue
        low, gain, high = np.quantile(np.log(now[known] / before[known] + 1e-3), (0.25, 0.5, 0.75))
        if high - low > _EVEN:
            return None
        gains.append(gain)
    if not gains or abs(np.mean(gains)) < _GAIN:
        return None
    # A colour that is too dark to tell is taken to be as much lighter as the others.
    return np.exp(np.array(gains if len(gains) == 3 else [np.mean(gains)] * 3, np.float32))


class _Apart(NamedTuple):
    """How far the colour that is farthest off is from what it should be, in what may be [h, w]."""

    calm: _Floats
    """Without single pixels."""
    fine: _Floats


def _apart(image: Pixels, due: _Floats, shaken: _Floats) -> _Apart:
    due = np.minimum(due, WHITE)
    off = (np.minimum(image, WHITE) - due) / (np.maximum(_NOISE, _ALIKE * due) + shaken)
    off = off.astype(np.float32)
    calm = np.stack([cv2.medianBlur(one, 5) for one in cv2.split(off)])
    fine = np.abs(cv2.GaussianBlur(off, (0, 0), SOFT)).max(axis=2)
    return _Apart(np.abs(calm).max(axis=0), fine.astype(np.float32))


def _edge(lit: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where light begins and ends [h, w]."""
    reach = np.ones((5, 5), np.uint8)
    return cv2.morphologyEx(lit.astype(np.uint8), cv2.MORPH_GRADIENT, reach) > 0
