"""One thing over time: where it was seen, how it moves, and what hides it."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import islice, pairwise, takewhile
from math import hypot
from statistics import median

import numpy as np

from detectors.linking import ALIKE_SIZE, Look, Place
from detectors.types import Box, Detection, Frame

MOST_SIGHTINGS = 4000
"""A track's older sightings are thinned out beyond so many; bounds its memory."""

RECENT_S, RECENT = 1.0, 5
"""Sightings of so many seconds, or so many, tell the extent of a track and how it moves."""

COAST_S = 1.0
"""A thing that is not seen goes on as it went for so long, ..."""
HIDDEN_COAST_S = 1.5
"""... and for so long while another is seen in its place."""

STILL_SHARE = 0.5
"""A thing stands while its box and what it was when it came to rest share so much of one ..."""
STILL_GROWTH = 4.0
"""... and the other is at most so many times as large: at times a part of it is seen."""
STANDING_S = 1.0
"""... and has done so for this long."""
MOVED_S = 0.5
"""It has moved once it was seen elsewhere alone for so long: one odd box is none."""
MOST_PARTS = 20

PASSES = 0.5
"""Things pass each other at so many widths a second; slower ones are seen well enough ..."""
PASSING_S = 3.0
"""... and after so long it is not known any more how they went."""

MORE = 1.2
"""A detection that is so many times as large as a thing shows others as well."""

STEADY = 0.5
"""What moves at one pace is seen within so many of its sides from where it should be."""

_PRESENT = (
    *("end_s", "end_us", "hits", "leaps", "beyond_doubt", "alone", "together", "alive_s"),
    *("still_s", "rest", "away_s", "look", "parts"),
)
"""What tells where a thing is and goes, not what it was."""

_REMEMBERED_S, _FRESH = 0.6, 0.3
"""What a thing looks like is remembered for about so long; one sighting counts for so much."""


@dataclass(slots=True, eq=False)
class Track:
    """The detections of one thing over time."""

    camera: str
    start_s: float
    """Time in the source at which it was first seen."""
    start_us: int
    """The same as UTC in microseconds."""
    path: list[tuple[float, Box, float]] = field(default_factory=list)
    """(pts_s, box, score) of its sightings; every second one of a very long track's older half."""
    end_s: float = 0.0
    """Time at which it was last seen."""
    end_us: int = 0
    peak: float = 0.0
    """Highest score so far."""
    frames: int = 0
    """How many frames it was seen in."""
    hits: deque[bool] = field(default_factory=deque)
    """Whether it was hit, for each of the newest frames."""
    leaps: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    """When it was found by a leap, the newest times."""
    opened: bool = False
    beyond_doubt: bool = False
    """Whether any sighting of it was of itself alone, not of light or the like."""
    alone: deque[tuple[float, Box]] = field(default_factory=deque)
    """(pts_s, box) of its newest sightings without others in the same detection."""
    together: Box | None = None
    """The detection that shows it and others; None while it is seen alone, or not at all."""
    alive_s: float = 0.0
    """Time at which it was last seen, or hidden by another."""
    still_s: float = 0.0
    """Since when it has not moved."""
    rest: Box | None = None
    """Where it came to rest."""
    away_s: float | None = None
    """Since when it was not seen there; None if it was, the last time."""
    look: list[list[float]] | None = None
    """What it looks like, colours of stripes; None if that is not known."""
    awaited_s: float | None = None
    """Until when it is waited for after a time in which nobody looked; None if it is not."""
    id: str = ""
    """Of its event, if it was one before that time."""
    parts: deque[Box] = field(default_factory=lambda: deque(maxlen=MOST_PARTS))
    """Where parts of it were seen apart from it when it came to rest."""

    def __post_init__(self) -> None:
        # What was read from JSON knows no bounds.
        self.leaps, self.parts = deque(self.leaps, RECENT), deque(self.parts, MOST_PARTS)

    @property
    def box(self) -> Box:
        """Where it was seen last, in pixels of the frame."""
        return self.path[-1][1]

    @property
    def extent(self) -> Box:
        """Around its newest sightings: a thing of several parts is not whole in every one."""
        now_s = self.path[-1][0]
        earlier = islice(reversed(self.path), RECENT, None)
        newest = takewhile(lambda one: now_s - one[0] <= RECENT_S, earlier)
        boxes = [box for _, box, _ in (*self.path[-RECENT:], *newest)]
        return reduce(Box.union, boxes)

    def see(
        self,
        frame: Frame,
        detection: Detection,
        look: Look | None = None,
        parts: Sequence[Detection] = (),
    ) -> None:
        """Add a sighting of the thing alone, put together from parts if some are given."""
        self.together, self.awaited_s = None, None
        # A box that was put together does not say how a thing moves; that of a fast one is all
        # that there is.
        before_s = self.alone[-1][0] if self.alone else frame.pts_s
        if not parts or frame.pts_s in self.leaps:
            if self.alone and frame.pts_s <= self.alone[-1][0]:
                self.alone.pop()
            self.alone.append((frame.pts_s, detection.box))
            while len(self.alone) > RECENT and frame.pts_s - self.alone[0][0] > RECENT_S:
                self.alone.popleft()
        self.beyond_doubt |= not detection.doubted
        self._remember(look, frame.pts_s - before_s)
        self.peak = max(self.peak, detection.score)
        self._add(frame, detection.box, detection.score)
        for part in parts:
            self.note_part(part.box)

    def see_together(self, frame: Frame, detection: Detection) -> None:
        """Add a sighting of it and others in one detection: its own part of that."""
        self.together = detection.box
        self._add(frame, _cut(self.guess(frame.pts_s), detection.box), detection.score)

    def see_part(self, frame: Frame, detection: Detection) -> None:
        """Add a sighting that may be of a part of it, or of another beside it as well."""
        self.together = detection.box
        self.peak = max(self.peak, detection.score)
        self._add(frame, detection.box, detection.score)

    def join(self, other: "Track") -> None:
        """Take over the sightings of what turned out to be a part of it."""
        also = {at_s: box for at_s, box, _ in other.path}
        if not self.opened:  # else it was told as it was
            self.path = [(at_s, box.union(also.get(at_s, box)), s) for at_s, box, s in self.path]
        alone = [(at_s, box.union(also.get(at_s, box))) for at_s, box in self.alone]
        self.alone = deque(alone)
        self.peak = max(self.peak, other.peak)
        self.beyond_doubt |= other.beyond_doubt

    def exchange(self, other: "Track", since_s: float) -> None:
        """Be where another is, which then is what was seen of this since a moment, and began so.

        Args:
            other: Was taken for new while this was taken for what went by.
            since_s: When this was first seen elsewhere, after it was seen at its place.
        """
        before = [one for one in self.path if one[0] < since_s]
        since = self.path[len(before) :]
        if not before or not since:
            return
        for name in _PRESENT:
            mine, theirs = getattr(self, name), getattr(other, name)
            setattr(self, name, theirs)
            setattr(other, name, mine)
        self.path = before + [one for one in other.path if one[0] > before[-1][0]]
        other.path, other.start_s, other.frames = since, since[0][0], len(since)
        other.start_us = other.end_us - round(1e6 * (other.end_s - other.start_s))
        other.peak = max(score for _, _, score in since)

    def passes(self, other: "Track", now_s: float) -> bool:
        """Whether the two went by each other when they were seen alone, not long ago."""
        if not self.alone or not other.alone:
            return False
        (seen_s, box), (also_s, _) = self.alone[-1], other.alone[-1]
        across, down = (a - b for a, b in zip(self.velocity(), other.velocity(), strict=True))
        pace = hypot(across / max(box.width, 1.0), down / max(box.height, 1.0))
        return pace >= PASSES and now_s - min(seen_s, also_s) <= PASSING_S

    def hide(self, frame: Frame, detection: Detection) -> None:
        """Note that it is somewhere in what shows another thing."""
        self.together, self.alive_s = detection.box, frame.pts_s

    def shows_more(self, box: Box) -> bool:
        """Whether a box is too large to show nothing but this."""
        return not self.alone or box.area > MORE * self.alone[-1][1].area

    def _add(self, frame: Frame, box: Box, score: float) -> None:
        if self.path and frame.pts_s <= self.path[-1][0]:
            # A frame that is looked at again, by a watch that goes on: it was counted.
            self.path.pop()
            self.frames -= 1
        self.path.append((frame.pts_s, box, score))
        self.frames += 1
        if len(self.path) > MOST_SIGHTINGS:
            half = MOST_SIGHTINGS // 2
            self.path[:half] = self.path[:half:2]
        self.end_s, self.end_us = frame.pts_s, frame.after_us(self.start_s, self.start_us)
        self.alive_s = frame.pts_s
        self._settle(box, frame.pts_s)

    def _settle(self, box: Box, now_s: float) -> None:
        """Note whether it stands where it came to rest."""
        if self.rest is not None and is_there(self.rest, box):
            self.away_s = None
            return
        self.away_s = now_s if self.away_s is None else self.away_s
        if self.rest is None or now_s - self.away_s >= MOVED_S:
            self.rest, self.still_s, self.away_s = box, now_s, None
            self.parts.clear()

    def has_part(self, box: Box, since_s: float) -> bool:
        """Whether what was seen inside its extent since then is a part of it."""
        if since_s - self.still_s < STANDING_S:
            self.note_part(box)
            return True
        return self.knows(box)

    def note_part(self, box: Box) -> None:
        """Remember where a part of it was seen."""
        if not self.knows(box):
            self.parts.append(box)

    def knows(self, box: Box) -> bool:
        """Whether a part of it was seen there since it came to rest."""
        return any(box.overlap(part) >= 0.5 * min(box.area, part.area) for part in self.parts)

    def _remember(self, look: Look | None, after_s: float) -> None:
        if look is None:
            return
        before = look if self.look is None else np.array(self.look, np.float32)
        fresh = min(_FRESH, after_s / _REMEMBERED_S)
        self.look = (before + fresh * (look - before)).tolist()

    def place(self, now_s: float) -> Place:
        """Where to look for it."""
        return Place(
            last=self.together or self.box,
            guess=self.guess(now_s),
            course=self.course(now_s),
            score=self.path[-1][2],
            since_s=now_s - self.end_s,
            moves=bool(self._speeds()),
            together=self.together is not None,
            hidden=self.alive_s > self.end_s,
            told=self.opened,
            awaited=self.awaited_s is not None,
            look=None if self.look is None else np.array(self.look, np.float32),
        )

    def guess(self, now_s: float) -> Box:
        """Where it should be now, in what shows it and others if something does."""
        course = self.course(now_s)
        return course if self.together is None else _pushed_into(course, self.together)

    def course(self, now_s: float) -> Box:
        """Where it should be now if it goes on as it went; as large as it was alone."""
        seen_s, box = self.alone[-1] if self.alone else (self.end_s, self.box)
        coast_s = min(now_s - seen_s, HIDDEN_COAST_S if self.together else COAST_S)
        across, down = (speed * coast_s for speed in self.velocity())
        return Box(box.x1 + across, box.y1 + down, box.x2 + across, box.y2 + down)

    def velocity(self) -> tuple[float, float]:
        """Pixels a second (across, down): the median of its newest steps; 0 if there are none."""
        speeds = self._speeds()
        if not speeds:
            return 0.0, 0.0
        return median(across for across, _ in speeds), median(down for _, down in speeds)

    def _speeds(self) -> list[tuple[float, float]]:
        """Pixels a second (across, down) of its newest steps, without changes of size.

        A box that was cut or joined has another middle, though nothing moved.
        """
        return [
            (
                (b.x1 + b.x2 - a.x1 - a.x2) / 2 / (later - s),
                (b.y1 + b.y2 - a.y1 - a.y2) / 2 / (later - s),
            )
            for (s, a), (later, b) in pairwise(self.alone)
            if max(a.area, b.area) <= ALIKE_SIZE * min(a.area, b.area)
        ]

    def steady(self, count: int) -> bool:
        """Whether its newest `count` sightings lead one way at one pace, as those of a thing do."""
        newest = self.path[-count:]
        times = np.array([at_s for at_s, _, _ in newest])
        middles = np.array([((b.x1 + b.x2) / 2, (b.y1 + b.y2) / 2) for _, b, _ in newest])
        times -= times.mean()
        pace = times @ middles / (times @ times)
        strays = np.abs(middles - middles.mean(axis=0) - times[:, None] * pace)
        sides = np.median([(b.width, b.height) for _, b, _ in newest], axis=0)
        way = np.hypot(*np.diff(middles, axis=0).T).sum()
        gone = np.hypot(*(middles[-1] - middles[0]))
        return bool(gone >= 0.9 * way and (strays <= STEADY * sides).all())


def is_there(rest: Box, box: Box) -> bool:
    """Whether a box shows what came to rest, or a part of it."""
    smaller, larger = sorted((rest.area, box.area))
    return rest.overlap(box) >= STILL_SHARE * smaller and larger <= STILL_GROWTH * smaller


def _cut(box: Box, around: Box) -> Box:
    """What of the box lies inside another; all of that if nothing does."""
    if box.overlap(around) <= 0:
        return around
    return Box(
        max(box.x1, around.x1),
        max(box.y1, around.y1),
        min(box.x2, around.x2),
        min(box.y2, around.y2),
    )


def _pushed_into(box: Box, around: Box) -> Box:
    """The box moved, not cut, until it lies inside another as far as it fits."""
    across = max(around.x1 - box.x1, 0.0) - max(box.x2 - around.x2, 0.0)
    down = max(around.y1 - box.y1, 0.0) - max(box.y2 - around.y2, 0.0)
    return Box(box.x1 + across, box.y1 + down, box.x2 + across, box.y2 + down)
