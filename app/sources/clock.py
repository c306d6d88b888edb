"""When each frame of a recording was taken: one rising line past wrong stamps and clocks."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import av

from app.sources.base import SourceError

_JUMP_FRAMES = 2.5
"""A step forward of more frames is looked at twice, and so is every step back."""
_HELD = 8
"""Frames after which a jump is believed; stamps of fewer that are off are corrected."""
RESTART_S = 10.0
"""A longer step forward is a clock that was started anew, where a format allows that: so FFmpeg's
`dts_delta_threshold` and the `max_frame_duration` of ffplay say it too."""


@dataclass(frozen=True, slots=True, eq=False)
class Stamped:
    """A decoded frame as it comes out of a file."""

    frame: av.VideoFrame
    stamp_s: float | None
    """Its time stamp in seconds from the stream's start; None if it has none."""
    missed: int = 0
    """Pictures before it that could not be decoded."""


type Timed = tuple[Stamped, float]
"""A frame and when it was taken, in seconds from the recording's start."""


class RecordingClock:
    """Gives every frame a time above those of all before it.

    Times are the stamps as they are. A jump is looked at again when the next frames are there: if
    they go back to where the clock was, the stamps between were wrong, and only these are
    corrected. Otherwise the clock was started anew (always so for a jump back), and what follows
    goes on behind what was; or nothing was recorded meanwhile, and times stay as they are.
    """

    def __init__(self, name: str, fps: float, *, restarts: bool = False) -> None:
        """Begin before the first frame.

        Args:
            name: Of the recording, for its faults.
            fps: Frames a second of those that have no stamp.
            restarts: Whether a long jump forward is a clock that was started anew.
        """
        self._name = name
        self.step_s = 1 / fps
        self.corrected = 0
        """Frames whose stamps were wrong."""
        self.restarted_s: list[float] = []
        """When the clock was started anew."""
        self.longest_step_s = RESTART_S if restarts else math.inf
        """A longer step is no gap but another clock."""
        self._offset_s = 0.0
        self._last_s = 0.0
        self._first_stamp_s: float | None = None
        self._given = 0
        self._held: list[Stamped] = []

    def times(self, frames: Iterable[Stamped]) -> Iterator[Timed]:
        """Time frames in the order in which they are shown.

        Raises:
            SourceError: If the first frames all carry the same stamp.
        """
        for one in frames:
            yield from self._take(one)
        while self._held:
            yield from self._believe()

    def _take(self, one: Stamped) -> Iterator[Timed]:
        if not self._held and self._follows(one):
            yield self._give(one, self._line_s(one))
            return
        self._held.append(one)
        if self._is_back():
            yield from self._correct()
        elif len(self._held) > _HELD:
            yield from self._believe()

    def _line_s(self, one: Stamped) -> float:
        """When a frame was taken if its stamp is right."""
        if one.stamp_s is None:
            return self._last_s + self.step_s if self._given else 0.0
        return max(0.0, one.stamp_s + self._offset_s)

    def _follows(self, one: Stamped) -> bool:
        """Whether a frame's stamp is one that could be expected."""
        if not self._given:
            self._first_stamp_s = one.stamp_s
            return True
        return 0 < self._line_s(one) - self._last_s <= self._jump_s

    @property
    def _jump_s(self) -> float:
        return _JUMP_FRAMES * self.step_s

    def _is_back(self) -> bool:
        """Whether the newest frame goes on where the clock was before the jump."""
        first, newest = self._held[0], self._held[-1]
        if len(self._held) < 2 or newest.stamp_s is None:
            return False
        new_s, first_s = self._line_s(newest), self._line_s(first)
        furthest_s = self._last_s + self._jump_s + len(self._held) * self.step_s
        return self._last_s < new_s <= furthest_s and not self._last_s < first_s <= new_s

    def _correct(self) -> Iterator[Timed]:
        """Spread the frames with wrong stamps between those with right ones."""
        *wrong, newest = self._held
        self._held = []
        start_s, end_s = self._last_s, self._line_s(newest)
        self.corrected += len(wrong)
        for number, one in enumerate(wrong, start=1):
            yield self._give(one, start_s + (end_s - start_s) * number / (len(wrong) + 1))
        yield self._give(newest, end_s)

    def _believe(self) -> Iterator[Timed]:
        """Take the jump as it is: the clock was started anew, or there is a gap."""
        first, *rest = self._held
        self._check_stamps()
        self._held = []
        jump_s = self._line_s(first) - self._last_s
        if not 0 < jump_s <= self.longest_step_s:
            self.restarted_s.append(self._last_s)
            self._offset_s = self._last_s + self.step_s - (first.stamp_s or 0.0)
        yield self._give(first, self._line_s(first))
        for one in rest:
            yield from self._take(one)

    def _check_stamps(self) -> None:
        if self._given == 1 and all(one.stamp_s == self._first_stamp_s for one in self._held):
            raise SourceError(
                f"{self._name}: all its frames carry one time stamp, so nobody knows when they "
                "were taken; say how many there are a second: --assume-fps 25"
            )

    def _give(self, one: Stamped, time_s: float) -> Timed:
        self._last_s = time_s
        self._given += 1
        return one, time_s
