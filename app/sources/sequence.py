"""Images that were taken one after the other, as a recording: a folder, a pattern, some files."""

import glob
import re
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from app.errors import UsageError
from app.paths import natural, shown_path, uri_of
from app.sources.base import Closing, Gap, GapReason, SourceError, SourceInfo
from app.sources.decode import Sampler
from app.sources.image_times import ImageTimes, image_times
from app.sources.reading import Pace
from detectors.types import Frame, Pixels
from novic.images import ENDINGS, ImageError, image_size, read_image

MOVING = frozenset({".gif", ".apng", ".avifs", ".mpo", ".jps"})
"""Images that may move, and are read as videos."""
STILLS = ENDINGS - MOVING
_NUMBERED = re.compile(r"%(?:0(\d+))?d")
_SLACK_S = 1e-4
_SHORT_S = 0.5
"""Shorter times without a picture are told in sum only."""
_MOST_TOLD = 3


def is_sequence(path: Path) -> bool:
    """Whether a path means images one after the other: a folder of them, or a pattern."""
    return bool(sequence_files(path))


def sequence_files(path: Path) -> list[Path]:
    """The images that a path means, by their names, 9 before 10; none if it means no sequence.

    Args:
        path: A folder of images, `frames/*.jpg`, `frame_%04d.png`, or `frames/{a.png,b.png}`.
    """
    if path.is_dir():
        return _in_order(path.iterdir())
    if listed := _listed(path):
        return listed
    if _NUMBERED.search(path.name):
        return _numbered(path)
    if glob.has_magic(str(path)) and not path.exists():
        found = glob.glob(str(path), recursive=True)  # noqa: PTH207 - absolute ones too
        return _in_order(map(Path, found))
    return []


def as_sequence(files: Sequence[Path]) -> Path:
    """The path that means some images of one folder.

    Raises:
        UsageError: If they lie in several folders, or a name cannot be listed.
    """
    folders = {file.parent for file in files}
    if len(folders) > 1:
        raise UsageError(
            f"{shown_path(files[0])}, ...: images of several folders; name one folder of them"
        )
    if any(set(",{}") & set(file.name) for file in files):
        raise UsageError(
            f"{shown_path(files[0].parent)}: names of images hold a comma; name the folder"
        )
    return files[0].parent / f"{{{','.join(file.name for file in _in_order(files))}}}"


def _in_order(paths: "Iterator[Path] | Sequence[Path]") -> list[Path]:
    return sorted((path for path in paths if is_still(path)), key=natural)


def is_still(path: Path) -> bool:
    """Whether a path is an image file by its name."""
    return path.suffix.lower() in STILLS and not path.name.startswith(".") and path.is_file()


def _listed(path: Path) -> list[Path]:
    if not (path.name.startswith("{") and path.name.endswith("}")):
        return []
    return [path.parent / name for name in path.name[1:-1].split(",")]


def _numbered(path: Path) -> list[Path]:
    before, digits, after = _NUMBERED.split(path.name, maxsplit=1)
    wide = int(digits or 1)
    meant = re.compile(rf"{re.escape(before)}(\d{{{wide},}}){re.escape(after)}")
    return _in_order(entry for entry in _entries(path.parent) if meant.fullmatch(entry.name))


def _entries(folder: Path) -> Iterator[Path]:
    yield from folder.iterdir() if folder.is_dir() else ()


class SequenceSource(Closing):
    """The images of a sequence in order, each in its own size, with bounded memory.

    Images that cannot be read are left out and told; `warning` says which.
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
        """Find the images, and look at the size of the first.

        Args:
            path: See `sequence_files`.
            camera: Name for the frames; that of the images' folder if empty.
            sample_fps: Keep at most so many frames a second; None keeps all.
            start_s: Skip what comes before, in seconds from the first image.
            start_time: When the first was taken; None where the images must tell.
            assume_fps: Images a second that count instead of what names and EXIF say.

        Raises:
            SourceError: If there is no image that can be read, or none so late.
            UsageError: If `sample_fps` or `assume_fps` is not a positive number.
        """
        if assume_fps is not None and not assume_fps > 0:
            raise UsageError(f"assume_fps must be above 0, got {assume_fps}")
        self._path = Path(path)
        self._sampler = Sampler(sample_fps)
        self._lock = threading.Lock()
        self._closed = False
        files = sequence_files(self._path)
        if not files:
            raise SourceError(f"{shown_path(self._path)}: holds no images")
        self._times = image_times(files, assume_fps)
        self._next = sum(at_s < start_s - _SLACK_S for at_s in self._times.at_s)
        self._pace = Pace()
        self._last_s: float | None = None
        self._lost: list[str] = []
        """Images that could not be read since the last that could."""
        self._faults: list[str] = []
        self._gaps: list[Gap] = []
        self._check(start_s)
        self._start_us = _start_us(self._times, start_time)
        self._info = SourceInfo(
            camera=camera or shown_path(self._times.order[0].absolute().parent.name),
            uri=uri_of(self._path),
            size=self._first_size(),
            fps=assume_fps or 1 / self._times.step_s,
            duration_s=self._times.end_s,
            time_from="given" if start_time is not None else self._times.time_from,
        )

    @property
    def info(self) -> SourceInfo:
        """What the images announce together."""
        return self._info

    @property
    def gaps(self) -> list[Gap]:
        """Times without a picture so far, in order; very short ones are left out."""
        return list(self._gaps)

    @property
    def warning(self) -> str:
        """Which images could not be read so far, in one sentence; empty if none."""
        if not self._faults:
            return ""
        more = ", ..." if len(self._faults) > _MOST_TOLD else ""
        told = ", ".join(self._faults[:_MOST_TOLD])
        return (
            f"{shown_path(self._path)}: {len(self._faults)} images could not be read ({told}{more})"
        )

    def frames(self) -> Iterator[Frame]:
        """Yield the frames not taken yet, RGB uint8 [H, W, 3], until the last image."""
        while not self._closed and self._next < len(self._times.order):
            frame = self._take()
            if frame is not None:
                yield frame

    def thin(self, sample_fps: float | None) -> None:
        """From here on keep at most so many frames a second; None keeps all.

        Raises:
            UsageError: If it is not a positive number.
        """
        with self._lock:
            self._sampler = Sampler(sample_fps)

    def close(self) -> None:
        """Deliver nothing more. Safe to call twice and from another thread."""
        self._closed = True

    def _take(self) -> Frame | None:
        """Read the next image; None if it is not wanted or cannot be read."""
        with self._lock:
            number = self._next
            self._next += 1
            at_s = self._times.at_s[number]
            if self._closed or not self._sampler.wants(at_s):
                return None
            image = self._read(self._times.order[number])
            if image is None:
                return None
            self._note_gap(at_s)
        return Frame(self._info.camera, number, at_s, self._us(at_s), image)

    def _read(self, path: Path) -> Pixels | None:
        try:
            return read_image(str(path))
        except ImageError as error:
            self._lost.append(path.name)
            self._faults.append(f"{shown_path(path.name)} {error}")
            return None

    def _note_gap(self, at_s: float) -> None:
        """Keep the time since the last picture as a gap, if it is one."""
        before, lost = self._last_s, self._lost
        self._last_s, self._lost = at_s, []
        if before is None:
            return
        pause = self._pace.is_pause(at_s - before)
        if lost and at_s - before >= _SHORT_S:
            self._keep(before, at_s, "damaged", f"{len(lost)} images could not be read")
        elif pause:
            self._keep(before, at_s, "missing", "no image tells of this time")

    def _keep(self, start_s: float, end_s: float, reason: GapReason, detail: str) -> None:
        self._gaps.append(Gap(self._us(start_s), self._us(end_s), reason, detail))

    def _us(self, at_s: float) -> int:
        return self._start_us + round(at_s * 1e6)

    def _check(self, start_s: float) -> None:
        if self._next >= len(self._times.order):
            raise SourceError(
                f"{shown_path(self._path)}: its last image is at {self._times.at_s[-1]:.1f} s, so "
                f"there is nothing from {start_s:g} s on"
            )

    def _first_size(self) -> tuple[int, int]:
        """(height, width) of the next image that can be read."""
        why = ""
        for image in self._times.order[self._next :]:
            try:
                return image_size(image)
            except ImageError as error:
                why = why or f"{shown_path(image.name)} {error}"
        raise SourceError(f"{shown_path(self._path)}: none of its images can be read ({why})")


def _start_us(times: ImageTimes, given: datetime | None) -> int:
    """When the first image was taken, in UTC microseconds."""
    if given is not None and given.tzinfo is None:
        given = given.replace(tzinfo=UTC)
    began = given or times.began
    if began is not None:
        return round(began.timestamp() * 1e6)
    return times.order[0].stat().st_mtime_ns // 1000
