"""A consumer of a live source that runs beside the test, and what it has seen."""

import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from app.sources.base import LiveSource
from detectors.types import Frame
from tests.peers.pattern import number_of


class Consumer:
    """Takes every frame that a live source gives and notes its number and times."""

    def __init__(self, source: LiveSource) -> None:
        self.source = source
        self.frames: list[Frame] = []
        self.arrived_s: list[float] = []
        self.silences = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Consumer":
        return self

    def __exit__(self, *_: object) -> None:
        self.source.close()
        self._thread.join(5)
        assert not self._thread.is_alive()

    @property
    def numbers(self) -> list[int]:
        """The number in each picture so far."""
        return [number_of(frame.image) for frame in self.frames]

    @property
    def last_number(self) -> int:
        """The number in the newest picture; -1 before the first."""
        return number_of(self.frames[-1].image) if self.frames else -1

    def sees_more(self, frames: int, timeout_s: float = 30.0) -> float:
        """Wait for so many more frames; the seconds until the first of them."""
        before = len(self.frames)
        begun_s = time.monotonic()
        wait_for(f"{frames} more frames", lambda: len(self.frames) >= before + frames, timeout_s)
        return self.arrived_s[before] - begun_s

    def _run(self) -> None:
        for frame in self.source.frames(timeout_s=0.2):
            if frame is None:
                self.silences += 1
            else:
                self.frames.append(frame)
                self.arrived_s.append(time.monotonic())


def wait_for(what: str, check: Callable[[], bool], timeout_s: float = 30.0) -> float:
    """Wait until `check()` is true; the seconds it took."""
    begun_s = time.monotonic()
    while not check():
        assert time.monotonic() - begun_s < timeout_s, f"not within {timeout_s} s: {what}"
        time.sleep(0.01)
    return time.monotonic() - begun_s


def reader_pids(parent: int | None = None) -> list[int]:
    """Process ids of the reader children of a process (of this one, if not given)."""
    command = ["ps", "--no-headers", "-o", "pid,args", "--ppid", str(parent or os.getpid())]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return [int(line.split()[0]) for line in lines if "app.sources.reader" in line]


def descriptors() -> int:
    """How many file descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def is_at_work(pid: int) -> bool:
    """Whether a reader has loaded what it reads with, and is connecting or reading."""
    try:
        return "libavformat" in Path(f"/proc/{pid}/maps").read_text()
    except FileNotFoundError:
        return False


def is_alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
