"""What is wrong with a camera, told as events of its own, from its first frame to its last."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from app.events.checkpoint import Trouble
from app.events.event import Event, Lasting, Picture, event_id
from app.sources.base import Gap
from app.watching.best import SNAPSHOT_SIDE, at_most
from app.watching.faults import FAULT_NAMES, Fault, blinds
from detectors.types import Box, Frame

_LEAST_FRAMES = 3
_LEAST_S = 0.4
"""What lasts shorter or is seen in fewer frames is no event, but nothing is looked for in it."""
_LEAST_MOVED_S = 3.0
"""A camera that looks elsewhere may come back, and something large may pass."""


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What is to be told of a camera."""

    event: Event
    picture: Picture


@dataclass(frozen=True, slots=True, eq=False)
class Since:
    """Where something began that shows only after a while."""

    at_s: float
    """Seconds from the start of the source."""
    at_us: int
    """The same as UTC in microseconds."""
    frames: int
    """How many frames have shown it since."""


class Course:
    """One fault at a time, from its first frame to the first frame without it."""

    def __init__(self, video: str) -> None:
        self.gaps: list[Gap] = []
        """When nothing could be seen because of it, in order; the last one may still be open."""
        self.now: Trouble | None = None
        self._video = video

    @property
    def lasting(self) -> list[Lasting]:
        """How far the event has come, if one was told and is still open."""
        if self.now is None or not self.now.told:
            return []
        one = self.now.event
        return [Lasting(one.id, one.end_s, one.end_us, one.score, one.frames)]

    def resume(self, trouble: Trouble | None) -> None:
        """Go on from a checkpoint; all that was noted before is forgotten."""
        self.now = trouble
        self.gaps.clear()
        if trouble is None:
            return
        fault, event = cast(Fault, trouble.fault), trouble.event
        if trouble.told and blinds(fault):
            self.gaps.append(Gap(event.start_us, None, fault, event.said))

    def take(
        self, fault: Fault | None, frame: Frame, since: Since | None = None, said: str = ""
    ) -> list[Told]:
        """Note what is wrong with a frame.

        Args:
            fault: None if nothing is.
            frame: The newest.
            since: Where that began, if it shows only after a while.
            said: What people should know of it, one sentence; the newest is told at its end.

        Returns:
            What changed.
        """
        changed: list[Told] = []
        if self.now is not None and fault != self.now.fault:
            changed += self.end(frame.time_us)
        if fault is None:
            return changed
        since = since or Since(frame.pts_s, frame.time_us, 0)
        now = self.now = self.now or self._begun(fault, frame, since)
        frames = max(since.frames, now.event.frames + 1)
        now.event = replace(
            now.event,
            end_s=frame.pts_s,
            end_us=frame.after_us(now.event.start_s, now.event.start_us),
            frames=frames,
            said=said or now.event.said,
        )
        if not now.told and _lasts(fault, now.event):
            now.told = True
            changed.append(Told(now.event, now.picture))
            if blinds(fault):
                self.gaps.append(Gap(now.event.start_us, None, fault, said))
        return changed

    def end(self, end_us: int, *, cut: bool = False) -> list[Told]:
        """Note that it is over, or that the run stops here although it goes on (`cut`)."""
        now, self.now = self.now, None
        if now is None or not now.told:
            return []
        if blinds(cast(Fault, now.fault)) and not cut:
            self.gaps[-1] = replace(self.gaps[-1], end_us=max(end_us, self.gaps[-1].start_us))
        return [Told(replace(now.event, state="closed", cut=cut), now.picture)]

    def _begun(self, fault: Fault, frame: Frame, since: Since) -> Trouble:
        event = fault_event(FAULT_NAMES[fault], frame, since, video=self._video)
        # The frame itself is counted by whoever takes it.
        event = replace(event, frames=0)
        shown, nothing = at_most(frame.image, SNAPSHOT_SIDE), np.zeros((1, 1), np.float32)
        picture = Picture(frame.pts_s, event.box, event.frame_size, (), shown, nothing, 1.0)
        return Trouble(fault, event, picture)


def fault_event(
    name: str, frame: Frame, since: Since | None = None, *, said: str = "", video: str = ""
) -> Event:
    """What begins to be wrong with a camera, as an event over its whole view.

    Args:
        name: What is wrong.
        frame: The newest.
        since: Where it began, if it shows only after a while.
        said: What people should know of it, one sentence.
        video: The file it was recorded in, if any.
    """
    since = since or Since(frame.pts_s, frame.time_us, 0)
    height, width = frame.image.shape[:2]
    return Event(
        id=event_id(frame.camera, since.at_us, name),
        camera=frame.camera,
        state="opened",
        start_s=since.at_s,
        end_s=frame.pts_s,
        start_us=since.at_us,
        end_us=frame.time_us,
        box=Box(0, 0, width, height),
        frame_size=(height, width),
        score=0.0,
        frames=1,
        video=video,
        snapshot_s=frame.pts_s,
        kind="camera",
        name=name,
        said=said,
    )


def _lasts(fault: Fault, event: Event) -> bool:
    least_s = _LEAST_MOVED_S if fault == "moved" else _LEAST_S
    return event.frames >= _LEAST_FRAMES and event.end_s - event.start_s >= least_s - 1e-6
