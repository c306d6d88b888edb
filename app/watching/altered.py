"""A picture that changed as a whole: what only the change made unusual is taken out of its maps.

Colour lost at night, compression, focus or light make every cell unusual, some more than others.
From the first second of the change it is known how unusual each cell is without anything there.
Distances of independent causes add in squares, so what a thing adds is the root of the difference
of squares; it counts where it is above what the change still varies by. A change may last a night,
in which shadows and lamps wander: a cell's quiet level follows slowly where nothing is followed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.watching.appearance import Appearance
from app.watching.colour import ColourCheck
from app.watching.course import Since
from app.watching.faults import Fault
from detectors.learned import LearnedView
from detectors.types import Box, Frame

type Heat = NDArray[np.float32]

SETTLE_S = 1.0
_SETTLE_FRAMES = 5
LONGEST_SETTLE_S = 5.0
"""Nothing new is told while it settles: a second and while it goes on growing, at most this."""
_GROWS = 1.1
"""It does if half of the map rises by more than this share within a settling time."""
_RAISED = 1.5
"""A whole picture has changed where half of its map is above so many times the usual, ..."""
_RAISED_BY = 0.15
"""... and so much above it."""
_UNNAMED = 2.5
"""... and, where nobody can say what has changed, so many times."""
_USUAL = 0.3
"""Half of the map of an ordinary picture is below this."""
_FOLLOW = 0.02
"""How quickly what is usual follows, of every frame."""
_FOLLOW_S = 60.0
"""How quickly a cell's quiet level follows while a change lasts, time constant; a thing is followed
from its first second on, and is not in it."""
_OVER_S = 1.0
"""It is over if it was not seen for so long."""
_MARGIN = 1.3
"""A thing must be above what the change itself varied by, so much."""
_FAINT, _AGAIN, _MORE = 2.0, 2, 1.15
"""What was no more than so many times what it must be, and went again so many times from one place,
is what the change makes of that place and beside, and may be so much more: shadows pass, and coarse
blocks come and go with them."""
_THERE = 0.3
_SHAPES = 10
"""Quantile of a cell's newest settling maps, over their level, that is its quiet level: a thing
that came meanwhile is not in it."""

FOUND = ((1.1, ""), (1.5, "6%"), (2.1, "9%"), (2.8, "12%"), (4.0, "20%"))
"""Up to which bar (score of a thing, over the usual) things of which width are still found.
Reckoned from the scores of such things in ordinary pictures. Of things of 6% in changed ones 6 of 6
were found at a bar of 1 (infrared), 2 of 4 at 1.9 (compression), 3 of 6 above 2.1 (no focus)."""


@dataclass(slots=True, eq=False)
class _Change:
    """One change, from its first frame on."""

    begun: Since
    fault: Fault
    spared: NDArray[np.bool_]
    """Cells [h, w] where something was followed before."""
    settling: list[Heat] = field(default_factory=list)
    frames: int = 1
    seen_s: float = 0.0
    """When it was seen last."""
    at_s: float = 0.0
    """Time of the newest frame."""
    settled: bool = False
    quiet: Heat = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """Once it has settled, how unusual each cell is by the change alone [h, w]."""
    level: float = 0.0
    """Half of the quiet map is below this."""
    bar: float = 1.0
    """What a thing must add to count, over the usual."""
    settled_s: float = 0.0
    """How long it took."""
    visits: "_Visits | None" = None
    """What was followed where, once it has settled."""

    @property
    def borne(self) -> Heat:
        """How unusual each cell [h, w] may be without anything there."""
        return self.quiet if self.visits is None else np.maximum(self.quiet, self.visits.learned)


@dataclass(slots=True, eq=False)
class _Visits:
    """What faint things came to each cell of a picture that has changed, and went again."""

    learned: Heat
    """How unusual those made each cell [h, w] that went from there often enough, else 0."""
    there: NDArray[np.bool_] = field(init=False)
    highest: Heat = field(init=False)
    added: Heat = field(init=False)
    times: NDArray[np.int_] = field(init=False)

    def __post_init__(self) -> None:
        self.there = np.zeros(self.learned.shape, np.bool_)
        self.times = np.zeros(self.learned.shape, np.int_)
        self.highest, self.added = np.zeros_like(self.learned), np.zeros_like(self.learned)

    def see(self, there: NDArray[np.bool_], heat: Heat, added: Heat) -> None:
        """Take where something is followed, the map, and what it is above the change."""
        came, went = there & ~self.there, self.there & ~there
        faint = went & (self.added <= _FAINT)
        self.times = np.where(went & ~faint, 0, self.times + faint)
        learns = faint & (self.times >= _AGAIN)
        reached = np.where(learns, np.float32(_MORE) * self.highest, np.float32(0))
        self.learned = np.maximum(self.learned, cv2.dilate(reached, np.ones((3, 3), np.uint8)))
        self.highest = np.where(came, heat, np.maximum(self.highest, heat))
        self.added = np.where(came, added, np.maximum(self.added, added))
        self.there = there


class ChangeCheck:
    """Watches for changes of the whole picture of one camera."""

    def __init__(self, view: LearnedView | None) -> None:
        """Begin with an ordinary picture; a `view` of None lets only lost colour be told."""
        self._appearance = None if view is None else Appearance(view)
        self._colour = ColourCheck(view)
        self._usual = _USUAL
        self._before: Heat | None = None
        self._now: _Change | None = None

    @property
    def fault(self) -> Fault | None:
        """What has changed; None if nothing has, or if it is not known yet whether it has."""
        now = self._now
        return now.fault if now is not None and now.settled else None

    @property
    def at_rest(self) -> bool:
        """Whether nothing has changed, or it is known what has."""
        return self._now is None or self._now.settled

    @property
    def since(self) -> Since | None:
        """Where it began."""
        now = self._now
        return None if now is None else replace(now.begun, frames=now.frames)

    @property
    def said(self) -> str:
        """What people should know of it."""
        now = self._now
        if now is None or not now.settled:
            return ""
        return f"{found_sentence(now.bar)} Nothing new was told for {now.settled_s:.1f} s."

    def see(self, frame: Frame, heat: Heat, followed: Iterable[Box]) -> Heat:
        """Take the next frame.

        Args:
            frame: RGB uint8 [H, W, 3], as it was taken.
            heat: Its anomaly map [h, w], 1.0 where just unusual.
            followed: Where things are that were found before, pixels of the view.

        Returns:
            The map, 1.0 where just unusual for a picture that has changed so.
        """
        level = float(np.median(heat))
        fault = self._fault(frame, heat, level)
        self._before = heat
        if self._now is None and fault is not None:
            spared = cells(followed, heat.shape, frame)
            self._now = _Change(Since(frame.pts_s, frame.time_us, 1), fault, spared)
        if self._now is None:
            self._usual += _FOLLOW * (level - self._usual)
            return heat
        return self._without(self._now, frame, heat, fault, cells(followed, heat.shape, frame))

    def _fault(self, frame: Frame, heat: Heat, level: float) -> Fault | None:
        """What is wrong with the picture as a whole; None if nothing is."""
        if self._colour.lost_in(frame):
            return "colourless"
        raised = level > max(_RAISED * self._usual, self._usual + _RAISED_BY)
        if not raised or self._appearance is None:
            return None
        look = self._appearance.of(frame.image)
        if look is not None or self._before is None:
            return look
        # Rain and things that pass are in one frame here, in the next there.
        both = float(np.median(np.minimum(heat, self._before)))
        return "changed" if both > _UNNAMED * self._usual else None

    def _without(
        self,
        now: _Change,
        frame: Frame,
        heat: Heat,
        fault: Fault | None,
        there: NDArray[np.bool_],
    ) -> Heat:
        """The map without what the change alone has made unusual."""
        passed_s, now.at_s = frame.pts_s - now.at_s, frame.pts_s
        now.frames += 1
        if fault is not None:
            now.seen_s = frame.pts_s
            if not now.settled or "changed" in (now.fault, fault):
                now.fault = fault if fault != "changed" else now.fault
        elif now.fault == "colourless" or frame.pts_s - now.seen_s >= _OVER_S:
            self._now = None
            return heat
        if not now.settled:
            now.settling.append(heat)
            _settle(now, frame)
            return np.where(now.spared, heat, np.float32(0))
        added = _added(now, heat)
        now.visits = now.visits or _Visits(np.zeros_like(heat))
        now.visits.see(there, heat, added)
        share = np.float32(-np.expm1(-passed_s / _FOLLOW_S))
        now.quiet = np.where(there, now.quiet, now.quiet + share * (heat - now.quiet))
        now.level = float(np.median(now.quiet))
        return added


def found_sentence(bar: float) -> str:
    """What can still be found where things must stand out `bar` times as much as usually."""
    for most, width in FOUND:
        if bar <= most:
            narrow = f"Only things wider than about {width} of the view are found."
            return narrow if width else "Things are found as before."
    return "Hardly anything can be found."


def _settle(now: _Change, frame: Frame) -> None:
    """Take the quiet level once the change has come to rest."""
    lasts_s = frame.pts_s - now.begun.at_s
    newest = now.settling[-_SETTLE_FRAMES:]
    if lasts_s < SETTLE_S or len(newest) < _SETTLE_FRAMES:
        return
    levels = [float(np.median(heat)) for heat in newest]
    if max(levels) > _GROWS * min(levels) and lasts_s < LONGEST_SETTLE_S:
        return
    shapes = [heat / max(float(np.median(heat)), 1e-3) for heat in now.settling[-_SHAPES:]]
    quiet = (np.quantile(shapes, _THERE, axis=0) * np.median(levels)).astype(np.float32)
    # What stood there before the change is not part of it.
    usual = float(np.quantile(quiet[~now.spared], 0.8)) if not now.spared.all() else 0.0
    now.quiet = np.where(now.spared, np.minimum(quiet, usual), quiet)
    now.level, now.settled_s = float(np.median(now.quiet)), lasts_s
    rest = [_excess(heat, now)[~now.spared].max(initial=0.0) for heat in newest]
    now.bar = max(1.0, _MARGIN * float(np.median(rest)))
    now.settling, now.settled = [], True


def _added(now: _Change, heat: Heat) -> Heat:
    """What things add to a map [h, w], over what they must."""
    return (_excess(heat, now) / np.float32(now.bar)).astype(np.float32)


def _excess(heat: Heat, now: _Change) -> Heat:
    quiet = now.borne * np.float32(max(1.0, float(np.median(heat)) / max(now.level, 1e-3)))
    # A map is smooth: what is unusual beside a cell may come to it with the next noise.
    quiet = cv2.dilate(quiet, np.ones((3, 3), np.uint8))
    return np.sqrt(np.maximum(heat * heat - quiet * quiet, 0)).astype(np.float32)


def cells(boxes: Iterable[Box], shape: Sequence[int], frame: Frame) -> NDArray[np.bool_]:
    """The cells of a map [h, w] that boxes in a frame touch, and those beside them."""
    height, width = frame.image.shape[:2]
    down, across = shape[0] / height, shape[1] / width
    touched = np.zeros((shape[0], shape[1]), np.bool_)
    for box in boxes:
        rows = slice(max(0, int(box.y1 * down) - 1), int(np.ceil(box.y2 * down)) + 1)
        columns = slice(max(0, int(box.x1 * across) - 1), int(np.ceil(box.x2 * across)) + 1)
        touched[rows, columns] = True
    return touched
