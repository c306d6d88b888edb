"""The disk of a camera's folder as an event of the camera: full, or read-only."""

from dataclasses import replace

from app.events.event import Event, Finding, event_id
from detectors.types import Box, Frame

DISK_FULL, READ_ONLY = "disk full", "disk read-only"
DISK_FAULTS = (DISK_FULL, READ_ONLY)
"""Names of the camera's events."""


class DiskTold:
    """Tells once that the disk is full or read-only, and once that it no longer is."""

    def __init__(self, left: Event | None = None) -> None:
        """Begin.

        Args:
            left: The event that an earlier session left open; None if it left none.
        """
        self._event = left
        self._frame: Frame | None = None

    def findings(self, said: str, frame: Frame | None) -> list[Finding]:
        """What is to be told.

        Args:
            said: What is wrong with the disk, one sentence; empty if nothing is.
            frame: The newest frame; None if none came since the last call.
        """
        self._frame = frame or self._frame
        now, event = self._frame, self._event
        if now is None or bool(said) == (event is not None):
            return []
        if event is None:
            self._event = _opened(said, now)
            return [Finding(self._event, None, ())]
        self._event = None
        end_us = now.after_us(event.start_s, event.start_us)
        ended = replace(event, state="closed", end_s=now.pts_s, end_us=end_us)
        return [Finding(ended, None, ())]

    def last(self, *, goes_on: bool) -> list[Finding]:
        """What is to be told at the end of a session: nothing if it may be taken up later."""
        if goes_on or self._event is None or self._frame is None:
            return []
        ended = [*self.findings("", None)]
        return [replace(one, event=replace(one.event, cut=True)) for one in ended]


def _opened(said: str, frame: Frame) -> Event:
    height, width = frame.image.shape[:2]
    name = READ_ONLY if "readonly" in said or "Read-only" in said else DISK_FULL
    return Event(
        id=event_id(frame.camera, frame.time_us, name),
        camera=frame.camera,
        state="opened",
        start_s=frame.pts_s,
        end_s=frame.pts_s,
        start_us=frame.time_us,
        end_us=frame.time_us,
        box=Box(0, 0, width, height),
        frame_size=(height, width),
        score=0.0,
        frames=1,
        snapshot_s=frame.pts_s,
        kind="camera",
        name=name,
        said=said,
    )
