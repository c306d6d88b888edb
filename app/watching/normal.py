"""Normal footage as few enough frames to keep, spread evenly over a file or a camera's seconds."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path

from app.progress import Reporter
from app.sources.open import open_recording
from app.watching.sizes import SizeCheck
from detectors.types import Frame, Pixels

MOST_FRAMES = 64
"""Frames that a detector is fitted on."""
MOST_BYTES = 1 << 30
"""Memory that these may take; frames of 20 megapixels are fewer."""
LEAST_FRAMES = 8
"""Kept however large they are: no detector learns from fewer."""
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
        most_bytes: int = MOST_BYTES,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Begin with none.

        Args:
            size: (height, width) of the frames in pixels; others of the same shape are scaled to
                it, those of another shape are left out.
            length_s: Seconds that will be offered; None if unknown.
            most_bytes: Memory that frames may take, unless fewer than `LEAST_FRAMES` fit in.
            say: Told of frames that have another size.
        """
        least = LEAST_FRAMES if length_s is not None else 2 * LEAST_FRAMES
        self._most = max(least, min(MOST_FRAMES, most_bytes // (3 * size[0] * size[1])))
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
    video: Path,
    seconds: float | None,
    reporter: Reporter,
    check: Callable[[], None],
    from_s: float = 0.0,
) -> list[Pixels]:
    """Read frames of normal footage, evenly over its time.

    Args:
        video: The file.
        seconds: How much of it; None for all.
        reporter: Told how far the reading is.
        check: Raises if the user wants to stop.
        from_s: Where the stretch begins, in seconds from the start of the video.

    Returns:
        At most MOST_FRAMES images of one size, RGB uint8 [H, W, 3].

    Raises:
        app.sources.base.SourceError: If the file cannot be read.
    """
    with open_recording(str(video), start_s=from_s) as source:
        left_s = max(source.info.duration_s - from_s, 0.0) or math.inf
        limit_s = min(seconds or math.inf, left_s)
        length_s = limit_s if math.isfinite(limit_s) else None
        normal = NormalFrames(source.info.size, length_s, say=reporter.say)
        source.thin(normal.rate)
        with reporter.task("Reading normal footage", length_s) as meter:
            for frame in source.frames():
                check()
                rate = normal.rate
                if not normal.offer(frame, frame.pts_s - from_s):
                    break
                if normal.rate != rate:
                    source.thin(normal.rate)
                meter.to(frame.pts_s - from_s)
    return normal.frames
