"""Rain, snow and shaking: what comes up all over the view and is gone at once.

Births are spots of a map where nothing was in the frames before. Where they come in frame after
frame and all over the view, it is weather; and so it is where the map is flooded and spots can no
longer be told apart, but much of it comes and goes between any two frames. From then on each cell
is as unusual as it was at least during about a second, which takes drops out and leaves what stays;
and what still comes up by itself raises the bar.

Measured in simulated rain and snow, where spots lie apart (one scene): the highest cell without a
thing falls from 1.7 and 2.0 to .86 and 1.15, that of things of 6% from 1.95 to 1.85. Where they
flood the map (another): .27 to .5 of the cells come and go, of an ordinary minute .0015 at most.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.watching.altered import cells
from app.watching.course import Since
from app.watching.faults import Fault
from detectors.types import Box, Frame

type Heat = NDArray[np.float32]

STEADY_S = 1.0
"""A spot must stay so long while it lasts."""
_STEADY_FRAMES = 5
_NEWEST = 3
_BAR_S = 10.0
_BAR = 0.75
_ABOVE = 1.06
"""The bar is so much above this quantile of the highest steady cells of so many seconds, outside of
what is followed: a thing that comes is followed long before it is a quarter of them."""
_SHAKEN_BAR = 0.85
"""The quantile where a camera shakes, which comes in gusts."""
_SLOWEST_S = 0.5
"""Time between frames above which one frame says nothing of the one before."""
_NEAR = 3
"""Cells around what was there before in which nothing is born."""
_BURST_S = 1.0
_BURST_FRAMES = 3
_BURST_BIRTHS = 2
"""It begins where so many frames of a second have so many births: one a frame, as of an insect, is
also what a fast thing makes, ..."""
_WIDE = 0.12
"""... spread over the view by at least this share of its sides, as a standard deviation."""
_LOW = 0.75
"""What was so unusual just before was not born, and what is so much less than it was ..."""
_TURNS = 0.6
"""... by this factor, has come or gone."""
_FLOODED = 0.12
"""It also begins where so many of all cells come or go in so many frames; of ten things that pass
at once fewer do."""
_OVER_S = 15.0
"""It is over where it was not so for so long."""


type _Spot = tuple[float, float]
"""Middle x and y, shares of the view."""


@dataclass(frozen=True, slots=True)
class _Births:
    """What came up in one frame."""

    at_s: float
    at_us: int
    spots: tuple[_Spot, ...]
    flooded: bool
    """Whether much of the view came or went since the frame before."""


class Weather:
    """Watches the maps of one camera for what falls through the view."""

    def __init__(self) -> None:
        self.fault: Fault | None = None
        """What comes and goes all over the view; None if nothing does."""
        self.since: Since | None = None
        """Where it began."""
        self._maps: deque[tuple[float, Heat]] = deque()
        self._births: deque[_Births] = deque()
        self._highest: deque[tuple[float, float]] = deque()
        """When, and the highest steady cell outside of what is followed."""
        self._last_s = 0.0
        """When there was as much of it as at its beginning."""

    @property
    def said(self) -> str:
        """What people should know of it."""
        return f"Only what stays in one place for about {STEADY_S:g} s is found."

    def see(
        self,
        frame: Frame,
        heat: Heat,
        followed: Iterable[Box],
        lit: NDArray[np.bool_] | None = None,
        *,
        shaken: bool = False,
    ) -> Heat:
        """Take the next frame.

        Args:
            frame: Later than all before it.
            heat: Its anomaly map [h, w], 1.0 where just unusual.
            followed: Where things are that were found before, pixels of the view.
            lit: Cells [h, w] that are unusual by their light alone.
            shaken: Whether the camera shakes: edges then come and go as drops do, where frames that
                are laid one by one still show it, and that is no weather.

        Returns:
            The map without what falls.
        """
        there = cells(followed, heat.shape, frame)
        explained = there if lit is None else there | lit
        self._note(frame, heat, explained)
        self._maps.append((frame.pts_s, heat))
        while len(self._maps) > _STEADY_FRAMES and frame.pts_s - self._maps[0][0] > STEADY_S:
            self._maps.popleft()
        steady = np.min([one for _, one in self._maps], axis=0)
        self._highest.append((frame.pts_s, float(steady[~explained].max(initial=0.0))))
        while frame.pts_s - self._highest[0][0] > _BAR_S:
            self._highest.popleft()
        self._judge(frame, "shaken" if shaken else "falling")
        if self.fault is None:
            return heat
        share = _SHAKEN_BAR if shaken else _BAR
        bar = max(1.0, _ABOVE * float(np.quantile([high for _, high in self._highest], share)))
        # What is followed may move, slower than what falls before it.
        newest = np.min([one for _, one in [*self._maps][-_NEWEST:]], axis=0)
        return (np.where(there, newest, steady) / bar).astype(np.float32)

    def _note(self, frame: Frame, heat: Heat, explained: NDArray[np.bool_]) -> None:
        """Note the births of a frame."""
        if not self._maps or frame.pts_s - self._maps[-1][0] > _SLOWEST_S:
            self._births.clear()
            return
        known = explained.copy()
        for _, before in [*self._maps][-2:]:
            known |= before > _LOW
        reach = np.ones((2 * _NEAR + 1, 2 * _NEAR + 1), np.uint8)
        spots = _spots(heat, cv2.dilate(known.astype(np.uint8), reach) > 0)
        self._forget_things(heat)
        flooded = _turning(self._maps[-1][1], heat)
        self._births.append(_Births(frame.pts_s, frame.time_us, spots, flooded))
        while frame.pts_s - self._births[0].at_s >= _BURST_S:
            self._births.popleft()

    def _forget_things(self, heat: Heat) -> None:
        """Of what was born two frames ago, forget what is still there: it did not fall."""
        if len(self._births) < 2:
            return
        born, later = self._births[-2], self._births.pop()
        height, width = heat.shape
        near = cv2.dilate(heat, np.ones((3, 3), np.uint8))
        fell = tuple((x, y) for x, y in born.spots if near[int(y * height), int(x * width)] <= 1)
        self._births[-1] = replace(born, spots=fell)
        self._births.append(later)

    def _judge(self, frame: Frame, name: Fault) -> None:
        """Decide whether there is weather, and what it is called."""
        full = sum(len(one.spots) >= _BURST_BIRTHS for one in self._births) >= _BURST_FRAMES
        floods = sum(one.flooded for one in self._births) >= _BURST_FRAMES
        if floods or (full and _wide(self._births)):
            self._last_s = frame.pts_s
            if self.fault is None:
                self._begin(name)
        elif frame.pts_s - self._last_s > _OVER_S:
            self.fault = self.since = None

    def _begin(self, name: Fault) -> None:
        """Note where it began; how unusual the view was before says nothing of it."""
        self.fault = name
        born = [one.flooded or bool(one.spots) for one in self._births]
        first = born.index(True)
        began = self._births[first]
        self.since = Since(began.at_s, began.at_us, len(born) - first)
        while self._highest[0][0] < began.at_s:
            self._highest.popleft()


def _turning(before: Heat, now: Heat) -> bool:
    """Whether cells come or go in so much of the view that it is flooded."""
    high, low = np.maximum(before, now), np.minimum(before, now)
    turns = (high > 1) & (low < _TURNS * high)
    if turns.mean() < _FLOODED:
        return False
    rows, columns = np.nonzero(turns)
    return bool(min(rows.std() / now.shape[0], columns.std() / now.shape[1]) > _WIDE)


def _wide(births: Iterable[_Births]) -> bool:
    """Whether they are all over the view."""
    spots = np.array([spot for one in births for spot in one.spots])
    return bool((spots.std(axis=0) > _WIDE).all())


def _spots(heat: Heat, known: NDArray[np.bool_]) -> tuple[_Spot, ...]:
    """The spots of a map [h, w] that touch nothing known."""
    height, width = heat.shape
    _, labels, _, middles = cv2.connectedComponentsWithStats((heat > 1).astype(np.uint8))
    old = set(np.unique(labels[known]).tolist())
    found = [middles[label] for label in range(1, len(middles)) if label not in old]
    return tuple((float(x) / width, float(y) / height) for x, y in found)
