"""Does one thing explain another: laid over what is behind that, does the same picture come out?

A small picture holds what is seen at a place, what is behind it, and how much of each pixel is the
thing. The thing is laid over what is behind another, mirrored or not, larger or smaller, anywhere,
as light as it is there. What such a picture and the other one still differ by is unexplained. Where
a thing looks like its background it may be seen in part, or not at all: it is explained all the
same, where its outline alone would be another's.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 32
"""Pixels of a small picture."""
UNIT = 14.0
"""A square thing has sides of so many of them."""
NUMBERS = SIDE * SIDE * 7
"""Of a picture: L*a*b* of what is seen and of what is behind, and the thing's share."""
_SIZES = tuple(float(size) for size in np.geomspace(0.62, 1.6, 9))
"""Of a thing that is laid, over its own: what is seen of it in part seems smaller."""
_EDGE = 0.1
"""A pixel of which less is the thing is none of its."""
_LIGHTER = 30.0
"""L* that a thing may be lighter or darker elsewhere."""
_NOISE, _FAR = 6.0, 20.0
"""Colours that are nearer than that are the same, and farther tells nothing more (CIE 1976)."""
_CLEAR = 12.0
"""From so far apart on a pixel is surely the thing."""
_TRIED = 3
"""Ways to lay a thing that fit best in squares and are looked at closely."""

type Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """A thing at one size, mirrored or not."""

    colour: Floats
    """L*a*b* [h, w, 3], ..."""
    share: Floats
    """... and how much of each pixel is the thing [h, w], 0 to 1."""


@dataclass(frozen=True, eq=False)
class Sight:
    """The small picture of a thing."""

    seen: Floats
    """L*a*b* [SIDE, SIDE, 3], ..."""
    behind: Floats
    """... that of what is behind the thing, ..."""
    thing: Floats
    """... and how much of each pixel is the thing [SIDE, SIDE], 0 to 1."""

    @classmethod
    def of(cls, numbers: Floats) -> Self:
        """The picture of its NUMBERS."""
        seen, behind, thing = np.split(numbers.astype(np.float32), [3 * SIDE**2, 6 * SIDE**2])
        whole = (SIDE, SIDE, 3)
        return cls(seen.reshape(whole), behind.reshape(whole), thing.reshape(SIDE, SIDE))

    @property
    def numbers(self) -> Floats:
        """All of it, [NUMBERS]."""
        return np.concatenate([self.seen.ravel(), self.behind.ravel(), self.thing.ravel()])

    def left_by(self, other: "Sight") -> float:
        """Lay another thing over what is behind this one, the best way.

        Returns:
            Share of what differs from the background that is not explained so: 0 if all is, 1 if
            nothing is, up to 2 if there should be something else.
        """
        ways = sorted((self._best_place(cut) for cut in other.cuts), key=lambda way: way[0])
        return min((self._left(*way[1:]) for way in ways[:_TRIED]), default=1.0)

    @cached_property
    def cuts(self) -> list[_Cut]:
        """The thing by itself, in all sizes that fit in."""
        rows, columns = (np.flatnonzero((self.thing > _EDGE).any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return []
        part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        # What does not differ may as well be what is behind it.
        clear = (np.linalg.norm(self._differs, axis=2) / _CLEAR).clip(0, 1)
        share = (self.thing * clear)[part]
        cut = np.dstack([self.seen[part] * share[..., None], share]).astype(np.float32)
        both = (cut, np.ascontiguousarray(cut[:, ::-1]))
        sized = [_sized(one, size) for one in both for size in _SIZES]
        return [one for one in sized if max(one.share.shape) <= SIDE]

    @cached_property
    def _differs(self) -> Floats:
        """L*a*b* that is seen more than it was [SIDE, SIDE, 3]."""
        return self.seen - self.behind

    @cached_property
    def _squares(self) -> tuple[Floats, Floats]:
        """Of what is behind: with what differs, and with itself [SIDE, SIDE]."""
        return (self.behind * self._differs).sum(axis=2), (self.behind**2).sum(axis=2)

    @cached_property
    def _near(self) -> Floats:
        """1 at the thing and just beside it [SIDE, SIDE]: what differs elsewhere only stirs."""
        thing = (self.thing > _EDGE).astype(np.float32)
        return np.asarray(cv2.dilate(thing, np.ones((3, 3), np.uint8)), np.float32)

    def _best_place(self, cut: _Cut) -> tuple[float, _Cut, int, int, float]:
        """Where a cut fits best in squares.

        Returns:
            How much worse that is than to lay nothing, the cut, its corner (row, column), and by
            how many L* it is lighter there.
        """
        # share (colour + lighter - behind) should be what differs; its squared error, written out
        # in products that are summed for all places at once.
        share, square = cut.share, cut.share**2
        colour = square[..., None] * cut.colour
        with_difference, with_itself = self._squares
        worse = (
            float((colour * cut.colour).sum())
            - 2 * _at_all(self._differs, share[..., None] * cut.colour)
            + 2 * _at_all(with_difference, share)
            - 2 * _at_all(self.behind, colour)
            + _at_all(with_itself, square)
        )
        darker = _at_all(self._differs[..., 0], share) + _at_all(self.behind[..., 0], square)
        lit = (darker - float(colour[..., 0].sum())) / (float(square.sum()) + 1e-6)
        lighter = lit.clip(-_LIGHTER, _LIGHTER)
        worse += (lighter * lighter - 2 * lighter * lit) * float(square.sum())
        row, column = (int(at) for at in np.unravel_index(worse.argmin(), worse.shape))
        return float(worse[row, column]), cut, row, column, float(lighter[row, column])

    def _left(self, cut: _Cut, row: int, column: int, lighter: float) -> float:
        high, wide = cut.share.shape
        part = (slice(row, row + high), slice(column, column + wide))
        colour = cut.colour + np.array([lighter, 0, 0], np.float32)
        laid = np.asarray(cut.share[..., None] * (colour - self.behind[part]), np.float32)
        there = np.maximum(self._near[part], (cut.share > _EDGE).astype(np.float32))
        apart = _apart(self._differs) * self._near
        left = apart.sum() - apart[part].sum() + (there * _apart(self._differs[part] - laid)).sum()
        return float(left / ((apart.sum() + _apart(laid).sum()) / 2 + 1e-6))


def _sized(cut: Floats, size: float) -> _Cut:
    """L*a*b* times share, and share [h, w, 4], made larger or smaller."""
    high, wide = (max(2, round(side * size)) for side in cut.shape[:2])
    how = cv2.INTER_AREA if size < 1 else cv2.INTER_LINEAR
    resized = np.asarray(cv2.resize(cut, (wide, high), interpolation=how), np.float32)
    share = np.ascontiguousarray(resized[..., 3])
    colour = resized[..., :3] / np.maximum(share, 1e-3)[..., None]
    return _Cut(np.asarray(colour, np.float32), share)


def _at_all(image: Floats, part: Floats) -> Floats:
    """Sum of the products of an image and a part of it, for every place of the part."""
    image, part = (np.ascontiguousarray(one, np.float32) for one in (image, part))
    return np.asarray(cv2.matchTemplate(image, part, cv2.TM_CCORR), np.float32)


def _apart(colours: Floats) -> Floats:
    """How clearly differences of L*a*b* [..., 3] are ones."""
    return (np.linalg.norm(colours, axis=-1) - _NOISE).clip(0, _FAR - _NOISE).astype(np.float32)
