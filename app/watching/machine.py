"""What is wrong with this machine as events of the camera: disk, clock, or that it is too slow."""

from collections.abc import Iterable
from dataclasses import replace

from app.events.event import Event, Finding
from app.watching.course import fault_event
from detectors.types import Frame

DISK_FULL, READ_ONLY = "disk full", "disk read-only"
CLOCK_AHEAD, TOO_SLOW = "clock ahead", "machine too slow"
MACHINE_FAULTS = (DISK_FULL, READ_ONLY, CLOCK_AHEAD, TOO_SLOW)
"""Names of the camera's events."""


def disk_fault(said: str) -> str:
    """The name of what is wrong with a disk, by the sentence that says it."""
    return READ_ONLY if "readonly" in said or "Read-only" in said else DISK_FULL


def cause(name: str) -> str:
    """What is told once at a time, by an event's name: a disk that is full or read-only is one."""
    return DISK_FULL if name == READ_ONLY else name


class Machine:
    """Tells once what is wrong with this machine, and once that it no longer is."""

    def __init__(self, left: Iterable[Event] = ()) -> None:
        """Begin.

        Args:
            left: Such events that an earlier session left open.
        """
        self._open = {cause(event.name): event for event in left}
        self._frame: Frame | None = None

    def findings(self, disk: str, clock: str, pace: str, frame: Frame | None) -> list[Finding]:
        """What is to be told.

        Args:
            disk: What is wrong with the disk, in a sentence; empty if nothing is.
            clock: The same of the clock.
            pace: The same of how the machine keeps up.
            frame: The newest frame; None if none came since the last call.
        """
        self._frame = frame or self._frame
        now = self._frame
        if now is None:
            return []
        wrong = {disk_fault(disk): disk, CLOCK_AHEAD: clock, TOO_SLOW: pace}
        told = [self._told(name, said, now) for name, said in wrong.items()]
        return [one for one in told if one is not None]

    def last(self, *, goes_on: bool) -> list[Finding]:
        """What is to be told at the end of a session: nothing if it may be taken up later."""
        if goes_on:
            return []
        ended = self.findings("", "", "", None)
        return [replace(one, event=replace(one.event, cut=True)) for one in ended]

    def _told(self, name: str, said: str, now: Frame) -> Finding | None:
        event = self._open.get(cause(name))
        if bool(said) == (event is not None):
            return None
        if event is None:
            event = self._open[cause(name)] = fault_event(name, now, said=said)
            return Finding(event, None, ())
        del self._open[cause(name)]
        end_us = now.after_us(event.start_s, event.start_us)
        return Finding(replace(event, state="closed", end_s=now.pts_s, end_us=end_us), None, ())
