"""A watch that goes on in its folder, and the time before in which nobody looked."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.events.event import Event
from app.events.reading import Left
from app.events.store import Run, SourceProgress, Store
from app.sources.base import Gap, GapReason
from app.watching.machine import MACHINE_FAULTS, cause
from detectors.types import Frame

_NOBODY = "nobody looked until the watch was started again"
_LEAST_STEP_S = 0.001
_LATELY_S = 2.5
"""What was seen so shortly before a watch was stopped may still be there."""


class GoingOn:
    """Puts the frames of a camera behind those of earlier sessions, and keeps the gap between.

    A recording that is played on at the frame where it was left needs none of that.
    """

    def __init__(
        self,
        run: Run | None,
        source: SourceProgress | None,
        settings: Mapping[str, Any],
        away: tuple[GapReason, str] | None = None,
    ) -> None:
        """Take what there was before.

        Args:
            run: That is gone on with; None if this is the first session.
            source: How far its source was watched; None if it was not.
            settings: Of a run that has to be begun.
            away: Why nobody looked since the session before, where that is known: a reason, and a
                sentence.
        """
        self.run = run
        self.source = source
        self.gaps: list[Gap] = []
        """The time in which nobody looked, once the first frame has come."""
        self.left: list[Left] = []
        """Events whose things may still be there, once the run was begun."""
        self.machine: list[Event] = []
        """Events that tell what is wrong with this machine, if they were left open."""
        self._settings = settings
        self._away = away
        self._open: list[Gap] = []
        self._shift_s: float | None = None

    def start_s(self, learned_s: float) -> float:
        """Where a recording is to be played on, seconds from its start.

        Args:
            learned_s: Length of the stretch at its start that the detector was learned from.
        """
        # The last frame is looked at again, so there is always one; it is not to be counted twice.
        if self.run is None:
            return 0.0
        self._shift_s = 0.0
        if self.source is None:
            return learned_s
        self.source.frames = max(0, self.source.frames - 1)
        return max(self.source.seen_s, self.source.from_s)

    def begin(self, store: Store) -> tuple[int, list[Event]]:
        """Begin the run, or take it up and close what was left open and cannot still be there.

        Returns:
            The run's id, and the events that were closed.

        Raises:
            app.errors.StoreError: If it cannot be written.
        """
        if self.run is None:
            return store.begin_run("watch", self._settings).id, []
        self._open = [
            Gap(row["start_us"], None, row["reason"], row["detail"])
            for row in store.gaps(self.run.id)
            if row["end_us"] is None
        ]
        seen_s = self.source.seen_s if self.source is not None else 0.0
        self.left = store.left(self.run.id, seen_s - _LATELY_S)
        faults = store.faults_left(self.run.id, MACHINE_FAULTS)
        self.machine = list({cause(event.name): event for event in faults}.values())
        stay = [event.id for event in (*(event for event, _ in self.left), *self.machine)]
        _, closed = store.go_on(self.run.id, stay)
        return self.run.id, closed

    def placed(self, frame: Frame) -> Frame:
        """The frame with `pts_s` in seconds since the first frame of the first session."""
        if self._shift_s is None:
            self._shift_s = self._first_shift_s(frame)
        return replace(frame, pts_s=frame.pts_s + self._shift_s) if self._shift_s else frame

    def _first_shift_s(self, frame: Frame) -> float:
        run, before = self.run, self.source
        if run is None or before is None or before.start_us is None:
            return 0.0
        last_us = before.start_us + round(before.seen_s * 1e6)
        # A clock that was set back must not make a gap end before it begins.
        first_us = max(frame.time_us, last_us)
        self.gaps = [
            replace(gap, end_us=max(first_us, gap.start_us), detail=f"{gap.detail}; {_NOBODY}")
            for gap in self._open
        ]
        if not self.gaps:
            reason: GapReason = "killed" if run.state == "running" else "stopped"
            reason, detail = self._away or (reason, _NOBODY)
            self.gaps = [Gap(last_us, first_us, reason, detail)]
        since_start_s = (first_us - before.start_us) / 1e6
        return max(since_start_s, before.seen_s + _LEAST_STEP_S) - frame.pts_s
