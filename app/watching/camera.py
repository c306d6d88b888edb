"""The step of one camera: anomaly maps to boxes to tracks to named events, recorded or live.

With every batch of frames a caller takes three steps, each for as many cameras as it likes:

1. `Camera.admit` says which frames the detector can look at;
2. `Camera.follow` takes their maps, and finds out what has something to tell;
3. `tell` names the pictures that this rests on, and gives the findings.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.events.event import Event, EventState, Finding, Lasting, Picture
from app.sources.base import Gap
from app.watching.evidence import KEPT, Evidence
from app.watching.namer import Names, name_pictures, vote
from app.watching.sizes import SizeCheck
from detectors.boxes import find_boxes
from detectors.tracks import Track, TrackChanges, Tracker, TrackRule
from detectors.types import Frame
from detectors.zones import Zones
from novic.vocabulary import Naming

NAME_AT_ONCE = 32
"""Pictures of ended tracks that are gathered before they are named in one batch."""


@dataclass(slots=True, eq=False)
class _Followed:
    """What is kept for a track besides its boxes."""

    evidence: Evidence = field(default_factory=Evidence)
    named: dict[Picture, tuple[Naming, ...]] = field(default_factory=dict)
    """What the crops of its pictures were named; a picture is named only once."""
    named_from: int = 0
    """Pictures that its present name rests on; 0 while it has none."""


@dataclass(frozen=True, slots=True, eq=False)
class _Due:
    """An event that is to be told as soon as its pictures are named."""

    track: Track
    followed: _Followed
    state: EventState
    cut: bool = False


class Camera:
    """Turns the frames and anomaly maps of one camera into events.

    In a recording, tracks are due when they have ended, many at a time. Live, they are due as soon
    as they open, again when all their pictures are there, and at their end.
    """

    def __init__(
        self,
        size: tuple[int, int],
        *,
        live: bool,
        rule: TrackRule | None = None,
        zones: Zones | None = None,
        video: str = "",
        surprise: Callable[[str], float | None] = lambda _: None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Start with no tracks.

        Args:
            size: (height, width) that the detector learned, in pixels. All boxes, crops and
                snapshots are told in pixels of frames of this size, whatever came from the camera.
            live: Tell events while they last.
            rule: When tracks open and close.
            zones: Which parts of the view are watched.
            video: The file that the frames come from, if any.
            surprise: Says how unexpected a noun is at the site, bits; None if that is unknown.
            say: Told in one sentence what the camera does that people should know.
        """
        self._sizes = SizeCheck(size, say)
        self._live = live
        self._zones = zones or Zones()
        self._watched = self._zones.grid((1, 1))
        self._video = video
        self._surprise = surprise
        self._tracker = Tracker(rule or TrackRule())
        self._followed: dict[Track, _Followed] = {}
        self._ended: list[Track] = []
        self._due: list[_Due] = []

    @property
    def idle(self) -> bool:
        """Whether nothing is being followed, so that a run can be cut here and taken up again."""
        return self._tracker.idle

    @property
    def gaps(self) -> Sequence[Gap]:
        """When its pictures could not be looked at, in order; the last one may still be open."""
        return self._sizes.gaps

    @property
    def lasting(self) -> list[Lasting]:
        """How far the events have come that were told and are still open."""
        return [
            Lasting(event_id(track), track.end_s, track.end_us, track.peak, track.frames)
            for track, followed in self._followed.items()
            if followed.named_from
        ]

    @property
    def wanted(self) -> list[Picture]:
        """Pictures that have no names yet, and without which what is due cannot be told."""
        asked = {
            picture: None
            for due in self._due
            for picture in due.followed.evidence.pictures
            if picture not in due.followed.named
        }
        return list(asked)

    def admit(self, frames: Iterable[Frame]) -> list[Frame]:
        """Choose what the detector can look at, and bring it to the size that it learned.

        Args:
            frames: RGB uint8 [H, W, 3], later than all before them.

        Returns:
            Those that `follow` takes with their maps, all of the fitted size.

        Raises:
            detectors.base.DetectorError: If the camera begins with another shape than was learned.
        """
        checked = (self._sizes.fitted(frame) for frame in frames)
        return [frame for frame in checked if frame is not None]

    def follow(self, frames: Sequence[Frame], maps: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take frames with their anomaly maps.

        Args:
            frames: B frames that were admitted.
            maps: Their maps [B, h, w], 1.0 where just unusual.

        Returns:
            The highest value of each map [B] in those parts of the view that are watched.
        """
        watched = self._masked(maps)
        for frame, heat in zip(frames, watched, strict=True):
            self._take(frame, heat)
        return watched.max(axis=(1, 2), initial=0.0)

    def flush(self) -> None:
        """Make all tracks due that have ended."""
        ended, self._ended = self._ended, []
        self._call("closed", ended)

    def finish(self, *, cut: bool = False) -> None:
        """End all tracks and make them due.

        Args:
            cut: Whether the run stops here although the source goes on.
        """
        closed = self._tracker.finish().closed
        self.flush()
        self._call("closed", closed, cut=cut)
        if not cut:
            self._sizes.end()

    def told(self, named: Mapping[Picture, tuple[Naming, ...]]) -> list[Finding]:
        """Vote on the names of all that is due.

        Args:
            named: The namings of each picture's crops, at least of those that were wanted.

        Returns:
            Events that changed, in the order they should be told.
        """
        due, self._due = self._due, []
        return [self._finding(one, named) for one in due]

    def _masked(self, maps: NDArray[np.float32]) -> NDArray[np.float32]:
        """The maps [B, h, w] with 0 wherever nobody watches."""
        shape = (maps.shape[1], maps.shape[2])
        if self._watched.shape != shape:
            self._watched = self._zones.grid(shape)
        return maps if self._watched.all() else np.where(self._watched, maps, np.float32(0))

    def _take(self, frame: Frame, heat: NDArray[np.float32]) -> None:
        """Follow one frame with its masked map [h, w]."""
        changes = self._tracker.update(frame, find_boxes(heat, frame.image.shape[:2]))
        self._keep(changes, frame, heat)
        self._ended += changes.closed
        if self._live:
            self._call("opened", changes.opened)
            self._call("updated", self._ripe())
            self.flush()
            return
        waiting = sum(len(self._followed[track].evidence.pictures) for track in self._ended)
        if waiting >= NAME_AT_ONCE:
            self.flush()

    def _keep(self, changes: TrackChanges, frame: Frame, heat: NDArray[np.float32]) -> None:
        """Offer the frame to the evidence of all tracks that it shows."""
        for track in changes.dropped:
            self._followed.pop(track, None)
        for track, detection in changes.seen:
            before = track.path[-2][1] if track.frames > 1 else None
            followed = self._followed.setdefault(track, _Followed())
            followed.evidence.offer(frame, detection, heat, before)

    def _ripe(self) -> list[Track]:
        """Open tracks that were named by fewer pictures than there are now, all of them."""
        return [
            track
            for track in self._tracker.tracks
            if track.opened
            and 0 < self._followed[track].named_from < KEPT
            and len(self._followed[track].evidence.pictures) == KEPT
        ]

    def _call(self, state: EventState, tracks: Iterable[Track], *, cut: bool = False) -> None:
        """Note that these tracks have something to tell."""
        for track in tracks:
            kept = self._followed[track] if state != "closed" else self._followed.pop(track)
            self._due.append(_Due(track, kept, state, cut))

    def _finding(self, due: _Due, named: Mapping[Picture, tuple[Naming, ...]]) -> Finding:
        track, followed = due.track, due.followed
        pictures = followed.evidence.pictures
        known = {**named, **followed.named}
        followed.named = {picture: known[picture] for picture in pictures}
        followed.named_from = len(pictures)
        elected = vote(followed.named)
        picture = followed.evidence.best()
        event = Event(
            id=event_id(track),
            camera=track.camera,
            state=due.state,
            start_s=track.start_s,
            end_s=track.end_s,
            start_us=track.start_us,
            end_us=track.end_us,
            box=picture.box,
            frame_size=picture.frame_size,
            score=track.peak,
            frames=track.frames,
            video=self._video,
            candidates=elected.candidates,
            cut=due.cut,
            snapshot_s=picture.pts_s,
            surprise_bits=self._surprise(elected.noun),
        )
        return Finding(event, picture, tuple(track.path), elected.vector)


def tell(names: Names, cameras: Sequence[Camera]) -> list[list[Finding]]:
    """Name what cameras have to tell, all in one batch.

    Args:
        names: Names crops.
        cameras: Each may have taken any number of frames since it was asked last.

    Returns:
        The findings of each camera, in the order they should be told.
    """
    named = name_pictures(names, (picture for one in cameras for picture in one.wanted))
    return [camera.told(named) for camera in cameras]


def event_id(track: Track) -> str:
    """An id that sorts by time and is the same whenever the same recording is audited."""
    digest = hashlib.sha256(f"{track.camera} {track.path[0][1]}".encode()).hexdigest()[:6]
    return f"{track.start_us:014x}-{digest}"
