"""How far from ringing all was that a camera saw: what rang, by how much, and what did not, why.

Whatever is just unusual, 1.0 times the bar, is followed a second time (`calibration.levels`), where
nothing opens. So it is known at which bar a thing would have rung, whether it did or not, down to
1 / `TrackRule.open_score` of the bar. To look below that, too, would double the time of an audit.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from math import inf
from statistics import median

import numpy as np
from numpy.typing import NDArray

from app.events.moment import Moment, Silence
from app.events.trace import Trace
from app.watching.tracing import Tracing
from calibration.levels import Finds, FoundLevels, Level, opening_level
from calibration.tail import GAP_S
from detectors.track import Track
from detectors.tracks import TrackRule
from detectors.types import Box, Detection, Frame

SAME = 0.3
"""What an event covers so much of is the event, or a part of it."""
AROUND_S = 2.0
"""An event is looked for so long before and after."""
_LOWEST = 0.1
"""Levels are told from there on; no bar is lower."""
_REMEMBERED_S = 3 * GAP_S
_MISSED = 1.5
"""Sightings further apart than so many usual steps have frames between them."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in one frame from the bar on."""

    things: Sequence[Detection]
    """Scores as in the map divided by the bar."""
    lit: Sequence[Box]
    """Where some of it was taken for light."""
    followed: Sequence[Detection] = ()
    """What of it was followed."""


class NearMisses:
    """Follows one camera's frames below the bar."""

    def __init__(
        self,
        rule: TrackRule,
        finds: Finds | None = None,
        tracing: Callable[[Finds | None], Tracing] = Tracing,
    ) -> None:
        """Start with nothing.

        Args:
            rule: As the camera follows.
            finds: As the camera finds; by it is noted what falls apart at a higher bar.
            tracing: Makes, of `finds`, what notes the frames.
        """
        # Before it is worked out at which bar: what stands there for weeks needs none.
        self._levels = FoundLevels(rule, _LOWEST, self._is_told)
        self._told: deque[tuple[float, Box]] = deque()
        self._lit: deque[tuple[float, Box]] = deque()
        self._offset_s = 0.0
        self._camera = ""
        self._bar = 1.0
        self._tracing = tracing(finds)

    def see(
        self,
        frame: Frame,
        found: Found | None,
        told: Iterable[Box],
        bar: float,
        heat: NDArray[np.float32] | None = None,
    ) -> None:
        """Take one more frame.

        Args:
            frame: Later than all before it.
            found: What was found in it; None if it shows what the one before did.
            told: Where the things of open events are.
            bar: What its map was divided by.
            heat: The map [h, w], not divided; None if it shows what the one before did.
        """
        self._tracing.see(frame, () if found is None else found.followed, heat, bar)
        self._camera, self._bar = frame.camera, bar
        self._offset_s = frame.time_us / 1e6 - frame.pts_s
        lit = () if found is None else found.lit
        for boxes, seen in ((self._told, told), (self._lit, lit)):
            boxes.extend((frame.pts_s, box) for box in seen)
            while boxes and frame.pts_s - boxes[0][0] > _REMEMBERED_S:
                boxes.popleft()
        if found is None:
            self._levels.again(frame)
            return
        things = [replace(one, score=one.score * bar / _LOWEST) for one in found.things]
        self._levels.take_found(
            frame, max((one.score * _LOWEST for one in things), default=0), things
        )

    def finish(self) -> None:
        """End what is followed."""
        self._levels.finish()
        self._tracing.finish()

    def traces(self, *, whole: bool) -> list[Trace]:
        """What was followed since this was asked last; see `Tracing.take`."""
        return self._tracing.take(whole=whole)

    def take(self) -> list[Moment]:
        """What came near since this was asked last, and was not told."""
        levels = self._levels.take().levels
        return [self._moment(one, one.box) for one in levels if one.box is not None]

    def _is_told(self, start_s: float, end_s: float, box: Box) -> bool:
        """Whether something is what was told, or a part of it."""
        return self._touched(self._told, start_s, end_s, box)

    def _moment(self, level: Level, box: Box) -> Moment:
        """A level with what kept it silent."""
        end_s = level.time_s - self._offset_s
        start_s = end_s - level.lasted_s
        why: Silence = "bar"
        if level.value >= self._bar:
            why = "light" if self._touched(self._lit, start_s, end_s, box) else "tracking"
        return Moment(
            self._camera,
            start_s,
            end_s,
            round((start_s + self._offset_s) * 1e6),
            round(level.time_s * 1e6),
            box,
            level.value,
            self._bar,
            why,
        )

    @staticmethod
    def _touched(
        boxes: Iterable[tuple[float, Box]], start_s: float, end_s: float, box: Box
    ) -> bool:
        """Whether one of the boxes of about that time covers enough of this one."""
        return any(
            start_s - AROUND_S <= at_s <= end_s + AROUND_S
            and one.overlap(box) >= SAME * min(box.area, one.area)
            for at_s, one in boxes
        )


@dataclass(slots=True)
class Reached:
    """The highest level of an event so far.

    It is taken every GAP_S, of what was seen last: a track thins out its older sightings, and these
    would tell another.
    """

    level: float = 0.0
    """The largest bar at which it would have been told; 0 while nobody asked."""
    until_s: float | None = None
    """It was asked up to here, in seconds of the source; None if it never was."""

    def note(self, rule: TrackRule, track: Track, bar: float) -> None:
        """Take the level if that is due.

        Args:
            rule: As the camera follows.
            track: After each frame in which it was seen.
            bar: What its maps were divided by.
        """
        before_s = track.start_s if self.until_s is None else self.until_s
        if track.opened and track.end_s - before_s >= GAP_S:
            self._take(rule, track, bar)

    def told(self, rule: TrackRule, track: Track, bar: float) -> float:
        """The highest level up to now, at least the bar: it was told.

        Args:
            rule: As the camera follows.
            track: That opened.
            bar: What its maps were divided by.
        """
        self._take(rule, track, bar)
        return max(bar, self.level)

    def _take(self, rule: TrackRule, track: Track, bar: float) -> None:
        since_s = -inf if self.until_s is None else self.until_s - GAP_S
        newest = list(takewhile(lambda one: one[0] >= since_s, reversed(track.path)))[::-1]
        most = max((score for *_, score in newest), default=0.0) * bar / rule.open_score
        if most > self.level:
            self.level = max(self.level, _level_of(rule, newest, bar))
        self.until_s = track.end_s


def _level_of(rule: TrackRule, path: Sequence[tuple[float, Box, float]], bar: float) -> float:
    """The largest bar at which sightings would have been told, by their clearest ten seconds."""
    path = _clearest(path, rule.window_frames)
    steps = [late - early for (early, *_), (late, *_) in pairwise(path)]
    step_s = median(steps) if steps else rule.window_s
    frames: list[tuple[float, Detection | None]] = []
    for at_s, box, score in path:
        while frames and at_s - frames[-1][0] > _MISSED * step_s:
            frames.append((frames[-1][0] + step_s, None))
        frames.append((at_s, Detection(box, score * bar)))
    return opening_level(rule, frames)


def _clearest(
    path: Sequence[tuple[float, Box, float]], window: int
) -> Sequence[tuple[float, Box, float]]:
    """The sightings within GAP_S / 2 of where most of a window were strong."""
    if not path:
        return path
    scores = [score for *_, score in path]
    within = [scores[max(0, n - window + 1) : n + 1] for n in range(len(scores))]
    strong = [sum(part) for part in within]
    middle_s = path[max(range(len(path)), key=strong.__getitem__)][0]
    return [one for one in path if abs(one[0] - middle_s) <= GAP_S / 2]
