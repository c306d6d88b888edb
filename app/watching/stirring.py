"""Where a view stirs while all is normal: whatever moves there must not blind the rest of it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import groupby

import cv2
import numpy as np
from numpy.typing import NDArray

from app.progress import Reporter
from app.watching.backlog import Packed
from app.watching.calm import DIFFERS, small_grey
from app.watching.sizes import same_shape
from detectors.base import Detector
from detectors.frames import BATCH
from detectors.learned import LearnedView
from detectors.scaling import resized, thinned
from detectors.tolerance import PARTS, Stirring
from detectors.types import Frame, Pixels

MOVES = 0.0015
"""Share of a small picture that differs from the learned view where something moves; noise of
sensors and compression stays below 0.001."""
MOST_BYTES = 1 << 28
"""Memory that the packed frames of a camera may take: minutes."""
MOST = 320
"""Frames in which something moves that are looked at; of more, some are left out evenly."""


def tolerating(
    detector: Detector,
    frames: Iterable[Frame],
    length_s: float,
    reporter: Reporter,
    check: Callable[[], None],
) -> Detector:
    """A detector that bears what moves again and again in its normal footage.

    Only frames in which something moves are looked at, so a calm view costs nothing.

    Args:
        detector: Fitted to the footage.
        frames: The footage in the order of time, of the fitted size, densely.
        length_s: About how long it is.
        reporter: Told how far it is.
        check: Raises if the user wants to stop.

    Returns:
        The same detector if nothing moves twice.

    Raises:
        detectors.base.DetectorError: If frames do not fit the detector.
    """
    if detector.view is None or length_s <= 0:
        return detector
    moving = thinned([*_moving(frames, detector.view, length_s, check)], MOST)
    stirring = Stirring()
    if not moving:
        return detector
    with reporter.task("Looking at what moves", len(moving)) as meter:
        done = 0
        for part, group in groupby(moving, key=lambda one: one[0]):
            pictures = [picture for _, picture in group]
            for start in range(0, len(pictures), BATCH):
                check()
                some = pictures[start : start + BATCH]
                stirring.add(detector.detect([one.shown().image for one in some]).maps, part)
                done += len(some)
                meter.to(done)
    tolerance = stirring.tolerance()
    return detector if tolerance is None else detector.with_tolerance(tolerance)


class Keeping:
    """The frames of a camera, also kept packed, so that they can be looked at once more."""

    def __init__(self, frames: Iterable[Frame], most_bytes: int = MOST_BYTES) -> None:
        """Take the frames as they come.

        Args:
            frames: In the order of time.
            most_bytes: Memory that they may take; what comes then is not kept.
        """
        self._coming = frames
        self._left = most_bytes
        self._kept: list[Packed] = []

    @property
    def length_s(self) -> float:
        """Seconds from the first that was kept to the last."""
        return self._kept[-1].frame.pts_s - self._kept[0].frame.pts_s if self._kept else 0.0

    def __iter__(self) -> Iterator[Frame]:
        """The frames as they come."""
        for frame in self._coming:
            if self._left > 0:
                packed = Packed.of(frame)
                self._left -= packed.jpeg.nbytes
                self._kept.append(packed)
            yield frame

    def frames(self, size: tuple[int, int]) -> Iterator[Frame]:
        """What was kept, scaled to a size (height, width); those of other shapes are left out."""
        for packed in self._kept:
            shown = packed.shown()
            if same_shape(shown.image.shape[:2], size):
                yield replace(shown, image=resized(shown.image, size))


def _moving(
    frames: Iterable[Frame], view: LearnedView, length_s: float, check: Callable[[], None]
) -> Iterator[tuple[int, Packed]]:
    """The frames in which something moves, with the part of the footage that each is of."""
    usual = _small(view.picture)
    first_s: float | None = None
    for frame in frames:
        check()
        first_s = frame.pts_s if first_s is None else first_s
        if _differs(_small(frame.image), usual) >= MOVES:
            part = int(PARTS * (frame.pts_s - first_s) / length_s)
            yield min(max(part, 0), PARTS - 1), Packed.of(frame)


def _differs(small: NDArray[np.int16], usual: NDArray[np.int16]) -> float:
    """Share of a small picture that is not as usual, after an even change of light is taken out."""
    if small.shape != usual.shape:
        return 0.0
    apart = small - usual
    return float((np.abs(apart - np.median(apart).astype(np.int16)) > DIFFERS).mean())


def _small(image: Pixels) -> NDArray[np.int16]:
    return cv2.blur(small_grey(image), (3, 3)).astype(np.int16)
