"""A recorded video: every frame, or some a second, with the times it was taken at."""

import itertools
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from app.errors import UsageError
from app.paths import shown_path, uri_of
from app.sources.base import Closing, Gap, GapReason, SourceError, SourceInfo, TimeFrom
from app.sources.container import ASSUMED_FPS, Decoded
from app.sources.decode import PixelAspect, RgbConverter, Sampler
from app.sources.reading import Hole, Reading, read_from
from app.sources.start_time import creation_time, time_in_name
from detectors.types import Frame

_MISSING_S = 0.5
"""A video this much shorter than it announces was cut off."""
_SHORT_S = 0.5
"""Shorter times without a picture are told in sum only: nothing that counts passes in them."""
_MOST_TOLD = 5
_NOTHING = "nothing was recorded"
_MICROSECONDS = 1_000_000


class FileSource(Closing):
    """The frames of a video file, in order, with bounded memory.

    Damaged packets are skipped and counted, and a file that was cut off is delivered as far as it
    goes; `warning` says so afterwards. A size that changes on the way is not hidden: every frame
    comes in its own. `Frame.time_us` is the start time plus `pts_s`, the start time being the first
    known of: `start_time`, the container's creation time, a time in the file's name, the file's
    modification time less its length (`info.time_from` says which).
    """

    def __init__(
        self,
        path: str | Path,
        camera: str = "",
        sample_fps: float | None = None,
        start_s: float = 0.0,
        start_time: datetime | None = None,
        assume_fps: float | None = None,
    ) -> None:
        """Open the file and decode its first frame.

        Args:
            path: The file.
            camera: Name for the frames; the file's name without its ending if empty.
            sample_fps: Keep at most so many frames a second; None keeps all.
            start_s: Skip what comes before, in seconds from the video's start. Frame numbers are
                then counted from an estimate.
            start_time: When the recording began; UTC is assumed if it names no zone.
            assume_fps: Frames a second that count instead of all time stamps; None to go by these.

        Raises:
            SourceError: If no video frame can be read; one sentence that says why.
            UsageError: If `sample_fps` or `assume_fps` is not a positive number.
        """
        if assume_fps is not None and not assume_fps > 0:
            raise UsageError(f"assume_fps must be above 0, got {assume_fps}")
        self._path = Path(path)
        self._from_s = start_s
        self._sampler = Sampler(sample_fps)
        self._lock = threading.Lock()
        self._closed = False
        self._finished = False
        self._reading, decoded = read_from(self._path, start_s, assume_fps)
        try:
            first, first_s = self._first(decoded, start_s)
            self._decoded = itertools.chain([(first, first_s)], decoded)
            fps = self._reading.announced_fps or ASSUMED_FPS
            self._numbers = itertools.count(round(first_s * fps) if start_s else 0)
            self._convert = RgbConverter(PixelAspect(self._reading.stream))
            self._start_us, time_from = _start(self._path, self._reading, start_time)
            self._info = SourceInfo(
                camera=camera or shown_path(self._path.stem),
                uri=uri_of(self._path),
                size=self._convert.size(first),
                fps=self._reading.announced_fps,
                duration_s=self._reading.duration_s,
                time_from=time_from,
            )
        except BaseException:
            self._reading.close()
            raise

    @property
    def info(self) -> SourceInfo:
        """What the file announces."""
        return self._info

    @property
    def damaged(self) -> int:
        """Packets and frames skipped so far because they were damaged."""
        return self._reading.decoder.damaged

    @property
    def end_s(self) -> float:
        """When the last frame that was read ends, in seconds from the video's start."""
        return self._reading.end_s

    @property
    def gaps(self) -> list[Gap]:
        """Times without a sound picture so far, in order; very short ones are left out."""
        return [self._gap(hole) for hole in self._holes if hole.lost_s >= _SHORT_S]

    @property
    def warning(self) -> str:
        """What was wrong with the part read so far, in one sentence; empty if nothing."""
        faults = [*self._faults_of_reading(), *self._faults_of_time()]
        return f"{shown_path(self._path)}: {'; '.join(faults)}" if faults else ""

    @property
    def _holes(self) -> list[Hole]:
        return [hole for hole in self._reading.holes if hole.end_s > self._from_s]

    def _faults_of_reading(self) -> Iterator[str]:
        decoder = self._reading.decoder
        if decoder.failure:
            yield f"reading stopped early ({decoder.failure})"
        if decoder.damaged:
            yield f"{decoder.damaged} damaged packets were skipped"
        if damaged := [hole for hole in self._holes if hole.pictures]:
            lost_s = sum(hole.lost_s for hole in damaged)
            pictures = sum(hole.pictures for hole in damaged)
            yield f"{pictures} pictures could not be decoded, which leaves out {lost_s:.1f} s"
        if pauses := [hole for hole in self._holes if not hole.pictures]:
            lost_s = sum(hole.lost_s for hole in pauses)
            yield f"nothing was recorded for {lost_s:.1f} s ({len(pauses)} times)"

    def _faults_of_time(self) -> Iterator[str]:
        clock = self._reading.clock
        announced_s, end_s = self._info.duration_s, self._reading.end_s
        doubtful = clock.restarted_s or clock.corrected
        if self._finished and not doubtful and end_s < announced_s - _MISSING_S:
            yield f"ends after {end_s:.1f} s of the {announced_s:.1f} s it announces"
        if clock.restarted_s:
            when = ", ".join(f"{at_s:.1f}" for at_s in clock.restarted_s[:_MOST_TOLD])
            more = ", ..." if len(clock.restarted_s) > _MOST_TOLD else ""
            yield f"its clock starts anew at {when}{more} s, and what follows is put right behind"
        if clock.corrected:
            yield f"{clock.corrected} frames had wrong time stamps, which were corrected"

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
                self._reading.close()

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
            time_us=self._time_us(pts_s),
            image=image,
        )

    def _gap(self, hole: Hole) -> Gap:
        reason: GapReason = "damaged" if hole.pictures else "missing"
        what = f"{hole.pictures} pictures could not be decoded" if hole.pictures else _NOTHING
        return Gap(self._time_us(hole.start_s), self._time_us(hole.end_s), reason, what)

    def _time_us(self, pts_s: float) -> int:
        return self._start_us + round(pts_s * _MICROSECONDS)

    def _first(self, decoded: Iterator[Decoded], start_s: float) -> Decoded:
        first = next(decoded, None)
        if first is not None:
            return first
        if self._reading.end_s > 0:
            raise SourceError(
                f"{shown_path(self._path)}: ends after {self._reading.end_s:.1f} s, "
                f"so there is nothing from {start_s:g} s on"
            )
        skipped = f" ({self.damaged} damaged packets)" if self.damaged else ""
        raise SourceError(f"{shown_path(self._path)}: holds no frame that can be decoded{skipped}")


def _start(path: Path, reading: Reading, given: datetime | None) -> tuple[int, TimeFrom]:
    """When the recording began, in UTC microseconds, and how that is known."""
    if given is not None:
        return _microseconds(given), "given"
    created = creation_time(reading.container)
    if created is not None:
        return _microseconds(created), "container"
    named = time_in_name(path)
    if named is not None:
        return _microseconds(named), "name"
    modified_us = path.stat().st_mtime_ns // 1000
    return modified_us - round(reading.duration_s * _MICROSECONDS), "modified"


def _microseconds(when: datetime) -> int:
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return round(when.timestamp() * _MICROSECONDS)
