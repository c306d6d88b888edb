"""What a watch says while it lasts: events, the camera lost and back, signs of life.

People read it on stderr, but for events; scripts get each as JSON. A thread of its own looks after
the camera, so that nothing which keeps the watch busy delays the news.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from rich.live import Live
from rich.text import Text

from app.lengths import told as told_length
from app.progress import Reporter
from app.report.times import local
from app.sources.base import NOW, Gap, LiveSource
from app.watching.board import Station
from app.watching.faults import FAULT_NAMES

HEARTBEAT_S = 60.0
"""Pause between signs of life."""
_TICK_S = 0.2
_STATUS_S = 1.0
"""How often the line at the foot of a terminal is brought up to date."""

type Tell = Callable[[dict[str, Any]], None]
"""Is given every message as JSON: an event's state, or what its `event` says instead."""


@dataclass(slots=True)
class _Told:
    """How many of some gaps were told, in order; only the last one may be open."""

    lost: int = 0
    back: int = 0
    detail: str = ""
    """Of the gap that was told last."""

    def news(self, gaps: Sequence[Gap]) -> Iterator[tuple[Literal["lost", "still", "back"], Gap]]:
        """What is to be told of them since the last call."""
        for number, gap in enumerate(gaps[self.back :], start=self.back):
            if number >= self.lost:
                self.lost, self.detail = number + 1, gap.detail
                yield "lost", gap
            elif gap.end_us is None and gap.detail != self.detail and NOW in gap.detail:
                self.detail = gap.detail
                yield "still", gap
            if gap.end_us is None:
                return
            self.back = number + 1
            yield "back", gap


class Telling:
    """Tells what happens in one watch, while it is entered."""

    def __init__(
        self,
        camera: LiveSource,
        reporter: Reporter,
        tell: Tell,
        *,
        heartbeat_s: float | None = None,
        station: Station | None = None,
    ) -> None:
        """Prepare.

        Args:
            camera: What is watched.
            reporter: Where people read.
            tell: Where scripts do; called from several threads, never from two at once.
            heartbeat_s: Pause between signs of life; 0 for none, None for HEARTBEAT_S, and on a
                terminal a line that is always up to date instead.
            station: Where others see how the camera does.
        """
        self.station = station or Station(Path(), camera)
        self.pulse = self.station.pulse
        self._camera = camera
        self._reporter = reporter
        self._tell = tell
        self._beat_s = HEARTBEAT_S if heartbeat_s is None else heartbeat_s
        self._lines = heartbeat_s is not None or not reporter.console.is_terminal
        self._speaking = threading.RLock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_after, name="telling", daemon=True)
        self._status: Live | None = None
        self._told = [_Told()]
        self._counted = (0, time.monotonic())

    def __enter__(self) -> Self:
        # What failed before the first frame came has been told.
        before = sum(gap.end_us is not None for gap in self._camera.gaps)
        self._told = [_Told(before, before)]
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        self._show_status(False)
        self._notice()

    def tell(self, message: dict[str, Any]) -> None:
        """Pass a message on; from any thread."""
        with self._speaking:
            # What goes to stdout may go to the same terminal.
            shown = self._status is not None
            self._show_status(False)
            self.station.told(message)
            self._tell(message)
            self._show_status(shown)

    def watching(self) -> None:
        """Say by a line at the foot of the terminal how it goes, from here on."""
        console = self._reporter.console
        self._show_status(console.is_terminal and not console.quiet)

    def _look_after(self) -> None:
        beat_at, status_at = time.monotonic() + self._beat_s, 0.0
        while not self._over.wait(_TICK_S):
            self._notice()
            now = time.monotonic()
            if self._beat_s and now >= beat_at:
                beat_at = now + self._beat_s
                self._beat()
            if now >= status_at:
                status_at = now + _STATUS_S
                self._refresh()

    def _notice(self) -> None:
        """Tell which gaps have begun and ended since the last call."""
        blind = self._blind
        self._told += [_Told() for _ in blind[len(self._told) :]]
        for told, gaps in zip(self._told, blind, strict=True):
            for news, gap in told.news(gaps):
                # What is wrong with its pictures is told as an event.
                if gap.end_us == gap.start_us or gap.reason in FAULT_NAMES:
                    continue
                match news:
                    case "lost":
                        self._say_lost(gap)
                    case "still":
                        self._say_still(gap)
                    case "back":
                        self._say_back(gap)

    @property
    def _blind(self) -> list[list[Gap]]:
        """All times of blindness, a list for each cause."""
        return [self._camera.gaps, *([*gaps] for gaps in self.pulse.unseen)]

    def _say_lost(self, gap: Gap) -> None:
        name = self._camera.info.camera
        # That pictures have another size has been said with what can be done.
        if gap.reason != "size":
            lost = "not looked at" if gap.reason == "learning" else "lost"
            again = ", trying again" if lost == "lost" and gap.end_us is None else ""
            self._say(gap.start_us, f"camera {name} {lost} ({reason(gap)}){again}")
        message = {"reason": gap.reason, "detail": gap.detail}
        self.tell({"event": "lost", "camera": name, "time_us": gap.start_us, **message})

    def _say_still(self, gap: Gap) -> None:
        name, why = self._camera.info.camera, gap.detail.partition(NOW)[2]
        self._say(self.pulse.now_us, f"camera {name} cannot be reached: {why}, trying again")
        message = {"reason": gap.reason, "detail": why}
        told = {"event": "unreachable", "camera": name, "time_us": self.pulse.now_us}
        self.tell(told | message)

    def _say_back(self, gap: Gap) -> None:
        name, end_us = self._camera.info.camera, gap.end_us or gap.start_us
        blind_s = (end_us - gap.start_us) / 1e6
        self._say(end_us, f"camera {name} back after {told_length(blind_s, tenths=True)}")
        message = {"blind_s": round(blind_s, 3), "reason": gap.reason}
        self.tell({"event": "back", "camera": name, "time_us": end_us, **message})

    def _beat(self) -> None:
        """Give a sign of life."""
        beat = self._state()
        self._counted = (self.pulse.frames, time.monotonic())
        if self._lines:
            self._say(beat["time_us"], in_words(beat))
        self.tell(beat)

    def _state(self) -> dict[str, Any]:
        """How it goes; the pace is that since the last sign of life."""
        pulse, age_s = self.pulse, self.pulse.age_s
        frames, at = self._counted
        fps = (pulse.frames - frames) / max(time.monotonic() - at, 1e-3)
        last = [gaps[-1] for gaps in self._blind if gaps]
        blind = next((gap for gap in last if gap.end_us is None), None)
        return {
            "event": "heartbeat",
            "camera": self._camera.info.camera,
            "time_us": pulse.now_us,
            "doing": pulse.doing,
            "fps": round(fps, 2),
            "frame_age_s": None if age_s is None else round(age_s, 3),
            "frames": pulse.frames,
            "dropped": self._camera.stats.dropped + pulse.skipped,
            "open": pulse.open,
            "blind": None if blind is None else reason(blind),
        }

    def _refresh(self) -> None:
        with self._speaking:
            if self._status is not None:
                line = Text(in_words(self._state()), "dim", no_wrap=True)
                self._status.update(line, refresh=True)

    def _say(self, time_us: int | None, text: str) -> None:
        at = f"{clock_time(time_us)} " if time_us is not None else ""
        with self._speaking:
            self._reporter.say(f"{at}{text}")

    def _show_status(self, shown: bool) -> None:
        with self._speaking:
            if shown and self._status is None:
                self._status = Live(
                    console=self._reporter.console,
                    auto_refresh=False,
                    transient=True,
                    redirect_stdout=False,
                    redirect_stderr=False,
                )
                self._status.start()
            elif not shown and self._status is not None:
                self._status.stop()
                self._status = None


def reason(gap: Gap) -> str:
    """Why a camera is away, for people."""
    began, now, why = gap.detail.partition(NOW)
    return f"{'connection ended' if gap.reason == 'ended' else began or gap.reason}{now}{why}"


def clock_time(time_us: int) -> str:
    """The hour, minute and second of a UTC time where this machine stands."""
    return f"{local(time_us):%H:%M:%S}"


def in_words(heartbeat: dict[str, Any]) -> str:
    """A sign of life for people."""
    age_s, blind, count = heartbeat["frame_age_s"], heartbeat["blind"], heartbeat["open"]
    said = [heartbeat["doing"] if blind is None else f"blind ({blind})"]
    if heartbeat["doing"] != "learning":
        said.append(f"{heartbeat['fps']:.1f} frames/s")
    if age_s is not None:
        said.append(f"last frame {told_length(age_s, tenths=True)} ago")
    said.append(f"{heartbeat['dropped']} dropped")
    if count:
        said.append(f"{count} event{'s' if count != 1 else ''} open")
    return f"{heartbeat['camera']}: {', '.join(said)}"
