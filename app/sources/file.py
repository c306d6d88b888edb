"""A recorded video: every frame, or some a second, with the times it was taken at."""

import itertools
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from av.container import InputContainer

from app.sources.base import SourceError, SourceInfo, TimeFrom
from app.sources.container import Decoded, Decoder, open_video
from app.sources.decode import RgbConverter, Sampler, quarter_turns
from detectors.types import Frame

_FIRST_CREDIBLE_YEAR = 1990
"""Cameras without a clock write 1904 or 1970 as the creation time."""
_MISSING_S = 0.5
"""A video this much shorter than it announces was cut off."""
_MICROSECONDS = 1_000_000


class FileSource:
    """The frames of a video file, in order, with bounded memory.

    Damaged packets are skipped and counted, and a file that was cut off is delivered as far as it
    goes; `warning` says so afterwards. A size that changes on the way is not hidden: every frame
    comes in its own. `Frame.time_us` is the start time plus `pts_s`, the start time being the first
    known of: `start_time`, the container's creation time, the file's modification time less its
    length (`info.time_from` says which).
    """

    def __init__(
        self,
        path: str | Path,
        camera: str = "",
        sample_fps: float | None = None,
        start_s: float = 0.0,
        start_time: datetime | None = None,
    ) -> None:
        """Open the file and decode its first frame.

        Args:
            path: The file.
            camera: Name for the frames; the file's name without its ending if empty.
            sample_fps: Keep at most so many frames a second; None keeps all.
            start_s: Skip what comes before, in seconds from the video's start. Frame numbers are
                then counted from an estimate.
            start_time: When the recording began; UTC is assumed if it names no zone.

        Raises:
            SourceError: If no video frame can be read; one sentence that says why.
            UsageError: If `sample_fps` is not a positive number.
        """
        self._path = Path(path)
        self._sampler = Sampler(sample_fps)
        self._lock = threading.Lock()
        self._closed = False
        self._finished = False
        self._container, stream = open_video(self._path)
        try:
            self._decoder = Decoder(self._container, stream)
            decoded = self._from(start_s)
            first, first_s = self._first(decoded, start_s)
            self._decoded = itertools.chain([(first, first_s)], decoded)
            self._numbers = itertools.count(round(first_s * self._decoder.fps) if start_s else 0)
            turned = quarter_turns(first) % 2 == 1
            size = (first.width, first.height) if turned else (first.height, first.width)
            self._start_us, time_from = _start(
                self._path, self._container, self._decoder.duration_s, start_time
            )
            self._info = SourceInfo(
                camera=camera or self._path.stem,
                uri=str(self._path),
                size=size,
                fps=float(stream.average_rate or 0),
                duration_s=self._decoder.duration_s,
                time_from=time_from,
            )
        except BaseException:
            self._container.close()
            raise
        self._convert = RgbConverter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def info(self) -> SourceInfo:
        """What the file announces."""
        return self._info

    @property
    def damaged(self) -> int:
        """Packets and frames skipped so far because they were damaged."""
        return self._decoder.damaged

    @property
    def warning(self) -> str:
        """What was wrong with the part read so far, in one sentence; empty if nothing."""
        faults = []
        announced_s, end_s = self._info.duration_s, self._decoder.end_s
        if self._finished and end_s < announced_s - _MISSING_S:
            faults.append(f"ends after {end_s:.1f} s of the {announced_s:.1f} s it announces")
        if self._decoder.failure:
            faults.append(f"reading stopped early ({self._decoder.failure})")
        if self._decoder.damaged:
            faults.append(f"{self._decoder.damaged} damaged packets were skipped")
        return f"{self._path}: {'; '.join(faults)}" if faults else ""

    def frames(self) -> Iterator[Frame]:
        """Yield the frames not taken yet, RGB uint8 [H, W, 3], until the file ends or is closed."""
        while not self._closed and not self._finished:
            frame = self._next()
            if frame is not None:
                yield frame

    def thin(self, sample_fps: float | None) -> None:
        """From here on keep at most so many frames a second; None keeps all.

        Raises:
            ValueError: If it is not a positive number.
        """
        with self._lock:
            self._sampler = Sampler(sample_fps)

    def close(self) -> None:
        """Close the file. Safe to call twice and from another thread."""
        # A step of decoding runs without the interpreter's lock: closing beside it would crash.
        with self._lock:
            if not self._closed:
                self._closed = True
                self._container.close()

    def _next(self) -> Frame | None:
        """Decode one frame; None if it is not wanted or there is none."""
        with self._lock:
            if self._closed:
                return None
            picture, pts_s = next(self._decoded, (None, 0.0))
            if picture is None:
                self._finished = True
                return None
            number = next(self._numbers)
            if not self._sampler.wants(pts_s):
                return None
            image = self._convert(picture)
        return Frame(
            camera=self._info.camera,
            index=number,
            pts_s=pts_s,
            time_us=self._start_us + round(pts_s * _MICROSECONDS),
            image=image,
        )

    def _from(self, start_s: float) -> Iterator[Decoded]:
        if start_s <= 0:
            return self._decoder.frames()
        self._decoder.seek(start_s)
        # Half a tick of slack, or a start taken from a frame's own pts_s could miss that frame.
        earliest_s = start_s - 1e-4
        return itertools.dropwhile(lambda item: item[1] < earliest_s, self._decoder.frames())

    def _first(self, decoded: Iterator[Decoded], start_s: float) -> Decoded:
        first = next(decoded, None)
        if first is not None:
            return first
        if self._decoder.end_s > 0:
            raise SourceError(
                f"{self._path}: ends after {self._decoder.end_s:.1f} s, "
                f"so there is nothing from {start_s:g} s on"
            )
        skipped = f" ({self._decoder.damaged} damaged packets)" if self._decoder.damaged else ""
        raise SourceError(f"{self._path}: holds no frame that can be decoded{skipped}")


def _start(
    path: Path, container: InputContainer, duration_s: float, given: datetime | None
) -> tuple[int, TimeFrom]:
    """When the recording began, in UTC microseconds, and how that is known."""
    if given is not None:
        return _microseconds(given), "given"
    created = _creation_time(container)
    if created is not None:
        return _microseconds(created), "container"
    modified_us = path.stat().st_mtime_ns // 1000
    return modified_us - round(duration_s * _MICROSECONDS), "modified"


def _creation_time(container: InputContainer) -> datetime | None:
    try:
        created = datetime.fromisoformat(container.metadata.get("creation_time", ""))
    except ValueError:
        return None
    return created if created.year >= _FIRST_CREDIBLE_YEAR else None


def _microseconds(when: datetime) -> int:
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return round(when.timestamp() * _MICROSECONDS)
