"""One camera of a site: its watch on a thread of its own, begun again whatever ended it."""

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import torch

from app.progress import Reporter
from app.redact import redact, shown_address
from app.service.naming import SharedNames
from app.sources.base import GapReason
from app.stop import Stop
from app.watching.board import Board
from app.watching.shared import Shared, Turns
from app.watching.telling import Tell
from app.watching.watch import watch
from app.watching.watch_request import WatchRequest
from detectors.features.extractors import Extractors
from novic.errors import NomalyError
from novic.model import NounModel

FIRST_PAUSE_S = 1.0
"""Before a watch that failed is begun again; it doubles with every one that fails."""
LONGEST_PAUSE_S = 60.0
LASTED_S = 600.0
"""A watch that lasted so long is no repeated failure when it fails."""
STILL_S = 120.0
"""A thread that has not looked for so long whether it is to stop, hangs."""

type Doing = Literal["starting", "unreachable", "watching", "paused", "failed", "ended", "stopped"]


@dataclass(frozen=True, slots=True)
class CameraState:
    """How one camera of a site does, also while it is not watched."""

    camera: str
    folder: Path
    """Of its store."""
    source: str
    """Where it is, without passwords."""
    doing: Doing
    why: str
    """Why it is not watched, in a sentence; empty if it is."""
    since_us: int
    """UTC since when that is so."""
    restarts: int
    """How often it was begun again because it failed."""
    resumes_us: int | None
    """UTC when a pause ends; None if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What all cameras of a site have."""

    names: NounModel
    naming: SharedNames
    board: Board
    extractors: Extractors
    learning: Turns
    tell: Tell
    """Takes messages; called from all threads."""
    reporter: Callable[[str], Reporter]
    """What people read of a camera of that name."""
    debug: Callable[[str], None] = lambda _: None
    """Told where a fault of ours came from."""


class Watcher:
    """Watches one camera until it is stopped. Safe to use from several threads."""

    def __init__(self, request: WatchRequest, common: Common) -> None:
        """Take what to watch; `start` begins."""
        self.request = request
        self.summary: dict[str, Any] | None = None
        """What the last session came to, once it has ended."""
        self._common = common
        self._reporter = common.reporter(request.camera)
        self._changed = threading.Condition()
        self._over = False
        self._stop = Stop()
        self._until_s: float | None = None
        self._away: tuple[GapReason, str] | None = None
        self._restarts = 0
        self._pause_s = FIRST_PAUSE_S
        self._state = self._as_state("starting")
        self._thread = threading.Thread(target=self._run, name=request.camera, daemon=True)

    @property
    def state(self) -> CameraState:
        """How it does just now."""
        with self._changed:
            return self._state

    @property
    def moves(self) -> bool:
        """Whether its thread goes on, or need not."""
        state = self.state
        if state.doing in ("ended", "stopped"):
            return True
        if state.doing in ("paused", "failed"):
            return self._thread.is_alive()
        return self._thread.is_alive() and time.monotonic() - self._stop.heeded_s < STILL_S

    def start(self, away: tuple[GapReason, str] | None = None) -> None:
        """Begin; `away` says why nobody looked before, if that is known."""
        self._away = away
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; `join` waits for that."""
        with self._changed:
            self._over = True
            self._stop.asked = True
            self._changed.notify_all()

    def join(self, timeout_s: float) -> bool:
        """Wait until it has ended; returns whether it has."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def pause(self, minutes: float) -> None:
        """Do not look for so long; the camera is not even connected to."""
        with self._changed:
            if self._over or self._state.doing == "ended":
                return
            self._until_s = time.monotonic() + 60 * minutes
            resumes_us = _now_us() + round(60e6 * minutes)
            self._away = ("paused", f"it was paused for {minutes:g} min")
            self._state = self._as_state("paused", self._away[1], resumes_us)
            self._stop.asked = True
            self._changed.notify_all()
        self._tell("paused", f"paused for {minutes:g} min", resumes_us=resumes_us)

    def resume(self) -> None:
        """End a pause now."""
        with self._changed:
            if self._until_s is not None:
                self._until_s = time.monotonic()
                self._changed.notify_all()

    def _run(self) -> None:
        while self._begins():
            began_s = time.monotonic()
            why = self._watched()
            if why is None:
                if self._has_ended():
                    return
                continue
            lasted = time.monotonic() - began_s >= LASTED_S
            self._pause_s = FIRST_PAUSE_S if lasted else self._pause_s
            self._say_failed(why)
            self._wait(self._pause_s)
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self._set("stopped", self.state.why)

    def _begins(self) -> bool:
        """Wait for the end of a pause, and be ready to watch; False if it is all over."""
        resumed = False
        with self._changed:
            while not self._over and self._until_s is not None:
                left_s = self._until_s - time.monotonic()
                if left_s <= 0:
                    self._until_s, resumed = None, True
                    break
                self._changed.wait(left_s)
            if self._over:
                return False
            self._stop = Stop()
            self._state = self._as_state("starting")
        if resumed:
            self._tell("resumed", "goes on after the pause")
        return True

    def _watched(self) -> str | None:
        """Watch as long as it goes; why it failed, None if it ended as it was to."""
        away, self._away = self._away, None
        common = self._common
        shared = Shared(
            stop=self._stop,
            names=common.names,
            naming=lambda: common.naming.of(self.request.camera),
            extractors=common.extractors,
            learning=common.learning,
            away=away,
            unreached=self._unreached,
        )
        try:
            self.summary = watch(
                self.request, self._reporter, common.tell, common.board, shared=shared
            )
        except KeyboardInterrupt:
            return None
        except torch.OutOfMemoryError as error:
            if self.request.device == "cpu":
                return str(error)
            self._reporter.say("the GPU has no room for its detector; the CPU looks at it now")
            self.request = replace(self.request, device="cpu")
            return None
        except NomalyError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - the others go on, whatever this one has
            common.debug(redact(traceback.format_exc()))
            return f"unexpected {type(error).__name__}: {error}"
        return None

    def _has_ended(self) -> bool:
        """Whether nothing more will come: a file that has been played."""
        with self._changed:
            if self.summary is None or self.summary["state"] != "finished" or self._stop.asked:
                return False
            self._state = self._as_state("ended", "it has been played to its end")
        return True

    def _unreached(self, why: str) -> None:
        if not why:
            self._set("watching")
            return
        self._set("unreachable", why)
        text = f"{shown_address(self.request.source)}: {why}, trying again"
        self._tell("unreachable", text, detail=redact(why))

    def _say_failed(self, why: str) -> None:
        why = redact(why, self.request.source)
        with self._changed:
            self._restarts += 1
            self._state = self._as_state("failed", why)
        self._tell("failed", f"{why}; begun again in {self._pause_s:.0f} s", detail=why)

    def _tell(self, event: str, text: str, **more: object) -> None:
        self._reporter.say(text)
        message = {"event": event, "camera": self.request.camera, "time_us": _now_us()}
        self._common.tell(message | more)

    def _wait(self, seconds: float) -> None:
        with self._changed:
            until_s = time.monotonic() + seconds
            while not self._over and self._until_s is None:
                left_s = until_s - time.monotonic()
                if left_s <= 0 or not self._changed.wait(left_s):
                    return

    def _set(self, doing: Doing, why: str = "") -> None:
        with self._changed:
            if self._state.doing != "paused" or doing == "stopped":
                self._state = self._as_state(doing, why)

    def _as_state(self, doing: Doing, why: str = "", resumes_us: int | None = None) -> CameraState:
        request = self.request
        source = shown_address(request.source)
        since_us, count = _now_us(), self._restarts
        why = redact(why, request.source)
        return CameraState(
            request.camera, request.out, source, doing, why, since_us, count, resumes_us
        )


def _now_us() -> int:
    return int(datetime.now(UTC).timestamp() * 1e6)
