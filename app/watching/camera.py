"""The step of one camera: anomaly maps to boxes to tracks to named events, recorded or live.

With every batch of frames `Camera.admit` says which the detector can look at, `Camera.follow` takes
their maps, and `app.watching.naming.tell` names what has something to tell. Who cannot wait for
names takes `Camera.take_due` and hands it back to `Camera.told` with them later.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.events.checkpoint import Checkpoint, Trouble
from app.events.event import Event, EventState, Finding, Lasting, Picture
from app.events.moment import Moment
from app.events.trace import Trace
from app.sources.base import Gap
from app.watching.aim import Placed
from app.watching.calling import event_of, of_camera, of_left
from app.watching.camera_settings import CameraSettings
from app.watching.course import Told
from app.watching.followed import Due, Followed, id_of, track_of
from app.watching.health import Health
from app.watching.lives import Lives
from app.watching.near import Found, NearMisses
from app.watching.sizes import SizeCheck
from detectors.finding import Finder
from detectors.learned import LearnedView
from detectors.tracks import Track, TrackChanges, Tracker
from detectors.types import Box, Frame
from novic.vocabulary import Naming

WARM_S = 20.0
"""Footage before a checkpoint after which it is known how a camera's pictures usually are."""
NAME_AT_ONCE = 32
"""Pictures of ended tracks that are gathered before they are named in one batch."""


class Camera:
    """Turns the frames and anomaly maps of one camera into events.

    In a recording, tracks are due when they have ended, many at a time, and while they last when
    the caller wants to know of them (`flush`). Live, they are due as soon as they open, again when
    all their pictures are there, and at their end.
    """

    def __init__(
        self,
        size: tuple[int, int],
        *,
        live: bool,
        view: LearnedView | None = None,
        settings: CameraSettings | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Start with no tracks.

        Args:
            size: (height, width) that the detector learned, in pixels. All boxes, crops and
                snapshots are told in pixels of frames of this size, whatever came from the camera.
            live: Tell events while they last.
            view: What the camera usually shows; None if that is not known.
            settings: Everything that is decided about it; the defaults if not given.
            say: Told in one sentence what the camera does that people should know.
        """
        self._sizes = SizeCheck(size, say)
        self._settings = settings or CameraSettings()
        rule = self._settings.rule
        self._health = Health(size, view, self._settings.video, rule.open_score)
        self._live = live
        self._watched = self._settings.zones.grid((1, 1))
        self._finder = Finder(view)
        self._tracker = Tracker(rule)
        self._keeper = self._settings.keeper
        self._near = NearMisses(rule, self._finder, self._settings.tracing)
        self._lives = Lives(self._settings.life)
        if self._keeper is not None and live:
            self._keeper.learn(self._finder)
        self._followed: dict[Track, Followed] = {}
        self._ended: list[Track] = []
        self._due: list[Due] = []
        self._followed_s = -math.inf
        self._peak = np.float32(np.nan)
        self._warm: deque[float] = deque()
        self._troubles: Sequence[Trouble | None] = ()
        self.hurried = False
        """Whether frames come too fast: nothing is learned then, names begin with one picture."""
        self.where: Sequence[Sequence[Box]] = ()
        """Of each frame that `follow` took last what was followed, told or not, on the view."""

    def checkpoint(self) -> Checkpoint:
        """What is being followed, once all was told that was due."""
        return Checkpoint(
            self._followed_s,
            self._tracker.state(),
            [self._followed[track].kept(track) for track in self._tracker.tracks],
            self._warm[0] if self._warm else 0.0,
            self._health.troubles,
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint; frames up to its time are looked at but not followed again.

        Raises:
            ValueError: If it is damaged.
        """
        self._tracker.restore(checkpoint.tracks)
        self._health.aim.resume()
        self._followed_s, self._troubles = checkpoint.at_s, checkpoint.troubles
        for track, kept in zip(self._tracker.tracks, checkpoint.kept, strict=True):
            self._followed[track] = Followed.restored(kept, self._finder.view)

    def expect(self, left: Iterable[tuple[Event, Sequence[tuple[float, Box, float]]]]) -> None:
        """Go on with events of an earlier session, if their things are still where they were.

        Others are closed as they were left.

        Args:
            left: Events of objects with their sightings (pts_s, box, score), at least one each.
        """
        for event, path in left:
            track = track_of(event, path)
            self._tracker.expect(track)
            self._followed[track] = Followed.of_left(event, path, self._finder.view)
            self._lives.expect(track, event)

    @property
    def at_rest(self) -> bool:
        """Whether nothing is followed, not even a candidate, and nothing is about to change."""
        return not self._tracker.tracks and self._health.at_rest

    @property
    def unseen(self) -> tuple[Sequence[Gap], Sequence[Gap]]:
        """When its pictures could not be looked at, and when nothing could be seen in them.

        Both grow as it goes; the last gap of each may still be open.
        """
        return self._sizes.gaps, self._health.gaps

    @property
    def gaps(self) -> Sequence[Gap]:
        """All these times so far."""
        return [gap for gaps in self.unseen for gap in gaps]

    @property
    def lasting(self) -> list[Lasting]:
        """How far the events have come that were told and are still open, with whole paths."""
        things = [
            Lasting(
                id_of(track),
                track.end_s,
                track.end_us,
                track.peak,
                track.frames,
                self._health.aim.path(track.path),
            )
            for track, followed in self._followed.items()
            if followed.named_from
        ]
        return things + self._health.lasting

    @property
    def open(self) -> int:
        """How many events were told and are still open."""
        return sum(followed.named_from > 0 for followed in self._followed.values())

    @property
    def due(self) -> int:
        """How many events are to be told."""
        return len(self._due)

    def admit(self, frames: Iterable[Frame]) -> list[Frame]:
        """Choose what the detector can look at, and lay it on the view that it learned.

        Args:
            frames: RGB uint8 [H, W, 3], later than all before them.

        Returns:
            Those that `follow` takes with their maps, all of the fitted size.

        Raises:
            detectors.base.DetectorError: If the camera begins with another shape than was learned.
        """
        self._health.aim.forget()
        checked = (self._sizes.fitted(frame) for frame in frames)
        return [self._health.aim.place(frame) for frame in checked if frame is not None]

    def follow(self, frames: Sequence[Frame], maps: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take frames with their anomaly maps.

        Args:
            frames: B frames that were admitted.
            maps: Their maps [B, h, w], 1.0 where just unusual.

        Returns:
            The highest value of each map [B] in those parts of the view that are watched; NaN where
            nothing can be seen in the frame.
        """
        peaks, where = np.full(len(frames), np.nan, np.float32), [[]] * len(frames)
        self._peak = np.float32(np.nan)
        for number, (frame, heat) in enumerate(zip(frames, maps, strict=True)):
            again = frame.pts_s <= self._followed_s
            if not again:
                self._begin(frame)
            followed = [track.extent for track in self._tracker.tracks if track.opened]
            placed = self._health.aim.taken(frame)
            factor = self._settings.bar
            clear, told = self._health.see(placed, heat, followed, factor)
            if again:
                continue
            self._call_faults(told)
            if clear is not None:
                self._lives.hold(frame, heat, factor, unsure=self._health.altered)
                watched = self._masked(clear)
                found = self._take(frame, watched, placed)
                peaks[number] = self._peak = watched.max(initial=0.0)
                self._note(frame, watched * np.float32(factor), found)
                where[number] = [track.extent for track in self._tracker.tracks]
        self.where = where
        return peaks

    def pass_over(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        """Take B frames, as they were taken, that show what the last one did that was followed.

        All is at rest meanwhile. Returns as `follow`.
        """
        for frame in frames:
            self._begin(frame)
            self._health.see_again(frame)
            self._tracker.update(frame, [])
            self._note(frame, None, None)
        return np.full(len(frames), self._peak, np.float32)

    def _note(self, frame: Frame, heat: NDArray[np.float32] | None, found: Found | None) -> None:
        """Note what came near, and the undivided map; None if the frame shows nothing new."""
        self._near.see(frame, found, self._tracker.told, self._settings.bar, heat)
        if self._keeper is not None and not self.hurried:
            self._keeper.see(frame, heat, quiet=self._quiet)

    def _begin(self, frame: Frame) -> None:
        """Note that a frame is followed; the first after a checkpoint goes on from there."""
        if self._troubles:
            self._health.resume(self._troubles)
            self._troubles = ()
        self._followed_s = frame.pts_s
        self._warm.append(frame.pts_s)
        while frame.pts_s - self._warm[0] > WARM_S:
            self._warm.popleft()

    def flush(self) -> None:
        """Make all tracks due that have ended, and those that are open and were never told."""
        self._call_ended()
        new = [track for track, one in self._followed.items() if track.opened and one.new]
        self._call("opened", new)

    def finish(self, *, cut: bool = False, goes_on: bool = False) -> None:
        """End all tracks and make them due.

        Args:
            cut: Whether the run stops here although the source goes on.
            goes_on: Whether it may be taken up later: what stands stays open until then.
        """
        self._call_ended()
        closed = self._tracker.finish().closed
        stay = self._lives.staying(closed) if goes_on else set()
        self._call("closed", [track for track in closed if track not in stay], cut=cut)
        self._call_faults(self._health.finish(cut=cut))
        if self._keeper is not None:
            self._keeper.finish()
        self._near.finish()
        if not cut:
            self._sizes.end()

    def take_moments(self) -> list[Moment]:
        """What came near since this was asked last and was not told."""
        aim, near = self._health.aim, self._near.take()
        return [replace(n, box=aim.path([(n.end_s, n.box, n.level)])[0][1]) for n in near]

    def take_traces(self, *, whole: bool) -> list[Trace]:
        """What was followed since this was asked last; `whole` up to the newest frame."""
        return self._near.traces(whole=whole)

    def take_due(self) -> list[Due]:
        """Hand over what is to be told, in the order it should be told; it is due no longer.

        What was handed over before must have been told, or its pictures may be named twice.
        """
        due, self._due = self._due, []
        return due

    def told(
        self, due: Sequence[Due], named: Mapping[Picture, tuple[Naming, ...]]
    ) -> list[Finding]:
        """Vote on the names of what was due.

        Args:
            due: As it was handed over.
            named: The namings of each picture's crops, at least of those that were wanted.

        Returns:
            Events that changed, in the order they should be told.
        """
        return [one.finding(named, self._settings.words) for one in due]

    @property
    def _quiet(self) -> bool:
        """Whether nothing is open and the camera sees well."""
        return self._health.well and not any(track.opened for track in self._tracker.tracks)

    def _masked(self, heat: NDArray[np.float32]) -> NDArray[np.float32]:
        """The map [h, w] with 0 wherever nobody watches."""
        shape = (heat.shape[0], heat.shape[1])
        if self._watched.shape != shape:
            self._watched = self._settings.zones.grid(shape)
        return heat if self._watched.all() else np.where(self._watched, heat, np.float32(0))

    def _take(self, frame: Frame, heat: NDArray[np.float32], placed: Placed) -> Found:
        """Follow one frame, laid on the view, with its masked map [h, w]."""
        found = self._finder.find(heat, frame.image)
        things, told = self._health.things(placed, frame.image, found, self._tracker.told)
        self._call_faults(told)
        changes = self._tracker.update(frame, things)
        for stands, passing in self._lives.put_right(frame, changes):
            self._followed[passing] = self._followed[stands].parted_at(passing.start_s)
        self._finder.remember(frame, [one.extent for one in self._tracker.tracks if one.opened])
        self._keep(changes, frame, placed, heat)
        self._ended += changes.closed
        if self._live:
            self.flush()
            self._call("updated", self._ripe())
            for track, state in self._lives.news(frame, self._tracker.tracks):
                self._call(state, [track])
        elif sum(len(self._followed[one].views.pictures) for one in self._ended) >= NAME_AT_ONCE:
            self._call_ended()
        lit = [one.box for one in found if not any(one.box.overlap(two.box) for two in things)]
        return Found(found, lit, things)

    def _keep(
        self, changes: TrackChanges, frame: Frame, placed: Placed, heat: NDArray[np.float32]
    ) -> None:
        """Offer the frame as it was taken to all tracks that it shows."""
        heat = placed.pose.back_map(heat, placed.size)
        for track in changes.dropped:
            self._followed.pop(track, None)
        for track, detection in changes.seen:
            before = track.path[-2][1] if track.frames > 1 else None
            followed = self._followed.setdefault(track, Followed.on(self._finder.view))
            followed.left = None
            followed.reached.note(self._settings.rule, track, self._settings.bar)
            shown = replace(detection, box=placed.back(detection.box))
            earlier = placed.back(before) if before is not None else None
            followed.views.offer(placed.frame, shown, heat, earlier, detection.box)
            followed.looks.look(self._finder.view, frame, detection.box, before)

    def _ripe(self) -> list[Track]:
        """Open tracks that were named by fewer pictures than there are now, all of them."""
        return [
            track
            for track in self._tracker.tracks
            if track.opened and self._followed[track].ripe and not self._lives.stands(track)
        ]

    def _call_ended(self) -> None:
        ended, self._ended = self._ended, []
        self._call("closed", ended)

    def _call(self, state: EventState, tracks: Iterable[Track], *, cut: bool = False) -> None:
        """Note that these tracks have something to tell, and what they are at this moment."""
        video, bar = self._settings.video, self._settings.bar
        for track in tracks:
            kept = self._followed[track] if state != "closed" else self._followed.pop(track)
            if kept.left is not None:
                self._call_left(kept.left, state, track, kept)
                continue
            kept.due = True
            best, change = kept.views.best(), kept.looks.change
            # Of a recording nobody waits for the name; in a hurry it would come too late.
            brief = state == "opened" and (not self._live or self.hurried)
            pictures = kept.shown(change, [best] if brief else kept.views.pictures)
            level = kept.reached.told(self._settings.rule, track, bar)
            event = event_of(track, state, best, video=video, bar=bar)
            event = replace(event, cut=cut, change=change, level=level)
            path = self._health.aim.path(track.path)
            told = self._lives.marked(event, track)
            self._due.append(Due(told, best, pictures, path, kept))

    def _call_left(self, left: Event, state: EventState, track: Track, kept: Followed) -> None:
        """Note what is to be told of what an earlier session left, unless that told it."""
        if left.state == "closed":
            return
        now = left if state == "closed" else replace(left, state=state)
        kept.left = self._lives.marked(now, track)
        self._due += of_left(kept.left, track, kept, gone=state == "closed")

    def _call_faults(self, faults: Iterable[Told]) -> None:
        """Note what is to be told of the camera itself."""
        self._due += of_camera(faults, live=self._live)
