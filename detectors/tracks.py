"""From detections in single frames to tracks in time. Pure: no clock but the frames' own."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Annotated

from pydantic import Field

from detectors.configs import Config
from detectors.types import Box, Detection, Frame

MOST_SIGHTINGS = 4000
"""A track's older sightings are thinned out beyond so many; bounds its memory."""

RECENT = 5
"""Sightings that make up the extent of a track."""

LEAST_HITS = 3
"""No track opens on fewer, however slow the pace."""


type _Share = Annotated[float, Field(gt=0, le=1)]


class TrackRule(Config):
    """When a chain of detections counts, and when it is over."""

    open_share: _Share = 0.6
    """Opens once it was hit in this share of the newest frames ..."""
    window_s: Annotated[float, Field(gt=0)] = 1.0
    """... of the last second, ..."""
    window_frames: Annotated[int, Field(ge=LEAST_HITS)] = 5
    """... or of the last five frames where a second holds fewer (3 of 5 at 5 frames/s), ..."""
    open_score: Annotated[float, Field(ge=1)] = 1.25
    """... and reached this score; a score of 1 then keeps it open (hysteresis)."""
    close_after_s: Annotated[float, Field(gt=0)] = 2.0
    """Over when it was not hit for so long."""
    same_iou: _Share = 0.1
    """A detection continues a track if their boxes overlap so much, ..."""
    same_share: _Share = 0.5
    """... or if one covers so much of the other (parts of one thing, or a thing that grows)."""


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
    opened: bool = False

    @property
    def box(self) -> Box:
        """Where it was seen last, in pixels of the frame."""
        return self.path[-1][1]

    @property
    def extent(self) -> Box:
        """Around its newest sightings: a thing of several parts is not whole in every one."""
        boxes = [box for _, box, _ in self.path[-RECENT:]]
        return reduce(Box.union, boxes)

    def see(self, frame: Frame, detection: Detection) -> None:
        """Add a sighting."""
        self.path.append((frame.pts_s, detection.box, detection.score))
        if len(self.path) > MOST_SIGHTINGS:
            half = MOST_SIGHTINGS // 2
            self.path[:half] = self.path[:half:2]
        self.end_s, self.end_us = frame.pts_s, frame.time_us
        self.peak = max(self.peak, detection.score)
        self.frames += 1


@dataclass(slots=True, eq=False)
class TrackChanges:
    """What one frame changed."""

    seen: list[tuple[Track, Detection]] = field(default_factory=list)
    """Every track that this frame continued or began, with its detection."""
    opened: list[Track] = field(default_factory=list)
    closed: list[Track] = field(default_factory=list)
    """Open tracks that ended."""
    dropped: list[Track] = field(default_factory=list)
    """Tracks that ended without ever opening, or that turned out to be part of another."""


class Tracker:
    """Links the detections of one camera."""

    def __init__(self, rule: TrackRule) -> None:
        self.rule = rule
        self.tracks: list[Track] = []
        self._times: deque[float] = deque()

    @property
    def idle(self) -> bool:
        """Whether nothing is being followed, so that a run can be cut here and taken up again."""
        return not self.tracks

    def update(self, frame: Frame, detections: Sequence[Detection]) -> TrackChanges:
        """Take one more frame.

        Args:
            frame: Later than all before it.
            detections: What was found in it, any order; boxes in pixels, scores 1.0 just unusual.
        """
        changes = TrackChanges()
        self._forget_old_times(frame.pts_s)
        matched = self._match(detections)
        for track in self.tracks:
            track.hits.append(track in matched)
            while len(track.hits) > len(self._times):
                track.hits.popleft()
        for track, detection in matched.items():
            track.see(frame, detection)
            changes.seen.append((track, detection))
        taken = list(matched.values())
        for detection in detections:
            if not any(detection is other for other in taken):
                changes.seen.append((self._begin(frame, detection), detection))
        self._absorb(changes)
        self._open(changes)
        self._close(frame.pts_s, changes)
        return changes

    def finish(self) -> TrackChanges:
        """End everything, as at the end of a video."""
        changes = TrackChanges(
            closed=[track for track in self.tracks if track.opened],
            dropped=[track for track in self.tracks if not track.opened],
        )
        self.tracks = []
        self._times.clear()
        return changes

    def _forget_old_times(self, now_s: float) -> None:
        self._times.append(now_s)
        while (
            len(self._times) > self.rule.window_frames
            and now_s - self._times[0] >= self.rule.window_s
        ):
            self._times.popleft()

    def _window(self) -> int:
        """Frames in a full window at the present pace, even if it is not full yet."""
        if len(self._times) < 2:
            return self.rule.window_frames
        step_s = (self._times[-1] - self._times[0]) / (len(self._times) - 1)
        return max(self.rule.window_frames, round(self.rule.window_s / step_s))

    def _match(self, detections: Sequence[Detection]) -> dict[Track, Detection]:
        """Pair tracks with detections, the best overlap first."""
        pairs = [
            (overlap, number, track, detection)
            for number, track in enumerate(self.tracks)
            for detection in detections
            if (overlap := self._overlap(track.box, detection.box)) > 0
        ]
        pairs.sort(key=lambda pair: (-pair[0], pair[1]))
        matched: dict[Track, Detection] = {}
        for _, _, track, detection in pairs:
            if track not in matched and not any(detection is d for d in matched.values()):
                matched[track] = detection
        return matched

    def _overlap(self, one: Box, other: Box) -> float:
        """How surely two boxes show one thing: 0 for not, otherwise more for a better overlap."""
        iou = one.iou(other)
        smaller = min(one.area, other.area)
        share = one.overlap(other) / smaller if smaller > 0 else 0.0
        if iou < self.rule.same_iou and share < self.rule.same_share:
            return 0.0
        return iou + 1e-3 * share

    def _begin(self, frame: Frame, detection: Detection) -> Track:
        track = Track(frame.camera, frame.pts_s, frame.time_us)
        track.see(frame, detection)
        track.hits.append(True)
        self.tracks.append(track)
        return track

    def _absorb(self, changes: TrackChanges) -> None:
        """Drop candidates that lie mostly inside an open track: parts of it, not things."""
        for track in list(self.tracks):
            if track.opened:
                continue
            covers = (
                track.box.overlap(other.extent) / track.box.area
                for other in self.tracks
                if other.opened and track.box.area > 0
            )
            if any(cover >= self.rule.same_share for cover in covers):
                self.tracks.remove(track)
                changes.seen = [pair for pair in changes.seen if pair[0] is not track]
                changes.dropped.append(track)

    def _open(self, changes: TrackChanges) -> None:
        needed = max(LEAST_HITS, self.rule.open_share * self._window())
        for track in self.tracks:
            often = sum(track.hits) >= needed - 1e-9
            if not track.opened and often and track.peak >= self.rule.open_score:
                track.opened = True
                changes.opened.append(track)

    def _close(self, now_s: float, changes: TrackChanges) -> None:
        for track in list(self.tracks):
            silent_s = now_s - track.end_s
            if silent_s >= self.rule.close_after_s or not (track.opened or any(track.hits)):
                self.tracks.remove(track)
                (changes.closed if track.opened else changes.dropped).append(track)
