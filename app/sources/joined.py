"""Several files of one camera as one recording, with the times between them as gaps."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from app.paths import path_of, shown_path, uri_of
from app.sources.base import Closing, Gap, SourceError, SourceInfo, TimeFrom
from app.sources.container import open_video
from app.sources.file import FileSource
from app.sources.reading import announced_s
from app.sources.start_time import creation_time, time_in_name
from detectors.types import Frame

_SEAMLESS_S = 2.0
"""Files that are this close follow each other: names tell whole seconds."""
_OVERLAP_S = 60.0
"""Files whose times overlap by less are put one behind the other: names may tell minutes only."""
_LEAST_STEP_S = 0.001


@dataclass(frozen=True, slots=True)
class Part:
    """A file in a recording."""

    path: Path
    start_s: float
    """When it begins, in seconds from the start of the recording."""
    length_s: float
    """As announced; 0 if unknown."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recording: a file, or several that follow each other."""

    parts: tuple[Part, ...]
    began: datetime | None = None
    """By the files' names or containers; None of a single file, which says it when it is opened."""
    time_from: TimeFrom = "modified"

    @property
    def joined(self) -> bool:
        """Whether it is several files."""
        return len(self.parts) > 1

    @property
    def uri(self) -> str:
        """The file, or the folder that all of them lie in."""
        if not self.joined:
            return uri_of(self.parts[0].path)
        return uri_of(Path(os.path.commonpath([part.path.absolute() for part in self.parts])))

    @property
    def name(self) -> str:
        """Of the file or folder, for people."""
        return shown_path(path_of(self.uri).name)

    def facts(self) -> dict[str, Any]:
        """What is kept of it with a run; keys are stable."""
        files = [
            {"file": uri_of(part.path), "start_s": part.start_s, "length_s": part.length_s}
            for part in self.parts
        ]
        return {"uri": self.uri, "files": files}


@dataclass(frozen=True, slots=True)
class _Header:
    path: Path
    length_s: float
    created: datetime | None


def recordings(videos: Sequence[Path], *, each: bool = False) -> list[Recorded]:
    """Sort files into recordings: all of them one, if their times say so, else each its own.

    Times are those in the files' names, or those that their containers tell. They make one
    recording if every file has one and no two overlap by more than a minute.

    Args:
        videos: Files, or images in a row.
        each: Whether every file is a recording of its own, whatever their times say.
    """
    alone = [Recorded((Part(video, 0.0, 0.0),)) for video in videos]
    if each or len(videos) < 2:
        return alone
    headers = [_header(video) for video in videos]
    named = _joined(headers, [time_in_name(one.path) for one in headers], "name")
    told = named or _joined(headers, [one.created for one in headers], "container")
    return [told] if told is not None else alone


def _header(video: Path) -> _Header:
    try:
        container, stream = open_video(video)
    except SourceError:
        # It is told when its turn comes.
        return _Header(video, 0.0, None)
    with container:
        return _Header(video, announced_s(container, stream), creation_time(container))


def _joined(
    headers: Sequence[_Header], begins: Sequence[datetime | None], time_from: TimeFrom
) -> Recorded | None:
    known = [when for when in begins if when is not None]
    if len(known) < len(headers):
        return None
    order = sorted(range(len(headers)), key=lambda number: known[number])
    began = known[order[0]]
    parts: list[Part] = []
    for number in order:
        at_s = (known[number] - began).total_seconds()
        header = headers[number]
        parts.append(Part(header.path, at_s, header.length_s))
    for one, other in pairwise(parts):
        if other.start_s <= one.start_s or one.start_s + one.length_s - other.start_s > _OVERLAP_S:
            return None
    return Recorded(tuple(_behind(parts)), began, time_from)


def _behind(parts: Sequence[Part]) -> Iterator[Part]:
    """Each part where its clock puts it, but not before the one before it has ended."""
    end_s = 0.0
    for part in parts:
        placed = replace(part, start_s=max(part.start_s, end_s))
        end_s = placed.start_s + placed.length_s
        yield placed


class JoinedSource(Closing):
    """The frames of several files on one line of time.

    A file that cannot be read, or does not fit, is left out and told in `failed`; its time becomes
    a gap like every time between files.
    """

    def __init__(
        self,
        recorded: Recorded,
        camera: str = "",
        sample_fps: float | None = None,
        start_s: float = 0.0,
        assume_fps: float | None = None,
        fits: Callable[[FileSource], str] = lambda _: "",
    ) -> None:
        """Open the file in which `start_s` lies, or the next one that can be read.

        Args:
            recorded: The files and where they lie.
            camera: Name for the frames; that of their folder if empty.
            sample_fps: Keep at most so many frames a second; None keeps all.
            start_s: Skip what comes before, in seconds from the start of the recording.
            assume_fps: As `FileSource` takes it.
            fits: Says why a file is to be left out; empty if it is not.

        Raises:
            SourceError: If no file can be read.
        """
        self.failed: list[str] = []
        """Files that were left out, each with the reason."""
        self._recorded = recorded
        self._camera = camera or recorded.name
        self._sample_fps = sample_fps
        self._assume_fps = assume_fps
        self._fits = fits
        self._began = recorded.began or datetime.fromtimestamp(0, UTC)
        self._waiting = [
            part
            for part, after in zip(recorded.parts, [*recorded.parts[1:], None], strict=True)
            if after is None or after.start_s > start_s
        ]
        self._gaps: list[Gap] = []
        self._warnings: list[str] = []
        self._end_s: float | None = None
        self._last_s = start_s - _LEAST_STEP_S
        self._index = -1
        self._closed = False
        self._part, self._file = self._next(start_s)
        last = recorded.parts[-1]
        self._info = replace(
            self._file.info,
            camera=self._camera,
            uri=recorded.uri,
            duration_s=last.start_s + last.length_s,
            time_from=recorded.time_from,
        )

    @property
    def info(self) -> SourceInfo:
        """What the files announce together."""
        return self._info

    @property
    def gaps(self) -> list[Gap]:
        """Times between files, and those without a picture in them."""
        return sorted([*self._gaps, *self._file.gaps], key=lambda gap: gap.start_us)

    @property
    def warning(self) -> str:
        """What was wrong with the files read so far."""
        return "; ".join(one for one in (*self._warnings, self._file.warning) if one)

    def thin(self, sample_fps: float | None) -> None:
        """From here on keep at most so many frames a second; None keeps all.

        Raises:
            ValueError: If it is not a positive number.
        """
        self._file.thin(sample_fps)
        self._sample_fps = sample_fps

    def close(self) -> None:
        """Close the file that is open. Safe to call twice and from another thread."""
        self._closed = True
        self._file.close()

    def frames(self) -> Iterator[Frame]:
        """Yield the frames not taken yet, RGB uint8 [H, W, 3], until the last file ends."""
        while not self._closed:
            for frame in self._file.frames():
                yield self._placed(frame)
            if self._closed or not self._go_on():
                return

    def _placed(self, frame: Frame) -> Frame:
        at_s = max(self._part.start_s + frame.pts_s, self._last_s + _LEAST_STEP_S)
        if self._end_s is not None:
            self._note_gap(self._end_s, at_s)
            self._end_s = None
        self._last_s, self._index = at_s, max(self._index + 1, frame.index)
        time_us = self._us(at_s)
        return replace(frame, camera=self._camera, index=self._index, pts_s=at_s, time_us=time_us)

    def _go_on(self) -> bool:
        """Open the next file that can be read; whether there is one."""
        done = self._file
        gaps, warning, end_s = done.gaps, done.warning, self._part.start_s + done.end_s
        done.close()
        try:
            self._part, self._file = self._next(0.0)
        except SourceError:
            # Closed, it goes on telling what was wrong with it.
            return False
        self._gaps += gaps
        self._warnings.append(warning)
        self._end_s = end_s
        if self._closed:
            # Another thread closed the file before.
            self._file.close()
        return not self._closed

    def _next(self, start_s: float) -> tuple[Part, FileSource]:
        fault = "no file of it can be read"
        while self._waiting:
            part = self._waiting.pop(0)
            if part.length_s and start_s - part.start_s >= part.length_s:
                continue
            try:
                return part, self._open(part, max(0.0, start_s - part.start_s))
            except SourceError as error:
                fault = str(error)
                self.failed.append(fault)
        raise SourceError(fault)

    def _open(self, part: Part, start_s: float) -> FileSource:
        began = self._began + timedelta(seconds=part.start_s)
        file = FileSource(
            part.path, self._camera, self._sample_fps, start_s, began, self._assume_fps
        )
        why = self._fits(file)
        if why:
            file.close()
            raise SourceError(why)
        return file

    def _note_gap(self, start_s: float, end_s: float) -> None:
        if end_s - start_s >= _SEAMLESS_S:
            gap = Gap(self._us(start_s), self._us(end_s), "missing", "no file tells of this time")
            self._gaps.append(gap)

    def _us(self, at_s: float) -> int:
        return round((self._began.timestamp() + at_s) * 1e6)
