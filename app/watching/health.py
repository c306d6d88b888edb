"""Whether a camera's pictures can be looked at at all, and what is told when they cannot.

Frames in which nothing can be seen are not followed, so that no object is found in them; their
time is a gap. What lasts is told as an event of the camera, without a noun.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from app.events.event import Event, Lasting, Picture, event_id
from app.sources.base import Gap
from app.watching.colour import ColourCheck
from app.watching.evidence import SNAPSHOT_SIDE, at_most
from app.watching.faults import FAULT_NAMES, Fault, detail_of, fault_of, sampled
from app.watching.standing import FROZEN_S, Standing
from detectors.types import Box, Frame

_LEAST_FRAMES = 3
_LEAST_S = 0.4
"""What lasts shorter or is seen in fewer frames is no event, but nothing is looked for in it."""
_REMEMBERED = 25
"""Frames whose detail is the usual one."""


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What is to be told of a camera."""

    event: Event
    picture: Picture


@dataclass(slots=True, eq=False)
class _Trouble:
    """What is wrong at present."""

    fault: Fault
    event: Event
    picture: Picture
    told: bool = False


class _Course:
    """One fault at a time, from its first frame to the first frame without it."""

    def __init__(self, video: str) -> None:
        self.gaps: list[Gap] = []
        """When nothing could be seen because of it, in order; the last one may still be open."""
        self.now: _Trouble | None = None
        self._video = video

    def take(
        self, fault: Fault | None, frame: Frame, since: Frame | None = None, frames: int = 0
    ) -> list[Told]:
        """Note what is wrong with a frame.

        Args:
            fault: None if nothing is.
            frame: The newest.
            since: Where that began, if it shows only after a while.
            frames: How many frames have shown it, in that case.

        Returns:
            What changed.
        """
        changed: list[Told] = []
        if self.now is not None and fault != self.now.fault:
            changed += self.end(frame.time_us)
        if fault is None:
            return changed
        now = self.now = self.now or self._begun(fault, frame, since or frame)
        frames = max(frames, now.event.frames + 1)
        now.event = replace(now.event, end_s=frame.pts_s, end_us=frame.time_us, frames=frames)
        if not now.told and _lasts(now.event):
            now.told = True
            changed.append(Told(now.event, now.picture))
            if fault != "colourless":
                self.gaps.append(Gap(now.event.start_us, None, fault))
        return changed

    def end(self, end_us: int, *, cut: bool = False) -> list[Told]:
        """Note that it is over, or that the run stops here although it goes on (`cut`)."""
        now, self.now = self.now, None
        if now is None or not now.told:
            return []
        if now.fault != "colourless" and not cut:
            self.gaps[-1] = replace(self.gaps[-1], end_us=max(end_us, self.gaps[-1].start_us))
        return [Told(replace(now.event, state="closed", cut=cut), now.picture)]

    def _begun(self, fault: Fault, frame: Frame, since: Frame) -> _Trouble:
        height, width = frame.image.shape[:2]
        whole, name = Box(0, 0, width, height), FAULT_NAMES[fault]
        event = Event(
            id=event_id(frame.camera, since.time_us, name),
            camera=frame.camera,
            state="opened",
            start_s=since.pts_s,
            end_s=frame.pts_s,
            start_us=since.time_us,
            end_us=frame.time_us,
            box=whole,
            frame_size=(height, width),
            score=0.0,
            frames=0,
            video=self._video,
            snapshot_s=frame.pts_s,
            kind="camera",
            name=name,
        )
        shown, nothing = at_most(frame.image, SNAPSHOT_SIDE), np.zeros((1, 1), np.float32)
        return _Trouble(
            fault, event, Picture(frame.pts_s, whole, (height, width), (), shown, nothing, 1.0)
        )


def _lasts(event: Event) -> bool:
    return event.frames >= _LEAST_FRAMES and event.end_s - event.start_s >= _LEAST_S - 1e-6


class Health:
    """Looks at every frame of one camera before anything is looked for in it."""

    def __init__(self, video: str = "") -> None:
        """Begin with a camera that is well; `video` is the file it was recorded in, if any."""
        self._standing = Standing()
        self._colour = ColourCheck()
        self._details: deque[float] = deque(maxlen=_REMEMBERED)
        self._blind, self._faded = _Course(video), _Course(video)
        self._last_us = 0

    @property
    def gaps(self) -> list[Gap]:
        """When nothing could be seen in its pictures, in order."""
        return self._blind.gaps

    @property
    def well(self) -> bool:
        """Whether nothing is wrong, nor will soon turn out to be."""
        moves = self._standing.lasts_s < FROZEN_S / 2
        return self._blind.now is None and self._faded.now is None and moves

    @property
    def lasting(self) -> list[Lasting]:
        """How far the events have come that were told and are still open."""
        troubles = [course.now for course in (self._blind, self._faded)]
        events = [trouble.event for trouble in troubles if trouble is not None and trouble.told]
        return [Lasting(one.id, one.end_s, one.end_us, one.score, one.frames) for one in events]

    def see(
        self, frame: Frame, heat: NDArray[np.float32], followed: Iterable[Box]
    ) -> tuple[NDArray[np.float32] | None, list[Told]]:
        """Take the next frame.

        Args:
            frame: RGB uint8 [H, W, 3], later than all before it.
            heat: Its anomaly map [h, w], 1.0 where just unusual.
            followed: Where things are that were found before, pixels of the frame.

        Returns:
            The map to look for things in, None if nothing can be seen; and what is to be told.
        """
        self._last_us = frame.time_us
        stands = self._standing.see(frame)
        usual = median(self._details) if self._details else 0.0
        fault = fault_of(frame.image, heat, usual)
        if fault is None and stands:
            return None, self._blind.take(
                "frozen", frame, self._standing.since, self._standing.frames
            )
        told = self._blind.take(fault, frame)
        if fault is not None:
            return None, told
        self._details.append(detail_of(sampled(frame.image)))
        clear = self._colour.see(frame, heat, followed)
        faded = "colourless" if self._colour.lost else None
        return clear, told + self._faded.take(faded, frame)

    def finish(self, *, cut: bool) -> list[Told]:
        """End all that is wrong; `cut` if the run stops here although the source goes on."""
        courses = (self._blind, self._faded)
        return [told for course in courses for told in course.end(self._last_us, cut=cut)]
