"""From detections in single frames to tracks in time. Pure: no clock but the frames' own."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations
from math import inf
from typing import Annotated

from pydantic import Field, TypeAdapter

from detectors.configs import Config
from detectors.linking import Look, link, look_of
from detectors.parts import goes_with, whole
from detectors.track import Track
from detectors.types import Box, Detection, Frame

LEAST_HITS = 3
"""No track opens on fewer, however slow the pace."""

HIDDEN_S = 10.0
"""An open track is kept for so long while another is seen in its place."""

STRAYS_S = 5.0
MOST_STRAYS = 5
"""Where more tracks came to nothing in the last seconds, as in rain, ..."""
RESTLESS_MORE = 3
"""... what leaps must be seen on one straight way so many times more than others; else once."""

LONGEST_AWAY_S = 600.0
"""A thing that nobody looked at for longer is another one, also in the same place."""

NEAR = 0.1
"""Boxes that lie so near, as a share of the shortest side, may each show parts of both things."""

AWAITED_S = 3.0
"""What is not seen again in so much time is gone."""

LATE_WINDOWS = 2.0
"""What comes in front of a thing that stands opens only after so many windows, ..."""
DOUBTED_WINDOWS = 1.5
"""... and what may all be light after so many."""


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
class TrackChanges:
    """What one frame changed."""

    seen: list[tuple[Track, Detection]] = field(default_factory=list)
    """Every track that this frame continued or began, with the detection that shows it alone."""
    opened: list[Track] = field(default_factory=list)
    closed: list[Track] = field(default_factory=list)
    """Open tracks that ended."""
    dropped: list[Track] = field(default_factory=list)
    """Tracks that ended without ever opening, or that turned out to be part of another."""


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    tracks: list[Track]
    times: list[float]
    strays: list[float]


_STATE = TypeAdapter(_State)


class Tracker:
    """Links the detections of one camera."""

    def __init__(self, rule: TrackRule) -> None:
        self.rule = rule
        self.tracks: list[Track] = []
        self._times: deque[float] = deque()
        self._strays: deque[float] = deque()
        """When tracks ended that never opened, in the last seconds."""

    @property
    def told(self) -> list[Box]:
        """Where the things of open tracks were seen last."""
        return [track.box for track in self.tracks if track.opened]

    def state(self) -> str:
        """All that it knows, as JSON."""
        state = _State(self.tracks, [*self._times], [*self._strays])
        return _STATE.dump_json(state).decode()

    def restore(self, state: str) -> None:
        """Go on where another tracker was.

        Raises:
            ValueError: If that is no state of a tracker.
        """
        known = _STATE.validate_json(state)
        self.tracks = known.tracks
        self._times, self._strays = deque(known.times), deque(known.strays)

    def expect(self, track: Track) -> None:
        """Go on with the track of an earlier session, if its thing is still where it was.

        Otherwise it is closed soon, or at once if that was long before the next frame.
        """
        track.opened, track.awaited_s = True, inf
        self.tracks.append(track)

    def update(
        self,
        frame: Frame,
        detections: Sequence[Detection],
        looks: Sequence[Look | None] | None = None,
    ) -> TrackChanges:
        """Take one more frame.

        Args:
            frame: Later than all before it.
            detections: What was found in it, any order; boxes in pixels, scores 1.0 just unusual.
            looks: What each looks like, where the frame's picture is there no more; None to look.
        """
        changes = TrackChanges()
        self._forget_old_times(frame.pts_s)
        self._await(frame.pts_s, changes)
        if looks is None:
            looks = [look_of(frame.image, detection.box) for detection in detections]
        matched = self._match(frame, detections, looks)
        for track in self.tracks:
            track.hits.append(track in matched)
            while len(track.hits) > len(self._times):
                track.hits.popleft()
        together = self._hide(frame, detections, matched)
        passing = self._passing(frame.pts_s, detections, matched)
        free = [n for n in range(len(detections)) if n not in matched.values()]
        for track, number in matched.items():
            shown = detections[number]
            if track in together and track.shows_more(shown.box):
                track.see_together(frame, shown)
                continue
            if track in passing:
                track.see_part(frame, shown)
            else:
                shown, parts = whole(track.guess(frame.pts_s), shown, detections, free)
                track.see(frame, shown, None if parts else looks[number], parts)
                free = [n for n in free if detections[n] not in parts]
            changes.seen.append((track, shown))
        for number in free:
            track = self._begin(frame, detections[number], looks[number])
            changes.seen.append((track, detections[number]))
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
        self._strays.clear()
        return changes

    def _forget_old_times(self, now_s: float) -> None:
        self._times.append(now_s)
        while (
            len(self._times) > self.rule.window_frames
            and now_s - self._times[0] >= self.rule.window_s
        ):
            self._times.popleft()
        while self._strays and now_s - self._strays[0] > STRAYS_S:
            self._strays.popleft()

    def _await(self, now_s: float, changes: TrackChanges) -> None:
        """Begin to wait for what was there when somebody looked last, if that is not long ago."""
        for track in [track for track in self.tracks if track.awaited_s == inf]:
            track.awaited_s = now_s + AWAITED_S
            if now_s - max(track.end_s, track.alive_s) > LONGEST_AWAY_S:
                self.tracks.remove(track)
                changes.closed.append(track)

    def _window(self) -> int:
        """Frames in a full window at the present pace, even if it is not full yet."""
        if len(self._times) < 2:
            return self.rule.window_frames
        step_s = (self._times[-1] - self._times[0]) / (len(self._times) - 1)
        return max(self.rule.window_frames, round(self.rule.window_s / step_s))

    def _match(
        self, frame: Frame, detections: Sequence[Detection], looks: Sequence[Look | None]
    ) -> dict[Track, int]:
        """Which detection, by its number, continues which track."""
        places = [track.place(frame.pts_s) for track in self.tracks]
        links = link(
            places,
            detections,
            looks,
            size=(frame.image.shape[0], frame.image.shape[1]),
            same_iou=self.rule.same_iou,
            same_share=self.rule.same_share,
        )
        for row in links.leaps:
            self.tracks[row].leaps.append(frame.pts_s)
        pairs = {**links.firm, **links.leaps}
        return {self.tracks[row]: column for row, column in pairs.items()}

    def _hide(
        self, frame: Frame, detections: Sequence[Detection], matched: Mapping[Track, int]
    ) -> set[Track]:
        """Keep open tracks that are inside what shows another.

        Returns:
            Those whose detection shows others, too: such ones, or some that are also seen alone,
            elsewhere than where they should be themselves.
        """
        shown = [(track, detections[n]) for track, n in matched.items() if track.opened]
        together = {
            track
            for (track, one), (_, other) in permutations(shown, 2)
            if self._covers(one.box, other.box)
            and not self._covers(track.guess(frame.pts_s), other.box)
        }
        for track in self.tracks:
            missed = track.opened and track not in matched and track.awaited_s is None
            if not missed or frame.pts_s - track.end_s > HIDDEN_S:
                continue
            guess = track.guess(frame.pts_s)
            covers = [
                (guess.overlap(one.box), other, one)
                for other, one in shown
                if self._covers(one.box, guess)
            ]
            if covers:
                _, other, one = max(covers, key=lambda cover: cover[0])
                track.hide(frame, one)
                together.add(other)
        return together

    def _covers(self, box: Box, other: Box) -> bool:
        return box.overlap(other) >= self.rule.same_share * other.area

    def _passing(
        self, now_s: float, detections: Sequence[Detection], matched: Mapping[Track, int]
    ) -> set[Track]:
        """Open tracks that pass another so near that it is not clear which part shows which."""
        shown = [(track, detections[n].box) for track, n in matched.items() if track.opened]
        passing: set[Track] = set()
        for (one, box), (other, beside) in combinations(shown, 2):
            if box.gap(beside) <= NEAR * _shortest(box, beside) and one.passes(other, now_s):
                passing |= {one, other}
        return passing

    def _begin(self, frame: Frame, detection: Detection, look: Look | None) -> Track:
        track = Track(frame.camera, frame.pts_s, frame.time_us)
        track.see(frame, detection, look)
        track.hits.append(True)
        self.tracks.append(track)
        return track

    def _absorb(self, changes: TrackChanges) -> None:
        """Drop candidates that are parts of an open track.

        A part comes and goes, and moves, with its thing; what comes in front of a thing that stands
        is new.
        """
        for track in [track for track in self.tracks if not track.opened]:
            around = self._around(track)
            if around is None or not around.has_part(track.box, track.start_s):
                continue
            self._drop(track, changes)

    def _open(self, changes: TrackChanges) -> None:
        for track in [track for track in self.tracks if not track.opened]:
            if track not in self.tracks or not self._counts(track):
                continue
            of = self._part_of(track)
            for part in [track] if of else self._parts_of(track):
                self._drop(part, changes)
                (of or track).join(part)
            if of is None:
                track.opened = True
                changes.opened.append(track)

    def _part_of(self, track: Track) -> Track | None:
        """The event of which a fast candidate is a part."""
        told = (other for other in self.tracks if other.opened)
        return next((other for other in told if self._goes_with(track, other)), None)

    def _parts_of(self, track: Track) -> list[Track]:
        """The other candidates that are parts of the same fast thing."""
        others = [other for other in self.tracks if other is not track and not other.opened]
        return [other for other in others if self._goes_with(other, track)]

    def _goes_with(self, part: Track, other: Track) -> bool:
        return bool(part.leaps) and goes_with(part, other, LEAST_HITS + 1)

    def _drop(self, track: Track, changes: TrackChanges) -> None:
        self.tracks.remove(track)
        changes.seen = [pair for pair in changes.seen if pair[0] is not track]
        changes.dropped.append(track)

    def _counts(self, track: Track) -> bool:
        """Whether a candidate was seen often and clearly enough, as a thing of its own."""
        needed = max(LEAST_HITS, self.rule.open_share * self._window())
        hits = sum(track.hits)
        if hits < needed - 1e-9 or track.peak < self.rule.open_score:
            return False
        leaps = sum(when >= self._times[0] for when in track.leaps)
        if leaps and not self._leapt(track, hits):
            return False
        windows = (track.end_s - track.start_s) / self.rule.window_s
        if not track.beyond_doubt and windows < DOUBTED_WINDOWS:
            return False
        return windows >= LATE_WINDOWS or self._around(track) is None

    def _leapt(self, track: Track, hits: int) -> bool:
        """Whether sightings that do not overlap are one fast thing all the same."""
        restless = len(self._strays) > MOST_STRAYS
        needed = LEAST_HITS + (RESTLESS_MORE if restless else 1)
        return track.frames >= needed and hits > LEAST_HITS and track.steady(needed)

    def _around(self, track: Track) -> Track | None:
        """The open track that a candidate lies mostly inside of, or of which it is a known part."""
        if track.box.area <= 0:
            return None
        for other in (other for other in self.tracks if other.opened):
            cover = track.box.overlap(other.extent) / track.box.area
            if cover >= self.rule.same_share or other.knows(track.box):
                return other
        return None

    def _close(self, now_s: float, changes: TrackChanges) -> None:
        for track in list(self.tracks):
            if track.awaited_s is not None and now_s < track.awaited_s:
                continue
            silent_s = now_s - track.alive_s
            if silent_s >= self.rule.close_after_s or not (track.opened or any(track.hits)):
                self.tracks.remove(track)
                (changes.closed if track.opened else changes.dropped).append(track)
                if not track.opened:
                    self._strays.append(now_s)


def _shortest(*boxes: Box) -> float:
    return min(min(box.width, box.height) for box in boxes)
