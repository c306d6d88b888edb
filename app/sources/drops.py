"""A folder into which a camera or an FTP server puts images and videos, watched as they come."""

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from app.errors import UsageError
from app.paths import natural, shown_path, uri_of
from app.sources.base import (
    Closing,
    Gap,
    GapReason,
    LiveStats,
    SourceError,
    SourceInfo,
    TimeFrom,
    UnreachableError,
)
from app.sources.file import FileSource
from app.sources.folder import is_video
from app.sources.image_times import time_of_image
from app.sources.sequence import is_still
from app.sources.start_time import time_in_name
from detectors.types import Frame
from novic.images import ImageError, read_image

_STEP_US = 50_000
"""Frames of one moment come so far apart: names often tell whole seconds only."""


@dataclasses.dataclass(frozen=True, slots=True)
class DropSettings:
    """How patient to be with a folder."""

    look_s: float = 0.5
    """Pause between two looks at what is there."""
    settle_s: float = 1.0
    """A file that has not grown for so long is whole, unless it cannot be read ..."""
    give_up_s: float = 30.0
    """... which is so for good if it has not grown for so long."""


class _Stamp(NamedTuple):
    """By which a file that was written anew is told."""

    size: int
    modified_ns: int


@dataclasses.dataclass(frozen=True, slots=True)
class _Waiting:
    """A file that was not given yet."""

    stamp: _Stamp
    since_s: float
    """When it was first seen like this, on the monotonic clock."""
    time_us: int
    time_from: TimeFrom


class DropFolder(Closing):
    """The images and videos that come into a folder, in the order of their times.

    What lies there at the beginning is left out. A file is given once it has not grown for a while,
    and again if it is written anew; none is dropped, however slow the consumer is. The folder is
    looked at when frames are asked for, and at most every `look_s` seconds.
    """

    def __init__(
        self,
        folder: Path,
        camera: str = "",
        sample_fps: float | None = None,
        settings: DropSettings | None = None,
    ) -> None:
        """Note what lies there already.

        Args:
            folder: Where files are put.
            camera: Name for the frames; that of the folder if empty.
            sample_fps: Keep at most so many frames a second of videos; None keeps all.
            settings: How patient to be.

        Raises:
            UnreachableError: If the folder cannot be read.
        """
        self._folder = folder
        self._settings = settings or DropSettings()
        self._sample_fps = sample_fps
        self._lock = threading.Lock()
        self._stop = threading.Event()
        name = camera or shown_path(folder.absolute().name)
        self._info = SourceInfo(name, uri_of(folder), size=(0, 0), fps=0.0, duration_s=0.0)
        self._stats = LiveStats(attempts=1)
        self._gaps: list[Gap] = []
        self._waiting: dict[Path, _Waiting] = {}
        self._looked_s = -float("inf")
        self._playing: Iterator[Frame] = iter(())
        self._first_us: int | None = None
        self._last_us = time.time_ns() // 1000
        try:
            self._given = self._files()
        except OSError as error:
            raise UnreachableError(f"{shown_path(folder)}: {_why(error)}") from error

    @property
    def info(self) -> SourceInfo:
        """The folder; its size and the kind of its times are known from its first frame on."""
        return self._info

    @property
    def stats(self) -> LiveStats:
        """Frames delivered, and files that could not be read."""
        return self._stats

    @property
    def gaps(self) -> list[Gap]:
        """Times in which files could not be read, or the folder; the last one may be open."""
        return list(self._gaps)

    def connect(
        self, timeout_s: float, failed: Callable[[str], None] = lambda _: None
    ) -> SourceInfo:
        """The folder is there; nobody knows when something comes."""
        return self._info

    @property
    def ended(self) -> bool:
        """Whether it was closed; a folder has no other end."""
        return self._stop.is_set()

    def frames(self, timeout_s: float = 0.5) -> Iterator[Frame | None]:
        """See `LiveSource.frames`; no frame is left out."""
        while not self.ended:
            frame = self.take()
            if frame is None:
                self._stop.wait(timeout_s)
            if not self.ended:
                yield frame

    def take(self) -> Frame | None:
        """The next frame, RGB uint8 [H, W, 3]; None if there is none yet."""
        with self._lock:
            while not self.ended:
                frame = self._next_playing()
                if frame is None and not self._began_next():
                    return None
                if frame is not None:
                    return self._delivered(frame)
        return None

    def close(self) -> None:
        """Deliver nothing more. Safe to call twice and from another thread."""
        self._stop.set()

    def _next_playing(self) -> Frame | None:
        """The next frame of the file that was begun, its time behind all before."""
        try:
            frame = next(self._playing, None)
        except SourceError as error:
            self._lost(str(error))
            return None
        if frame is None:
            return None
        at_us = frame.time_us
        if self._first_us is None:
            self._first_us = at_us
        else:
            at_us = max(at_us, self._last_us + _STEP_US)
        self._last_us = at_us
        pts_s = (at_us - self._first_us) / 1e6
        return dataclasses.replace(frame, pts_s=pts_s, time_us=at_us)

    def _delivered(self, frame: Frame) -> Frame:
        index = self._stats.frames
        self._stats = dataclasses.replace(self._stats, frames=index + 1)
        if self._info.size == (0, 0):
            size = (frame.image.shape[0], frame.image.shape[1])
            self._info = dataclasses.replace(self._info, size=size)
        if self._gaps and self._gaps[-1].end_us is None:
            end_us = max(frame.time_us, self._gaps[-1].start_us)
            self._gaps[-1] = dataclasses.replace(self._gaps[-1], end_us=end_us)
        return dataclasses.replace(frame, index=index)

    def _began_next(self) -> bool:
        """Begin the earliest file that waits, if it is whole; none overtakes it."""
        self._look()
        path = min(
            self._waiting, key=lambda one: (self._waiting[one].time_us, natural(one)), default=None
        )
        if path is None:
            return False
        waiting = self._waiting[path]
        idle_s = time.monotonic() - waiting.since_s
        if idle_s < self._settings.settle_s:
            return False
        try:
            self._playing = self._opened(path, waiting)
        except (ImageError, SourceError) as error:
            if idle_s < self._settings.give_up_s:
                return False
            self._lost(f"{shown_path(path.name)} {error}")
        del self._waiting[path]
        self._given[path] = waiting.stamp
        if self._first_us is None:
            self._info = dataclasses.replace(self._info, time_from=waiting.time_from)
        return True

    def _opened(self, path: Path, waiting: _Waiting) -> Iterator[Frame]:
        """The frames of a file.

        Raises:
            ImageError: If it is an image that cannot be read.
            SourceError: If it is a video that cannot be read.
        """
        name = self._info.camera
        if is_video(path):
            return _played(FileSource(path, name, self._sample_fps))
        return iter([Frame(name, 0, 0.0, waiting.time_us, read_image(str(path)))])

    def _lost(self, text: str) -> None:
        corrupt = self._stats.corrupt + 1
        self._stats = dataclasses.replace(self._stats, corrupt=corrupt)
        self._go_blind("damaged", text)

    def _go_blind(self, reason: GapReason, text: str) -> None:
        if not self._gaps or self._gaps[-1].end_us is not None:
            self._gaps.append(Gap(self._last_us, None, reason, text))

    def _look(self) -> None:
        """See what has come since, unless that was seen just now."""
        now_s = time.monotonic()
        if now_s - self._looked_s < self._settings.look_s:
            return
        self._looked_s = now_s
        try:
            files = self._files()
        except OSError as error:
            self._go_blind("unreachable", _why(error))
            return
        # What is gone may come again; nothing is kept of it.
        self._given = {path: stamp for path, stamp in self._given.items() if path in files}
        waiting: dict[Path, _Waiting] = {}
        for path, stamp in files.items():
            before = self._waiting.get(path)
            if before is not None and before.stamp == stamp:
                waiting[path] = before
            elif self._given.get(path) != stamp:
                waiting[path] = _Waiting(stamp, now_s, *_time_of(path, stamp))
        self._waiting = waiting

    def _files(self) -> dict[Path, _Stamp]:
        """Images and videos that are there, none of them empty."""
        found: dict[Path, _Stamp] = {}
        for path in self._folder.iterdir():
            if path.name.startswith(".") or not (is_still(path) or is_video(path)):
                continue
            try:
                facts = path.stat()
            except FileNotFoundError:
                # It was moved on meanwhile, as upload servers do.
                continue
            if facts.st_size:
                found[path] = _Stamp(facts.st_size, facts.st_mtime_ns)
        return found


def check_drops(folder: Path) -> None:
    """Say that a folder cannot be watched.

    Raises:
        UsageError: If it cannot be read.
    """
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise UsageError(f"{shown_path(folder)}: {_why(error)}") from error


def _played(video: FileSource) -> Iterator[Frame]:
    with video:
        yield from video.frames()


def _time_of(path: Path, stamp: _Stamp) -> tuple[int, TimeFrom]:
    """When a file's first picture was taken, UTC in microseconds, and what says so."""
    named: datetime | None = time_in_name(path) if is_video(path) else None
    when, time_from = (named, "name") if named is not None else time_of_image(path)
    if when is not None:
        return round(when.timestamp() * 1e6), time_from
    return stamp.modified_ns // 1000, "modified"


def _why(error: OSError) -> str:
    return f"cannot be read: {error.strerror}"
