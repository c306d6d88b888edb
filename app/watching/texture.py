"""The fine texture of a place: whether the learned one is seen there, or something hides it.

Textures are what logarithms of the light are beside a blur of them, [h, w].
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.patches import DARK
from detectors.types import Pixels

SHINES_THROUGH = 0.6
"""Correlation of the fine texture from which on the learned picture shines through, ..."""
_LEAST_SHINES, LEAST_PARTS = 0.4, 0.1
"""... if in all parts but so many the correlation is at least so high."""
_DETAIL = 3.0
"""Spread of the blur that this texture is what is beside of, pixels."""
_LEAST_INSIDE = 100
"""Pixels that differ, without the edge of the light, to be compared without it."""
_EDGE = 5
"""Pixels across that edge."""
_TEXTURE = 0.012
"""Least spread of the fine texture that was learned there, of the logarithm of the light."""
PART = 11
"""Pixels of a side over which a part is compared."""
_HIDDEN = 0.35
"""Correlation of a part below which something hides the texture, ..."""
_NOISE = 6.0
"""... if it is not just noise of so many grey levels."""

_VEIL_DETAIL = 2.0
"""Spread of the blur that texture is beside of which a veil shows: what a window pane mirrors is
out of focus, so that all that is finer is of the view behind, ..."""
_GREYS = 2.0
"""... where it has so many grey levels of it, ..."""
_SHARE, _PIXELS = 0.25, 60
"""... on so much of a place and so many pixels of it, ..."""
_MANY, _SPREAD = 600, 0.3
"""... or on so many that lie about in so much of its width and height."""
_DIMMED = 0.9
"""A veil leaves no more than so much of half of that texture, ..."""
_LEFT = 0.2
"""... and so much of nearly all; a thing leaves less: ..."""
_LOST = 0.3
"""... it leaves no part of its place so much, nor one like what was learned."""
_AS_LEARNED = 0.5
"""Correlation of what is seen in a veil with what was learned, ..."""
_WIDE, _SURE = 0.008, 0.6
"""... and from which on it certainly is one, if it is told on so much of the view: some small
things are as much like what they hide."""

type Floats = NDArray[np.float32]
type Part = tuple[slice, slice]
"""Rows and columns."""


@dataclass(frozen=True, slots=True)
class Through:
    """How far the learned texture is seen in what differs; 0 and 0 where there is none."""

    correlation: float
    lowest: float
    """Of the parts where it is least."""
    plain: bool

    @property
    def shines(self) -> bool:
        """Whether it is seen everywhere."""
        return self.correlation >= SHINES_THROUGH and self.lowest >= _LEAST_SHINES

    @property
    def hidden(self) -> bool:
        """Whether there is texture, and something else is seen."""
        return not self.plain and self.correlation < _HIDDEN


def through(now: Floats, learned: Floats, differs: NDArray[np.bool_]) -> Through:
    """Compare logarithms of the light, now and learned [h, w], where they differ [h, w]."""
    fine, usual = detail(now), detail(learned)
    if not differs.any() or float(usual[differs].std()) < _TEXTURE:
        return Through(0.0, 0.0, plain=True)
    inside = cv2.erode(differs.astype(np.uint8), np.ones((_EDGE, _EDGE), np.uint8)) > 0
    inside = inside if int(inside.sum()) > _LEAST_INSIDE else differs
    lowest = float(np.quantile(alike(fine, usual)[differs], LEAST_PARTS))
    return Through(correlation(fine[inside], usual[inside]), lowest, plain=False)


def hidden(fine: Floats, usual: Floats, light: Floats) -> NDArray[np.bool_]:
    """Where something else than the learned texture is seen [h, w], more than noise.

    Args:
        fine: The texture now.
        usual: The learned one.
        light: Grey levels of the learned picture [h, w].
    """
    other = mean((fine - usual) ** 2) > (_NOISE / light) ** 2
    return (alike(fine, usual) < _HIDDEN) & other


@dataclass(frozen=True, eq=False)
class Veil:
    """How much of the finest learned texture is left in a place; a veil adds to it and dims it.

    A third of another picture over the view leaves two thirds of its texture, an opaque thing none.
    """

    now: Floats
    """Finest texture now [h, w], grey levels, ..."""
    learned: Floats
    """... and as it was learned."""

    @classmethod
    def of(cls, now: Floats, learned: Floats) -> "Veil":
        """Compare logarithms of the light, now and learned [h, w]."""
        return cls(*(detail(np.exp(light), _VEIL_DETAIL) for light in (now, learned)))

    @property
    def clear(self) -> float:
        """Share of the learned texture that is left in most of the picture; 1 if it has none."""
        left = self._left[self._textured]
        return float(np.median(left)) if len(left) else 1.0

    def lies_on(self, where: NDArray[np.bool_], clear: float) -> bool:
        """Whether it lies on these pixels [h, w], as far as can be told, and that on enough.

        Args:
            where: The pixels.
            clear: What is left in the picture as a whole: all of it may be blurred or hazy.
        """
        return self._seen_on(where, clear) >= _AS_LEARNED

    def lies_widely_on(self, where: NDArray[np.bool_], clear: float, view: int) -> bool:
        """The same of a veil that is certain, in a view of so many pixels."""
        return is_wide(self._textured & where, view) and self._seen_on(where, clear) >= _SURE

    def _seen_on(self, where: NDArray[np.bool_], clear: float) -> float:
        """Correlation of what is seen there with what was learned; 0 where no veil can lie."""
        told = self._textured & where
        mostly = told.sum() >= max(_PIXELS, _SHARE * where.sum())
        if not mostly and (told.sum() < _MANY or _spread(told, where) < _SPREAD):
            return 0.0
        left = self._left[told] / max(clear, _LEFT)
        dimmed = float(np.median(left)) <= _DIMMED
        everywhere = float(np.quantile(left, LEAST_PARTS)) >= _LEFT
        if not (dimmed and everywhere):
            return 0.0
        return correlation(self.now[where], self.learned[where])

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """Where there is texture and another is seen [h, w]."""
        return self._textured & (self._left < _LOST) & (alike(self.now, self.learned) < _HIDDEN)

    @cached_property
    def _textured(self) -> NDArray[np.bool_]:
        return self._power > _GREYS**2

    @cached_property
    def _left(self) -> Floats:
        """Share of the learned texture that is left in the part around each pixel [h, w]."""
        return np.asarray(mean(self.now * self.learned) / (self._power + 1e-6), np.float32)

    @cached_property
    def _power(self) -> Floats:
        """Of the learned texture in the part around each pixel [h, w]."""
        return mean(self.learned * self.learned)


def is_wide(where: NDArray[np.bool_], view: int) -> bool:
    """Whether these pixels are enough for a veil that is certain, in a view of so many."""
    return bool(where.sum() >= _WIDE * view)


def _spread(some: NDArray[np.bool_], all_of_them: NDArray[np.bool_]) -> float:
    """Over how much of the width and height of pixels [h, w] most of some of them lie."""
    extents = [
        [np.ptp(np.quantile(numbers, [0.05, 0.95])) for numbers in np.nonzero(pixels)]
        for pixels in (some, all_of_them)
    ]
    return float(min(part / max(whole, 1.0) for part, whole in zip(*extents, strict=True)))


def largest(hides: NDArray[np.bool_], least: float) -> Part | None:
    """Rows and columns of the largest part that hides the texture; None if all are too small.

    Args:
        hides: Where something does [h, w].
        least: Pixels that its longer side must have, and half of them the shorter.
    """
    calm = cv2.morphologyEx(hides.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(calm)
    if len(stats) < 2:
        return None
    left, top, wide, high = max(stats[1:].tolist(), key=lambda one: one[4])[:4]
    if max(wide, high) < least or min(wide, high) < least / 2:
        return None
    return slice(top, top + high), slice(left, left + wide)


def alike(fine: Floats, usual: Floats) -> Floats:
    """Correlation of two textures in the part around each pixel [h, w]."""
    spread = np.sqrt(mean(fine * fine) * mean(usual * usual) + 1e-7)
    return np.asarray(mean(fine * usual) / spread, np.float32)


def correlation(one: Floats, other: Floats) -> float:
    """Of all values of two textures."""
    return float((one * other).sum() / np.sqrt((one * one).sum() * (other * other).sum() + 1e-9))


def detail(values: Floats, spread: float = _DETAIL) -> Floats:
    """The fine texture of values [h, w]: what they are beside a blur of so many pixels."""
    return values - cv2.GaussianBlur(values, (0, 0), spread).astype(np.float32)


def mean(values: Floats) -> Floats:
    """Over the part around each pixel [h, w]."""
    return cv2.blur(values, (PART, PART)).astype(np.float32)


def logs(image: Pixels) -> Floats:
    """Logarithms of the light of an image, RGB uint8 [H, W, 3]."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.log(grey + np.float32(DARK))
