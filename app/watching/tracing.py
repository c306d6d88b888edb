"""Notes what is followed in each frame, so that `nomaly events would` can follow it again.

Frames are noted from a little before something is found until a while after. What stands is noted
seldom. All of it is bounded: a camera may fill SPARE_BYTES on a bad day, and BYTES_A_DAY in the
long run.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.events.packing import packed
from app.events.trace import Patch, SeenFrame, SeenThing, Trace, columns_of
from calibration.levels import Finds
from detectors.linking import look_of
from detectors.types import Box, Detection, Frame

BYTES_A_DAY = 300_000
SPARE_BYTES = 3_000_000
TAIL_S = 10.5
"""Frames are noted for so long after the last thing: by then all that was followed has ended."""
BEFORE_S, BEFORE = 1.2, 8
"""Frames of so many seconds, or so many, that come before: they tell the pace."""
STANDS_AFTER_S = 20.0
"""What is followed for so long and stands is noted seldom, ..."""
LONGEST_S = 60.0
"""... once in so many seconds at least, or in a tenth of the time that it was there."""
_SAME_BOX, _SAME_SCORE = 0.7, 1.15
MOST_FRAMES = 400
"""Of one trace."""
_PATCH_S = 1.0
"""The map around a thing is noted once in so many seconds, ..."""
_PATCH_IOU = 0.6
"""... and when its box is another."""
_MOST_CELLS = 24
"""Of a side; of larger things every second cell is noted, or fewer."""
LEVELS = tuple(1.1**number for number in range(1, 13))
"""Bars at which it is asked whether something falls apart, over that in force."""
LOOKS, LOOKS_A_FRAME = 40.0, 0.02
"""Looks for things at a higher bar: so many at once, and for each frame in the long run."""
MOST_LEVELS = 4
"""Of a frame, the lowest."""
MOST_THINGS = 16
"""Of a frame, the strongest."""
_BREAK_S = 2.0
_JITTER_US = 100_000
"""By so much both times of frames may drift apart within a trace."""

type _Head = tuple[str, int, tuple[int, int], float]
"""Camera, offset of its clock in microseconds, size and bar of what is being noted."""


class Tracing:
    """Notes the frames of one camera."""

    def __init__(self, finds: Finds | None = None) -> None:
        """Start with nothing.

        Args:
            finds: As the camera finds; without it nothing is noted of what would fall apart.
        """
        self._finds, self._looks = finds, LOOKS
        self._before: deque[float] = deque(maxlen=BEFORE)
        self._frames: list[SeenFrame] = []
        self._head: _Head | None = None
        self._done: list[Trace] = []
        self._joined = False
        self._stood: list[tuple[float, float, Box]] = []
        """Since when something stands, when it was seen last, and where."""
        self._last_s = -np.inf
        """When something was found last."""
        self._now_s = -np.inf
        self._patched: list[tuple[float, Detection]] = []
        self._spare, self._counted_s = float(SPARE_BYTES), -np.inf

    def see(
        self,
        frame: Frame,
        things: Sequence[Detection],
        heat: NDArray[np.float32] | None,
        bar: float,
    ) -> None:
        """Take one more frame.

        Args:
            frame: Later than all before it, laid on the view.
            things: What is followed in it, scores over the bar.
            heat: Its map [h, w], not divided; None if it shows what the one before did.
            bar: What the map was divided by.
        """
        now_s = frame.pts_s
        self._looks = min(LOOKS, self._looks + LOOKS_A_FRAME)
        head = self._head_of(frame, bar, self._head)
        if now_s <= self._now_s or now_s - self._now_s > TAIL_S or head != self._head:
            self._end(going_on=0 < now_s - self._now_s <= _BREAK_S)
        self._head, self._now_s = head, now_s
        if things:
            self._last_s = now_s
            self._begin(now_s)
            strongest = sorted(things, key=lambda one: -one.score)[:MOST_THINGS]
            self._add(frame, strongest, None if heat is None else heat / np.float32(bar))
        elif self._frames or self._joined:
            if now_s - self._last_s > TAIL_S:
                self._end(going_on=False)
            else:
                self._frames.append(SeenFrame(now_s, (), now_s))
        self._before.append(now_s)
        if len(self._frames) >= MOST_FRAMES:
            self._end(going_on=True)

    def finish(self) -> None:
        """End what is being noted."""
        self._end(going_on=False)

    def take(self, *, whole: bool = False) -> list[Trace]:
        """What was noted since this was asked last.

        Args:
            whole: Up to the newest frame; else what is whole by itself.
        """
        if whole:
            self._end(going_on=True)
        done, self._done = self._done, []
        return done

    @staticmethod
    def _head_of(frame: Frame, bar: float, before: _Head | None) -> _Head:
        offset_us = frame.time_us - round(1e6 * frame.pts_s)
        if before is not None and abs(before[1] - offset_us) <= _JITTER_US:
            offset_us = before[1]
        return frame.camera, offset_us, (frame.image.shape[0], frame.image.shape[1]), bar

    def _begin(self, now_s: float) -> None:
        """Begin a trace with the frames before, unless one is under way."""
        if self._frames or self._joined:
            return
        self._frames = [
            SeenFrame(at_s, (), at_s) for at_s in self._before if 0 < now_s - at_s <= BEFORE_S
        ]

    def _add(
        self, frame: Frame, things: Sequence[Detection], heat: NDArray[np.float32] | None
    ) -> None:
        now_s = frame.pts_s
        plain = (n for n in reversed(range(len(self._frames))) if self._frames[n].level == 1)
        number = next(plain, None)
        last = None if number is None else self._frames[number]
        if number is not None and last is not None and self._goes_on(last, now_s, things):
            self._frames[number] = replace(last, until_s=now_s)
            return
        noted = tuple(self._thing(frame, one, heat) for one in things)
        self._frames.append(SeenFrame(now_s, noted, now_s))
        if self._finds is None or heat is None or self._looks < MOST_LEVELS:
            return
        for level in _levels(things, heat, (frame.image.shape[0], frame.image.shape[1])):
            self._looks -= 1
            found = self._finds.find(heat / np.float32(level), frame.image)
            parts = [_as_followed(one, level, things) for one in found]
            apart = tuple(_bare(frame, one) for one in parts if one is not None)
            self._frames.append(SeenFrame(now_s, apart, now_s, level))

    def _goes_on(self, last: SeenFrame, now_s: float, things: Sequence[Detection]) -> bool:
        """Whether a frame shows what stands there for long, and was noted not long ago."""
        there_s = self._there_s(now_s, things)
        if there_s < STANDS_AFTER_S or now_s - last.pts_s > min(LONGEST_S, there_s / 10):
            return False
        if now_s - last.until_s > _BREAK_S / 2 or len(last.things) != len(things):
            return False
        return all(any(_same(one, other.shown) for other in last.things) for one in things)

    def _there_s(self, now_s: float, things: Sequence[Detection]) -> float:
        """For how long each of these things has stood where it is at least, in seconds."""
        stood = [one for one in self._stood if now_s - one[1] <= _BREAK_S]
        left, self._stood = stood, []
        for thing in things:
            since_s = now_s
            for number, (begun_s, _, box) in enumerate(left):
                if box.iou(thing.box) >= _SAME_BOX:
                    since_s = begun_s
                    del left[number]
                    break
            self._stood.append((since_s, now_s, thing.box))
        # What is not seen for a moment is remembered where it was.
        self._stood += left
        return now_s - max(since_s for since_s, at_s, _ in self._stood if at_s == now_s)

    def _thing(self, frame: Frame, one: Detection, heat: NDArray[np.float32] | None) -> SeenThing:
        look = look_of(frame.image, one.box)
        patch, now_s = None, frame.pts_s
        self._patched = [pair for pair in self._patched if now_s - pair[0] < _PATCH_S]
        if heat is not None and not any(
            other.box.iou(one.box) >= _PATCH_IOU for _, other in self._patched
        ):
            patch = patch_of(heat, one, (frame.image.shape[0], frame.image.shape[1]))
            self._patched.append((now_s, one))
        return SeenThing(one, look, patch)

    def _end(self, *, going_on: bool) -> None:
        """Close the trace that is under way."""
        frames, self._frames = self._frames, []
        joined, self._joined = self._joined, going_on and bool(frames or self._joined)
        self._patched = []
        if not self._joined:
            self._before.clear()
        if not frames or self._head is None:
            return
        camera, offset_us, size, bar = self._head
        start_s, end_s = frames[0].pts_s, frames[-1].until_s
        start_us = offset_us + round(1e6 * start_s)
        trace = Trace(camera, start_us, tuple(frames), end_s, start_s, size, bar, joined)
        self._keep(trace)

    def _keep(self, trace: Trace) -> None:
        """Keep a trace if there is room, else note that there was none."""
        if not any(frame.things for frame in trace.frames) and not trace.joined:
            return
        passed_s = max(0.0, trace.end_s - self._counted_s)
        if np.isfinite(passed_s):
            self._spare = min(SPARE_BYTES, self._spare + BYTES_A_DAY * passed_s / 86_400)
        self._counted_s = trace.end_s
        self._spare -= len(packed(columns_of(trace.frames)))
        if self._spare < 0:
            self._spare = 0.0
            trace = Trace(
                trace.camera, trace.start_us, (), trace.end_s, trace.start_s, trace.size,
                trace.bar, trace.joined,
            )  # fmt: skip
        self._done.append(trace)


def patch_of(heat: NDArray[np.float32], one: Detection, size: tuple[int, int]) -> Patch | None:
    """The map around a thing.

    Args:
        heat: The map [h, w], over the bar.
        one: Its box in pixels of the view.
        size: (height, width) of the view.

    Returns:
        None if it is so large that the map would be too much.
    """
    rows, across = heat.shape
    right, down = across / size[1], rows / size[0]
    box = one.box
    x1, y1 = max(0, int(box.x1 * right) - 2), max(0, int(box.y1 * down) - 2)
    x2, y2 = min(across, int(box.x2 * right) + 3), min(rows, int(box.y2 * down) + 3)
    if x2 - x1 > _MOST_CELLS or y2 - y1 > _MOST_CELLS or x2 <= x1 or y2 <= y1:
        return None
    values = heat[y1:y2, x1:x2]
    kept = np.where(values >= 1, np.nan_to_num(values, posinf=1e6), 0).astype(np.float32)
    return Patch(x1, y1, kept, (rows, across))


def _levels(
    things: Sequence[Detection], heat: NDArray[np.float32], size: tuple[int, int]
) -> list[float]:
    """At which bars, from the lowest on, something else is found: a thing falls apart there."""
    most = max(one.score for one in things)
    levels = [level for level in LEVELS if level < most]
    apart = [0] * len(levels)
    rows, across = heat.shape
    for one in things:
        if one.score < LEVELS[0]:
            continue
        box = one.box.scaled(across / size[1], rows / size[0])
        part = heat[
            max(0, int(box.y1) - 1) : int(np.ceil(box.y2)) + 1,
            max(0, int(box.x1) - 1) : int(np.ceil(box.x2)) + 1,
        ]
        for number, level in enumerate(levels):
            if level < one.score:
                cells = (part >= level).astype(np.uint8)
                apart[number] += max(0, cv2.connectedComponents(cells, connectivity=8)[0] - 2)
    changes = [n for n, count in enumerate(apart) if count != (apart[n - 1] if n else 0)]
    return [levels[number] for number in changes][:MOST_LEVELS]


def _as_followed(one: Detection, level: float, things: Sequence[Detection]) -> Detection | None:
    """What is found at a level as at the bar itself; None if it was taken for light there."""
    near = [other for other in things if one.box.overlap(other.box) > 0]
    if not near:
        return None
    doubted = all(other.doubted for other in near)
    return replace(one, score=one.score * level, doubted=doubted)


def _bare(frame: Frame, one: Detection) -> SeenThing:
    return SeenThing(one, look_of(frame.image, one.box), None)


def _same(one: Detection, other: Detection) -> bool:
    low, high = sorted((one.score, other.score))
    return high <= _SAME_SCORE * low and one.box.iou(other.box) >= _SAME_BOX
