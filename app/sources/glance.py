"""A quick look over a recording: a few dozen small grey pictures from all over it, in a second."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import cast

import av
import av.error
import cv2
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from app.sources.container import open_video
from app.sources.image_times import image_times
from app.sources.reading import read_from
from app.sources.sequence import sequence_files
from novic.images import ImageError, read_image

WIDTH = 160
"""Pixels; height follows the picture's shape."""
MOST = 48
"""Pictures that are taken at most."""
ENOUGH = 16
"""With fewer key frames than this, frames between them are looked for as well."""
BUDGET_S = 0.8
"""Seconds of this machine's time that a look may take; what was seen until then is used."""
_SHORT_OF_S = 0.5
"""A recording that ends only this much before the moment is not told to."""
_CLOCK_HZ = 1_000_000
"""Ticks of FFmpeg's container clock a second."""


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """What a quick look saw."""

    times_s: NDArray[np.float64]
    """When each picture was taken, rising, in seconds from the start of the video [N]."""
    pictures: NDArray[np.uint8]
    """Grey [N, h, w], made small."""
    length_s: float
    """Announced length of the recording; that of what was seen if it announces none."""


def glance(path: Path, budget_s: float = BUDGET_S) -> Glance:
    """Look at a recording by jumping through it, coarsely first.

    Args:
        path: The file.
        budget_s: How long it may take.

    Raises:
        SourceError: If it is no video; one sentence that says why.
    """
    if images := sequence_files(path):
        return _over_images(images, time.monotonic() + budget_s)
    container, stream = open_video(path)
    with container:
        # Threads that work on several frames at once deliver the first one late.
        stream.thread_type = "SLICE"
        look = _Look(container, stream, time.monotonic() + budget_s)
        look.jump(exact=False)
        if len(look.seen) < ENOUGH:
            look.jump(exact=True)
        if len(look.seen) < ENOUGH:
            look.read_on()
    return _alike(look.seen, look.length_s)


def ends_before(path: Path, at_s: float, assume_fps: float | None = None) -> float | None:
    """When a recording ends, if that is before a moment; None if it is not, or nobody can tell.

    What a file announces is not believed where it says that the moment is beyond the end: what
    lies there is read.

    Args:
        path: The file.
        at_s: Seconds from the start of the video.
        assume_fps: Frames a second that count instead of its time stamps; None to go by these.

    Raises:
        SourceError: If it is no video, or its time stamps say nothing; one sentence that says why.
    """
    if images := sequence_files(path):
        end_s = image_times(images, assume_fps).end_s
        return end_s if end_s < at_s - _SHORT_OF_S else None
    reading, frames = read_from(path, 0.0, assume_fps)
    with reading.container:
        if reading.duration_s > at_s and next(islice(frames, 1, None), None):
            return None
    reading, frames = read_from(path, at_s, assume_fps)
    with reading.container:
        later = next(frames, None)
    return reading.end_s if later is None and 0 < reading.end_s < at_s - _SHORT_OF_S else None


def _over_images(images: Sequence[Path], until: float) -> Glance:
    """Look at images in a row, coarsely first."""
    times = image_times(images)
    seen: dict[int, NDArray[np.uint8]] = {}
    for share in _coarse_first(min(MOST, len(images))):
        if time.monotonic() >= until and seen:
            break
        number = min(int(share * len(images)), len(images) - 1)
        try:
            image = read_image(str(times.order[number]))
        except ImageError:
            continue
        size = (WIDTH, max(1, round(image.shape[0] * WIDTH / image.shape[1])))
        small = cv2.resize(
            cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA
        )
        seen[number] = np.asarray(small, np.uint8)
    return _alike({times.at_s[number]: one for number, one in seen.items()}, times.end_s)


def _alike(seen: Mapping[float, NDArray[np.uint8]], length_s: float) -> Glance:
    """What was seen in the shape of the first picture, in order."""
    times = sorted(seen)
    shape = seen[times[0]].shape if times else (0, 0)
    alike = [at for at in times if seen[at].shape == shape]
    return Glance(
        np.array(alike, np.float64),
        np.array([seen[at] for at in alike], np.uint8).reshape(-1, *shape),
        length_s or (times[-1] if times else 0.0),
    )


class _Look:
    """One look under way."""

    def __init__(self, container: InputContainer, stream: VideoStream, until: float) -> None:
        self.seen: dict[float, NDArray[np.uint8]] = {}
        self._container = container
        self._stream = stream
        self._tick_s = float(stream.time_base or 0)
        self._start = stream.start_time or 0
        self._until = until
        ticks = (stream.duration or 0) * self._tick_s
        self.length_s = ticks or (container.duration or 0) / _CLOCK_HZ

    def jump(self, *, exact: bool) -> None:
        """Take the key frame before each of some moments, or the frame at the moment itself."""
        if not (self._tick_s and self.length_s):
            return
        for share in _coarse_first(MOST):
            if time.monotonic() >= self._until or len(self.seen) >= MOST:
                return
            at_s = share * self.length_s
            try:
                self._seek(at_s)
                self._take_from(at_s if exact else 0.0)
            except av.error.FFmpegError:
                continue

    def read_on(self) -> None:
        """Read from the start while there is time, for files that cannot be jumped through."""
        step_s = (self.length_s or MOST) / MOST
        try:
            self._seek(0.0)
            for number in range(MOST):
                if not self._take_from(number * step_s) or time.monotonic() >= self._until:
                    return
        except av.error.FFmpegError:
            return

    def _seek(self, at_s: float) -> None:
        """Go to the last key frame before a moment."""
        ticks = math.floor(at_s / self._tick_s) if self._tick_s else 0
        self._container.seek(self._start + ticks, stream=self._stream)

    def _take_from(self, at_s: float) -> bool:
        """Keep the next frame from a moment on."""
        for frame in self._container.decode(self._stream):
            late = time.monotonic() >= self._until
            if frame.pts is None:
                continue
            pts_s = (frame.pts - self._start) * self._tick_s
            if pts_s >= at_s or late:
                self.seen.setdefault(pts_s, _small(frame))
                return True
        return False


def _small(frame: av.VideoFrame) -> NDArray[np.uint8]:
    height = max(1, round(frame.height * WIDTH / frame.width))
    grey = frame.reformat(width=WIDTH, height=height, format="gray").to_ndarray()
    return cast("NDArray[np.uint8]", grey)


def _coarse_first(count: int) -> Iterator[float]:
    """Shares of a length from 0 to 1: halves, then quarters, then eighths, ... (van der Corput)."""
    for number in range(count):
        share, base = 0.0, 0.5
        while number:
            share += base * (number & 1)
            number, base = number >> 1, base / 2
        yield share
