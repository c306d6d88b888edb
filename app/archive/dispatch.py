"""Gives segments to workers until all are done, joined and told."""

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.archive.engine import Engine
from app.archive.ledger import Ledger
from app.archive.meeting import moved_across
from app.archive.part import BEAT, STOP
from app.archive.segments import Job, Outcome, Points, Segment, State, meets, read_points
from app.archive.traced import forget_left
from app.events.outputs import PARTS
from app.progress import Meter
from app.sources.joined import Recorded

STALLED_S = 300.0
"""A worker that has given no sign of life for so long is ended, and its segment is done again."""
_STOP_S = 60.0
_ASK_S = 0.5


@dataclass(slots=True)
class Sums:
    """What all workers did together."""

    frames: int = 0
    detector_s: float = 0.0
    failed: list[str] = field(default_factory=list)
    doubled: int = 0
    """Events of other files with the same time and place."""


@dataclass(slots=True)
class _Sign:
    """The last sign of life of a worker."""

    text: str
    at_s: float


class Dispatcher:
    """One archive under way."""

    def __init__(
        self,
        out: Path,
        ledger: Ledger,
        engine: Engine,
        recorded: Sequence[Recorded],
        say: Callable[[str], None],
        stalled_s: float = STALLED_S,
    ) -> None:
        """Take what is to be done.

        Args:
            out: The output folder.
            ledger: With segments.
            engine: Does them.
            recorded: All recordings.
            say: Told in sentences what went wrong.
            stalled_s: How long a worker may give no sign of life.
        """
        self._parts = out / PARTS
        self._ledger, self._engine, self._recorded = ledger, engine, recorded
        self._say, self._stalled_s = say, stalled_s
        self._points: dict[int, Points] = {}
        self._signs: dict[int, _Sign] = {}
        self.sums = Sums()

    def run(self, check: Callable[[], None], wake: Callable[[], None], meter: Meter) -> None:
        """Do all that is left.

        Args:
            check: Raises KeyboardInterrupt if it is to stop.
            wake: Called when there are new events.
            meter: Shown how far it is, in seconds of footage.

        Raises:
            KeyboardInterrupt: If it was stopped; what the workers had is kept.
            app.errors.StoreError: If results cannot be written.
        """
        for one in self._segments:
            self.sums.failed += [why for why in one.fault.splitlines() if one.over]
        self._parts.mkdir(exist_ok=True)
        (self._parts / STOP).unlink(missing_ok=True)
        self._ledger.recover()
        began = time.monotonic()
        try:
            while True:
                check()
                self._settle(wake)
                self._start()
                if not self._running:
                    return
                for outcome in self._engine.wait(_ASK_S):
                    self._take(outcome)
                self._watch()
                self._tell(meter, began)
        except KeyboardInterrupt:
            self._stop(wake)
            raise

    @property
    def _segments(self) -> list[Segment]:
        return [*self._ledger.segments.values()]

    @property
    def _running(self) -> list[Segment]:
        return [one for one in self._segments if one.state == "running"]

    def folder(self, number: int) -> Path:
        """The folder of a part."""
        return self._parts / f"{number:05d}"

    def _start(self) -> None:
        """Give work to whoever has none: first what others wait for."""
        waiting = [one for one in self._segments if one.state == "open" and self._can_go_on(one)]
        waiting += [one for one in self._segments if one.state == "waiting"]
        for one in waiting[: self._engine.free]:
            behind = self._next(one)
            points = self._known(behind.number) if one.state == "open" and behind else {}
            numbers = range(one.recording, one.recording + one.recordings)
            recordings = tuple((number, self._recorded[number]) for number in numbers)
            asked = one if points or one.state == "waiting" else replace(one, until_s=None)
            worker = self._engine.start(Job(asked, self.folder(one.number), recordings, points))
            self._signs[one.number] = _Sign("", time.monotonic())
            self._ledger.note(one.number, state="running", worker=worker)

    def _take(self, outcome: Outcome) -> None:
        """Note how a job ended."""
        number = outcome.number
        self._signs.pop(number, None)
        self._points.pop(number, None)
        if outcome.state == "fault":
            self._fault(outcome)
            return
        before = self._ledger.segments[number]
        if before.state != "running":
            return
        if outcome.state == "met" and before.is_stretch:
            # It came to the end of the recording without meeting anybody.
            while (behind := self._next(before)) is not None:
                self._swallow(behind)
        self._ledger.note(
            number,
            state=_state(outcome, before),
            worker="",
            fault="\n".join(outcome.failed),
            reached_s=max(before.reached_s, outcome.reached_s),
            frames=before.frames + outcome.frames,
            spent_s=before.spent_s + outcome.spent_s,
        )
        self.sums.frames += outcome.frames
        self.sums.detector_s += outcome.detector_s
        for why in outcome.failed:
            self._failed(why)

    def _fault(self, outcome: Outcome) -> None:
        one = self._ledger.failed(outcome.number, outcome.fault)
        what = f"Segment {one.number} ({one.uri}, from {one.from_s:.0f} s)"
        if one.state != "failed":
            self._say(f"{what}: {one.fault}; it is done again.")
            return
        self._failed(f"{what} was given up after {one.tries} tries: {one.fault}")
        if not one.is_stretch:
            return
        # Nobody could say what goes on across the hole.
        for other in self._segments:
            if other.recording == one.recording and not other.over:
                self._ledger.note(other.number, state="failed", fault="one beside it was given up")

    def _failed(self, why: str) -> None:
        if why not in self.sums.failed:
            self.sums.failed.append(why)
            self._say(f"Skipped: {why}")

    def _settle(self, wake: Callable[[], None]) -> None:
        """Let stretches meet that can, and bring what is over into the store."""
        for one in self._segments:
            if one.state == "open":
                self._meet(one)
        for one in self._segments:
            if one.state == "met" and not one.joined and self._begins(one):
                before = self._known(one.number).get(one.after_s) if one.after_s else None
                frames = 0 if before is None else before.frames
                self.sums.doubled += self._ledger.join(one.number, self.folder(one.number), frames)
                wake()
                self._tidy(one)
                if self._next(one) is None:
                    forget_left(self._parts, one.recording)

    def _begins(self, one: Segment) -> bool:
        """Whether it is known where the results of a segment begin: it is its turn."""
        before = self._before(one)
        return before is None or before.joined

    def _meet(self, one: Segment) -> None:
        """Let an open stretch meet the one behind it, or go on past it."""
        behind = self._next(one)
        # Of one that runs again its earlier points still count.
        if behind is None or not behind.reached_s:
            return
        points, at_s = self._known(behind.number), one.reached_s
        if meets(self._known(one.number), at_s, points) and not moved_across(
            self.folder(one.number), self.folder(behind.number), at_s
        ):
            self._ledger.note(behind.number, after_s=at_s)
            self._ledger.note(one.number, state="met")
        elif at_s >= max(points, default=0.0) and behind.state in ("open", "met"):
            self._swallow(behind)
            self._meet(one)

    def _swallow(self, behind: Segment) -> None:
        """Drop what a stretch found: the one before went on past all of it."""
        after = self._next(behind)
        if after is not None and after.after_s is not None:
            # Whom it had met is to be met by another now.
            self._ledger.note(after.number, after_s=None)
        self._ledger.note(behind.number, state="swallowed")
        self._tidy(behind)

    def _can_go_on(self, one: Segment) -> bool:
        """Whether an open stretch has anything to go on for."""
        behind = self._next(one)
        return behind is None or self._known(behind.number) != {}

    def _next(self, one: Segment) -> Segment | None:
        """The stretch of the same recording behind it that was not swallowed."""
        later = [
            other
            for other in self._segments
            if other.recording == one.recording
            and other.number > one.number
            and other.state != "swallowed"
        ]
        return later[0] if later else None

    def _before(self, one: Segment) -> Segment | None:
        """The stretch of the same recording before it that was not swallowed."""
        earlier = [
            other
            for other in self._segments
            if other.recording == one.recording
            and other.number < one.number
            and other.state != "swallowed"
        ]
        return earlier[-1] if earlier else None

    def _known(self, number: int) -> Points:
        if number not in self._points:
            self._points[number] = read_points(self.folder(number))
        return self._points[number]

    def _tidy(self, one: Segment) -> None:
        """Remove the folder of a part that nobody needs any more."""
        self._points.pop(one.number, None)
        shutil.rmtree(self.folder(one.number), ignore_errors=True)

    def _beat(self, one: Segment) -> str:
        with suppress(OSError):
            return (self.folder(one.number) / BEAT).read_text()
        return ""

    def _watch(self) -> None:
        """End workers that give no sign of life."""
        now_s = time.monotonic()
        for one in self._running:
            text, sign = self._beat(one), self._signs[one.number]
            if text != sign.text:
                self._signs[one.number] = _Sign(text, now_s)
            elif now_s - sign.at_s > self._stalled_s:
                self._say(
                    f"{one.worker}: no sign of life for {self._stalled_s:.0f} s; it is ended."
                )
                self._engine.kill(one.number)
                self._signs[one.number] = _Sign(text, now_s)

    def _tell(self, meter: Meter, began: float) -> None:
        """Show how far it is."""
        done_s = sum(one.footage_s for one in self._segments if one.over or one.state == "open")
        frames, over = self.sums.frames, sum(one.over for one in self._segments)
        for one in self._running:
            at_s, looked = [*self._beat(one).split(), "0", "0"][:2]
            frames += int(looked)
            gone_s = float(at_s) - one.from_s
            done_s += min(max(gone_s, 0.0), one.footage_s)
        rate = frames / max(time.monotonic() - began, 1e-9)
        meter.to(done_s, f"{rate:.0f} frames/s  {over} of {len(self._segments)} segments")

    def _stop(self, wake: Callable[[], None]) -> None:
        """Ask all workers to stop, and keep what they have."""
        (self._parts / STOP).touch()
        until_s = time.monotonic() + _STOP_S
        while self._running and time.monotonic() < until_s:
            for outcome in self._engine.wait(_ASK_S):
                self._take(outcome)
        self._settle(wake)


def _state(outcome: Outcome, before: Segment) -> State:
    """How a segment stands once a job has ended that was no fault."""
    if outcome.state == "stopped":
        return "open" if before.reached_s else "waiting"
    return (
        "open" if outcome.state == "open" else "swallowed" if outcome.state == "nothing" else "met"
    )
