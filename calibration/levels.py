"""At which level normal footage would have rung: by the product's own boxes and tracker.

What counts is not a frame but an event, which needs several hits at one place and a peak. So the
maps are followed far below the level that matters; whatever is followed there is then played again
to the tracker, cut off ever higher, until it opens no more.

In a calm view hardly anything is followed even there. Then each frame's highest value bounds what
could have opened in it, as no event opens without the peak that the rule asks for.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from calibration.tail import GAP_S, Scores, scores_of
from detectors.tracks import LEAST_HITS, Track, Tracker, TrackRule
from detectors.types import Box, Detection, Frame, Pixels

LONGEST_STEP_S = 2.0
"""Frames further apart than this have not been watched in between."""
MOST_BOXES = 6
"""Of a frame; below its strongest there is no tail."""
_NEVER = 1e9
_NO_IMAGE = np.zeros((1, 1, 3), np.uint8)


class Finds(Protocol):
    """Whatever makes detections of maps, as a camera does."""

    def find(
        self,
        heat: NDArray[np.float32],
        image: Pixels,
        mask: NDArray[np.bool_] | None = None,
        most: int = ...,
    ) -> list[Detection]:
        """The `most` strongest in one map [h, w], 1.0 just unusual, of an image [H, W, 3]."""
        ...


@dataclass(frozen=True, slots=True)
class Level:
    """What one thing of normal footage would have needed to ring."""

    time_s: float
    """UTC, in seconds since 1970."""
    value: float
    """The largest number that the maps can be divided by so that it still opens an event."""
    lasted_s: float = 0.0
    """For how long it had been followed then, at most GAP_S."""
    box: Box | None = None
    """Where it was seen most clearly, in pixels of the frame; None of what is no single thing."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a stretch of normal footage showed."""

    hours: float = 0.0
    """Its length, without gaps."""
    levels: tuple[Level, ...] = ()
    """Of everything that was followed."""
    bounds: tuple[Level, ...] = ()
    """For every ten seconds, the level above which nothing can have opened in them."""


@dataclass(slots=True, eq=False)
class _Followed:
    """What is followed at the lowest level."""

    seen: dict[float, Detection] = field(default_factory=dict)
    """Its detections by the frames' times, scores as in the undivided maps."""


class FoundLevels:
    """Follows what was found in one camera's frames: the levels at which it would have rung."""

    def __init__(
        self,
        rule: TrackRule,
        lowest: float,
        known: Callable[[float, float, Box], bool] = lambda *_: False,
    ) -> None:
        """Start with nothing.

        Args:
            rule: As the camera follows.
            lowest: Level below which nothing is followed, above 0.
            known: Whether something that was seen from one time to another, in seconds, in a box
                needs no level.
        """
        self._known = known
        self.lowest = lowest
        self._rule = rule
        # Nothing may open: an open track swallows what lies inside it.
        self._tracker = Tracker(rule.model_copy(update={"open_score": _NEVER}))
        self._followed: dict[Track, _Followed] = {}
        self._times: deque[float] = deque()
        self._offset_s = 0.0
        self._watched_s = 0.0
        self._levels: list[Level] = []
        self._bounds: list[Level] = []
        self._last: tuple[float, Sequence[Detection]] | None = None

    def take_found(self, frame: Frame, highest: float, found: Sequence[Detection]) -> None:
        """Take one more frame.

        Args:
            frame: Later than all before it, else what was followed ends.
            highest: Highest value of its map.
            found: In any order, scores as in the map divided by `lowest`.
        """
        strongest = sorted(found, key=lambda one: -one.score)[:MOST_BOXES]
        self._last = highest, strongest
        self._take(frame, highest, strongest)

    def again(self, frame: Frame) -> None:
        """Take one more frame that shows what the one before did, if there was one."""
        if self._last is not None:
            self._take(frame, *self._last)

    def _take(self, frame: Frame, highest: float, strongest: Sequence[Detection]) -> None:
        """Follow what was found in a frame."""
        self._go_to(frame)
        self._bound(highest)
        changes = self._tracker.update(frame, strongest)
        for track, detection in changes.seen:
            kept = self._followed.setdefault(track, _Followed())
            score = detection.score * self.lowest
            kept.seen[frame.pts_s] = replace(detection, score=score)
        for track in (*changes.dropped, *changes.closed):
            self._note(self._followed.pop(track, _Followed()))
        for kept in self._followed.values():
            if frame.pts_s - min(kept.seen) >= GAP_S:
                self._note(kept)
                kept.seen = self._newest(kept.seen)

    def forget(self) -> None:
        """Leave out what is being followed: it turned out to be no normal footage."""
        self._tracker.finish()
        self._followed.clear()
        self._times.clear()
        self._last = None

    def finish(self) -> None:
        """End what is being followed, as at the end of the footage."""
        for kept in self._followed.values():
            self._note(kept)
        self.forget()

    @property
    def watched_s(self) -> float:
        """Seconds of footage since `take` was asked last."""
        return self._watched_s

    def take(self) -> Seen:
        """What was seen since this was asked last; what is still followed comes later."""
        seen = Seen(self._watched_s / 3600, tuple(self._levels), tuple(self._bounds))
        self._watched_s, self._levels, self._bounds = 0.0, [], []
        return seen

    def _go_to(self, frame: Frame) -> None:
        """Go on to a frame's time; what was followed ends where nobody watched."""
        step_s = frame.pts_s - self._times[-1] if self._times else 0.0
        if self._times and not 0 < step_s <= LONGEST_STEP_S:
            self.finish()
        elif self._times:
            self._watched_s += step_s
        self._offset_s = frame.time_us / 1e6 - frame.pts_s
        self._times.append(frame.pts_s)
        while self._times[0] < frame.pts_s - 2 * GAP_S - self._rule.window_s:
            self._times.popleft()

    def _bound(self, highest: float) -> None:
        """Note up to which level something can have opened in the newest frame."""
        level = Level(self._times[-1] + self._offset_s, highest / self._rule.open_score)
        last = self._bounds[-1] if self._bounds else None
        if last is not None and 0 <= level.time_s - last.time_s < GAP_S:
            # The block keeps the time at which it began.
            self._bounds[-1] = Level(last.time_s, max(last.value, level.value))
        else:
            self._bounds.append(level)

    def _note(self, kept: _Followed) -> None:
        """Note the level of one thing, if it opens at the lowest at all."""
        if not kept.seen:
            return
        first_s, last_s = min(kept.seen), max(kept.seen)
        clearest = max(kept.seen.values(), key=lambda one: one.score)
        if self._known(first_s, last_s, clearest.box):
            return
        times = [time_s for time_s in self._times if first_s <= time_s <= last_s]
        path = [(time_s, kept.seen.get(time_s)) for time_s in times]
        value = opening_level(self._rule, path, self.lowest)
        if value > self.lowest:
            time_s = last_s + self._offset_s
            self._levels.append(Level(time_s, value, last_s - first_s, clearest.box))

    def _newest(self, seen: dict[float, Detection]) -> dict[float, Detection]:
        """The detections of the last window: what begins in them may open later."""
        times = list(self._times)[-max(self._rule.window_frames, self._frames_of_window()) :]
        kept = {time_s: one for time_s, one in seen.items() if time_s >= times[0]}
        last = max(seen)
        return kept or {last: seen[last]}

    def _frames_of_window(self) -> int:
        now_s = self._times[-1]
        return sum(time_s > now_s - self._rule.window_s for time_s in self._times)


class OpeningLevels(FoundLevels):
    """The same of one camera's maps, in which it finds things itself."""

    def __init__(self, finds: Finds, rule: TrackRule, lowest: float) -> None:
        """Start with nothing.

        Args:
            finds: As the camera finds.
            rule: As the camera follows.
            lowest: Level below which nothing is followed, above 0.
        """
        super().__init__(rule, lowest)
        self._finds = finds

    def see(
        self, frame: Frame, heat: NDArray[np.float32], mask: NDArray[np.bool_] | None = None
    ) -> None:
        """Take one more frame.

        Args:
            frame: Later than all before it, else what was followed ends.
            heat: Its map [h, w]; cells that are no numbers are left out.
            mask: Cells that are watched [h, w]; None watches all.
        """
        heat = np.nan_to_num(heat, nan=0.0, posinf=0.0, neginf=0.0)
        highest = float(heat.max() if mask is None else heat.max(where=mask, initial=0.0))
        found = self._finds.find(heat / np.float32(self.lowest), frame.image, mask, MOST_BOXES)
        self.take_found(frame, highest, found)


def opening_level(
    rule: TrackRule, path: Sequence[tuple[float, Detection | None]], lowest: float = 0.0
) -> float:
    """The highest level at which a thing still opens an event, followed by itself.

    Args:
        rule: As the camera follows.
        path: Of each frame in turn its time in seconds, and the thing in it, score as in the
            undivided map; None where it was not seen.
        lowest: Levels from there on are tried.

    Returns:
        The largest number that the maps can be divided by; 0 if it opens at none above `lowest`.
    """
    scores = [one.score for _, one in path if one is not None]
    peaks = [score / rule.open_score for score in scores]
    cuts = sorted({cut for cut in (*scores, *peaks) if cut > lowest})
    # The tracker is asked as seldom as may be: it takes most of the time.
    guess = bisect_left(cuts, True, key=lambda cut: not _may_open(rule, path, cut)) - 1
    if guess >= 0 and _opens(rule, path, cuts[guess]):
        while guess + 1 < len(cuts) and _opens(rule, path, cuts[guess + 1]):
            guess += 1
        return cuts[guess]
    end = guess if guess >= 0 else len(cuts)
    below = bisect_left(cuts, True, 0, end, key=lambda cut: not _opens(rule, path, cut))
    return cuts[below - 1] if below > 0 else 0.0


def _may_open(
    rule: TrackRule, path: Sequence[tuple[float, Detection | None]], level: float
) -> bool:
    """Whether there are hits enough in some window, one of them high enough: about as it is."""
    needed = max(LEAST_HITS, rule.open_share * rule.window_frames)
    hits: deque[tuple[float, bool]] = deque()
    peak, count = 0.0, 0
    for time_s, one in path:
        score = one.score if one is not None and one.score >= level else 0.0
        hits.append((time_s, score > 0))
        count += score > 0
        while len(hits) > rule.window_frames and time_s - hits[0][0] >= rule.window_s:
            count -= hits.popleft()[1]
        peak = max(peak, score) if count else 0.0
        share = max(needed, rule.open_share * len(hits))
        if count >= share - 1e-9 and peak / level >= rule.open_score:
            return True
    return False


def _opens(rule: TrackRule, path: Sequence[tuple[float, Detection | None]], level: float) -> bool:
    """Whether these detections open an event when the maps are divided by `level`."""
    tracker = Tracker(rule)
    for number, (time_s, one) in enumerate(path):
        hits = [replace(one, score=one.score / level)] if one and one.score >= level else []
        frame = Frame("", number, time_s, round(time_s * 1e6), _NO_IMAGE)
        if tracker.update(frame, hits).opened:
            return True
    return False


def scores_from(levels: Iterable[Level], hours: float) -> Scores:
    """Levels as scores whose tail can be fitted.

    Raises:
        ValueError: If no time was watched.
    """
    ordered = sorted(levels, key=lambda one: one.time_s)
    times, values = [one.time_s for one in ordered], [one.value for one in ordered]
    return scores_of(times, values, hours)
