"""Normal footage as few enough frames to keep, spread evenly over a file or a camera's seconds."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import UsageError
from app.paths import shown_path, uri_of
from app.progress import Reporter
from app.sources.base import Recording
from app.sources.open import open_recording
from app.watching.sizes import SizeCheck, same_shape
from detectors.types import Frame, Pixels

MOST_FRAMES = 64
"""Frames that a detector is fitted on."""
MOST_BYTES = 1 << 30
"""Memory that these may take; frames of 20 megapixels are fewer."""
LEAST_FRAMES = 8
"""Kept however large they are: no detector learns from fewer."""
_BELIEVED = 0.5
"""A file that ends before this share of the length that it announces is read once more."""
_MORE_S = 0.5
"""A file with frames so long behind its announced end announces too little."""
_GRID_SLACK = 1e-6
"""As that of `app.sources.decode.Sampler`, so that both keep the same frames."""


class NormalFrames:
    """Keeps frames evenly over a stretch of time, whether its length is known or not.

    It keeps the first frame of every step of a grid. Where the length is known the grid has as many
    steps as frames may be kept; otherwise its steps double whenever there are too many frames, so
    that between half of them and all are kept in the end.
    """

    def __init__(
        self,
        size: tuple[int, int],
        length_s: float | None,
        *,
        most: int = MOST_FRAMES,
        most_bytes: int = MOST_BYTES,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Begin with none.

        Args:
            size: (height, width) of the frames in pixels; others of the same shape are scaled to
                it, those of another shape are left out.
            length_s: Seconds that will be offered; None if unknown.
            most: Frames to keep at most.
            most_bytes: Memory that frames may take, unless fewer than `LEAST_FRAMES` fit in.
            say: Told of frames that have another size.
        """
        least = LEAST_FRAMES if length_s is not None else 2 * LEAST_FRAMES
        self._most = min(most, max(least, most_bytes // (3 * size[0] * size[1])))
        self._length_s = length_s if length_s is not None else math.inf
        self._sizes = SizeCheck(size, say)
        self._kept: list[tuple[float, Pixels]] = []
        self._step = -1
        self.rate: float | None = None if length_s is None else self._most / length_s
        """Frames a second that are worth offering at present; None for all."""

    @property
    def frames(self) -> list[Pixels]:
        """What is kept, RGB uint8 [H, W, 3], in the order it was offered."""
        return [image for _, image in self._kept]

    def offer(self, frame: Frame, at_s: float) -> bool:
        """Keep a frame if none was kept in its step.

        Args:
            frame: Later than all before it.
            at_s: Seconds from the start of the stretch.

        Returns:
            Whether the stretch goes on; the frame was not looked at if it is over.
        """
        if at_s >= self._length_s:
            return False
        step = self._step_of(at_s)
        fitted = self._sizes.fitted(frame) if step != self._step else None
        if fitted is not None:
            self._step = step
            self._kept.append((at_s, fitted.image))
            if len(self._kept) > self._most:
                self._thin(at_s)
        return True

    def go_on(self, at_s: float, until_s: float | None) -> None:
        """Take frames from a moment on although the stretch was to be over: it is longer.

        Args:
            at_s: The moment, in seconds from the start of the stretch.
            until_s: Where it ends instead; None if unknown.
        """
        self._length_s = until_s if until_s is not None else math.inf
        self._thin(at_s)

    def _step_of(self, at_s: float) -> int:
        return len(self._kept) if self.rate is None else math.floor(at_s * self.rate + _GRID_SLACK)

    def _thin(self, at_s: float) -> None:
        """Double the steps, and keep the first frame of each."""
        self.rate = self._most / (2 * at_s) if self.rate is None else self.rate / 2
        first: dict[int, tuple[float, Pixels]] = {}
        for one in self._kept:
            first.setdefault(self._step_of(one[0]), one)
        self._kept, self._step = list(first.values()), self._step_of(at_s)


def normal_view(frames: Iterable[Frame], learn_s: float, reporter: Reporter) -> list[Pixels]:
    """Take frames of a camera's next seconds, spread evenly over them.

    Args:
        frames: As they arrive; they may end before the time is over.
        learn_s: How many seconds.
        reporter: Told how far it is.

    Returns:
        At most MOST_FRAMES images of one size, RGB uint8 [H, W, 3].
    """
    normal: NormalFrames | None = None
    first_s = math.nan
    with reporter.task("Watching the normal view", learn_s) as meter:
        for frame in frames:
            if normal is None:
                first_s = frame.pts_s
                size = (frame.image.shape[0], frame.image.shape[1])
                normal = NormalFrames(size, learn_s, say=reporter.say)
            meter.to(frame.pts_s - first_s)
            if not normal.offer(frame, frame.pts_s - first_s):
                break
    return normal.frames if normal is not None else []


def normal_frames(
    videos: Sequence[Path],
    seconds: float | None,
    reporter: Reporter,
    check: Callable[[], None],
    from_s: float = 0.0,
    assume_fps: float | None = None,
) -> list[Pixels]:
    """Read frames of normal footage, evenly over its time and over its files.

    Args:
        videos: The files, all of one view; of more than MOST_FRAMES some are left out.
        seconds: How much of each, from its start; None for all.
        reporter: Told how far the reading is.
        check: Raises if the user wants to stop.
        from_s: Where the stretch begins, in seconds from the start of each video.
        assume_fps: As `app.sources.file.FileSource` takes it.

    Returns:
        At most MOST_FRAMES images of one size, RGB uint8 [H, W, 3], in the order of the files.

    Raises:
        app.sources.base.SourceError: If a file cannot be read.
        UsageError: If the files show pictures of several shapes.
    """
    read = [videos[number] for number in _evenly(len(videos), MOST_FRAMES)]
    most = MOST_FRAMES // len(read)
    frames: list[Pixels] = []
    for video in read:
        size = (frames[0].shape[0], frames[0].shape[1]) if frames else None
        stretch = _Stretch(video, from_s, seconds, assume_fps)
        frames += stretch.frames(most, size, reporter, check)
    return frames


def _evenly(count: int, most: int) -> list[int]:
    """Numbers below `count`, at most so many, evenly spread."""
    kept = min(count, most)
    return [number * count // kept for number in range(kept)]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A part of a file to learn from."""

    video: Path
    from_s: float
    seconds: float | None
    assume_fps: float | None

    def frames(
        self,
        most: int,
        size: tuple[int, int] | None,
        reporter: Reporter,
        check: Callable[[], None],
    ) -> list[Pixels]:
        """At most so many frames of a size (that of the first if None), evenly over the stretch."""
        length_s: float | None = None
        while True:
            with self._open() as source:
                length_s = length_s or self._announced_s(source)
                normal = NormalFrames(
                    self._size(source, size),
                    length_s,
                    most=most,
                    most_bytes=MOST_BYTES * most // MOST_FRAMES,
                    say=reporter.say,
                )
                end_s = self._read(source, normal, length_s, reporter, check)
            if length_s is None or end_s == 0 or end_s >= length_s * _BELIEVED:
                return normal.frames
            # It ends long before it announces: once more, now that its end is nearly known.
            length_s = end_s + length_s / most

    def _open(self) -> Recording:
        return open_recording(uri_of(self.video), start_s=self.from_s, assume_fps=self.assume_fps)

    def _announced_s(self, source: Recording) -> float | None:
        left_s = max(source.info.duration_s - self.from_s, 0.0) or math.inf
        length_s = min(self.seconds or math.inf, left_s)
        return length_s if math.isfinite(length_s) else None

    def _size(self, source: Recording, size: tuple[int, int] | None) -> tuple[int, int]:
        own = source.info.size
        if size is not None and not same_shape(own, size):
            raise UsageError(
                f"{shown_path(self.video)}: its pictures of {own[1]}x{own[0]} pixels have another "
                f"shape than the {size[1]}x{size[0]} of the first video; normal footage must show "
                "one view"
            )
        return size or own

    def _read(
        self,
        source: Recording,
        normal: NormalFrames,
        length_s: float | None,
        reporter: Reporter,
        check: Callable[[], None],
    ) -> float:
        """Offer the frames of the stretch; the time of the last one in it is returned."""
        end_s = 0.0
        source.thin(normal.rate)
        with reporter.task("Reading normal footage", length_s) as meter:
            for frame in source.frames():
                check()
                rate, at_s = normal.rate, frame.pts_s - self.from_s
                if not normal.offer(frame, at_s):
                    if self.seconds is not None and at_s >= self.seconds:
                        return max(end_s, at_s)
                    if at_s < (length_s or 0.0) + _MORE_S:
                        continue
                    normal.go_on(at_s, self.seconds)
                if normal.rate != rate:
                    source.thin(normal.rate)
                end_s = at_s
                meter.to(at_s)
        return end_s
