"""How one watch is doing, in a few numbers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from app.sources.base import Gap
from detectors.types import Frame

type Doing = Literal["learning", "catching up", "watching"]


@dataclass(slots=True)
class Pulse:
    """How the watch is doing: written by who takes frames and looks at them, read by who tells."""

    doing: Doing = "learning"
    frames: int = 0
    """Looked at."""
    open: int = 0
    """Events that are open."""
    skipped: int = 0
    """Frames that were left out besides those that the source dropped."""
    unseen: list[Sequence[Gap]] = field(default_factory=list)
    """When the camera was there, but its pictures could not be looked at; a list for each cause."""
    _newest: tuple[int, float] | None = None
    """UTC of the newest frame that came, and our monotonic clock then."""
    _looked_us: int | None = None

    def came(self, frame: Frame) -> None:
        """Note that a frame arrived."""
        self._newest = (frame.time_us, time.monotonic())

    def looked(self, frame: Frame, frames: int, open_events: int) -> None:
        """Note that a frame was taken; it was looked at if `frames`, of those all, are more now."""
        if frames > self.frames:
            self._looked_us = frame.time_us
        self.frames, self.open = frames, open_events

    @property
    def now_us(self) -> int | None:
        """UTC on the clock of the frames; None before the first one."""
        if self._newest is None:
            return None
        time_us, at = self._newest
        return time_us + round(1e6 * (time.monotonic() - at))

    @property
    def age_s(self) -> float | None:
        """How long ago the last frame was taken that was looked at; None before the first one."""
        now_us = self.now_us
        if now_us is None or self._looked_us is None:
            return None
        return max(0.0, (now_us - self._looked_us) / 1e6)
