"""The path of a frame: anomaly map to boxes to tracks to named events, for one camera."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.events.event import Event, EventState, Finding
from app.watching.evidence import KEPT, Evidence
from app.watching.namer import Names, name_pictures, vote
from detectors.boxes import find_boxes
from detectors.tracks import Track, Tracker, TrackRule
from detectors.types import Frame
from detectors.zones import Zones

NAME_AT_ONCE = 32
"""Crops of ended tracks that are gathered before they are named in one batch."""


@dataclass(slots=True, eq=False)
class _Open:
    """What is kept for a track besides its boxes."""

    evidence: Evidence = field(default_factory=Evidence)
    named_from: int = 0
    """Pictures that its present name rests on; 0 while it has none."""
    candidates: list[tuple[str, float]] = field(default_factory=list)


class CameraPipeline:
    """Turns the anomaly maps of one camera into named events.

    In an audit, tracks are named when they have ended, many in one batch. Live, they are named as
    soon as they open, again when all their pictures are there, and at their end.
    """

    def __init__(
        self,
        names: Names,
        *,
        live: bool,
        rule: TrackRule | None = None,
        zones: Zones | None = None,
        video: str = "",
        surprise: Callable[[str], float | None] = lambda _: None,
    ) -> None:
        """Start with no tracks.

        Args:
            names: Names crops.
            live: Name and report events while they last.
            rule: When tracks open and close.
            zones: Which parts of the view are watched.
            video: The file that the frames come from, if any.
            surprise: Says how unexpected a noun is at the site, bits; None if that is unknown.
        """
        self._names = names
        self._live = live
        self._zones = zones or Zones()
        self._watched = self._zones.grid((1, 1))
        self._video = video
        self._surprise = surprise
        self._tracker = Tracker(rule or TrackRule())
        self._kept: dict[Track, _Open] = {}
        self._ended: list[Track] = []

    @property
    def idle(self) -> bool:
        """Whether nothing is being followed, so that a run can be cut here and taken up again."""
        return self._tracker.idle

    @property
    def open_tracks(self) -> list[Track]:
        """Tracks that are open now."""
        return [track for track in self._tracker.tracks if track.opened]

    def update(self, frame: Frame, heat: NDArray[np.float32]) -> list[Finding]:
        """Take one frame with its anomaly map.

        Args:
            frame: Later than all before it.
            heat: Its map [h, w], 1.0 where just unusual.

        Returns:
            Events that changed, in the order they should be told.
        """
        if self._watched.shape != heat.shape:
            self._watched = self._zones.grid(heat.shape)
        detections = find_boxes(heat, frame.image.shape[:2], mask=self._watched)
        changes = self._tracker.update(frame, detections)
        for track in changes.dropped:
            self._kept.pop(track, None)
        for track, detection in changes.seen:
            before = track.path[-2][1] if track.frames > 1 else None
            self._kept.setdefault(track, _Open()).evidence.offer(frame, detection, heat, before)
        self._ended += changes.closed
        if self._live:
            return self._tell_live(changes.opened)
        waiting = sum(len(self._kept[track].evidence.pictures) for track in self._ended)
        return self.flush() if waiting >= NAME_AT_ONCE else []

    def flush(self) -> list[Finding]:
        """Name the tracks that have ended and tell their events."""
        ended, self._ended = self._ended, []
        self._name(ended)
        return [self._finding(track, "closed") for track in ended]

    def finish(self, *, cut: bool = False) -> list[Finding]:
        """End all tracks.

        Args:
            cut: Whether the run stops here although the source goes on.
        """
        closed = self._tracker.finish().closed
        self._ended += closed
        findings = self.flush()
        still_there = {event_id(track) for track in closed if cut}
        for finding in findings:
            finding.event.cut = finding.event.id in still_there
        self._kept.clear()
        return findings

    def _tell_live(self, opened: list[Track]) -> list[Finding]:
        ripe = [
            track
            for track in self.open_tracks
            if 0 < self._kept[track].named_from < KEPT
            and len(self._kept[track].evidence.pictures) == KEPT
        ]
        closed, self._ended = self._ended, []
        self._name([*opened, *ripe, *closed])
        states: list[tuple[list[Track], EventState]] = [
            (opened, "opened"),
            (ripe, "updated"),
            (closed, "closed"),
        ]
        return [self._finding(track, state) for tracks, state in states for track in tracks]

    def _name(self, tracks: list[Track]) -> None:
        """Name tracks, all their new pictures in one batch."""
        kept = [self._kept[track] for track in tracks]
        pictures = [picture for one in kept for picture in one.evidence.pictures]
        name_pictures(self._names, pictures)
        for one in kept:
            one.candidates = vote(one.evidence.pictures)
            one.named_from = len(one.evidence.pictures)

    def _finding(self, track: Track, state: EventState) -> Finding:
        kept = self._kept[track] if state != "closed" else self._kept.pop(track)
        picture = kept.evidence.best()
        event = Event(
            id=event_id(track),
            camera=track.camera,
            state=state,
            start_s=track.start_s,
            end_s=track.end_s,
            start_us=track.start_us,
            end_us=track.end_us,
            box=picture.box,
            frame_size=picture.frame_size,
            score=track.peak,
            frames=track.frames,
            video=self._video,
            candidates=kept.candidates,
            snapshot_s=picture.pts_s,
        )
        event.surprise_bits = self._surprise(event.noun)
        return Finding(event, picture, track.path)


def event_id(track: Track) -> str:
    """An id that sorts by time and is the same whenever the same recording is audited."""
    digest = hashlib.sha256(f"{track.camera} {track.path[0][1]}".encode()).hexdigest()[:6]
    return f"{track.start_us:014x}-{digest}"
