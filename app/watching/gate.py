"""Whether a live camera's frame shows anything new, told without the detector.

Most frames of a quiet camera differ from the last one that was looked at by noise alone. They need
not be looked at again: their map is that one's. What is compared is small, a few hundredths of the
detector's work.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.types import Frame, Pixels

WIDTH = 160
"""Pixels of the longer side of what is compared, at least."""
_ROWS = 4
"""Of each of its pixels so many rows are read: more cost as much and tell no more."""
FORCED_S = 2.0
"""After so long without a look the next frame is looked at whatever it shows: light that changes
too slowly to be seen from one frame to the next adds up."""
_LEAST = 1.5
"""Grey levels of a smoothed pixel below which nothing counts as a change."""
_TIMES_NOISE = 2.0
"""A change is so many times the largest difference that noise alone usually makes."""
_RESTLESS = 4.0
"""Grey levels: where noise alone makes larger differences (a camera that shakes, leaves in the
wind), a small thing would not stand out of it, and every frame is looked at."""
_FOLLOW = 0.1
"""Share by which each quiet frame moves what is known of the noise."""
_AT_FIRST = 8
"""Frames that are all looked at, to know the noise."""


class MotionGate:
    """Compares frames of one camera with the last one that was looked at."""

    def __init__(self) -> None:
        self.passed = 0
        """Frames that needed no look."""
        self._seen: NDArray[np.float32] | None = None
        self._size: tuple[int, ...] = ()
        self._before: NDArray[np.float32] | None = None
        self._seen_s = 0.0
        self._noise: float | None = None
        self._known = 0

    def closed(self, frame: Frame, *, at_rest: bool) -> bool:
        """Whether a frame shows what the last one showed that was looked at.

        Args:
            frame: RGB uint8 [H, W, 3], later than all before it.
            at_rest: Whether nothing is followed or wrong with the camera at present.

        Returns:
            False where it has to be looked at, which is then taken for done.
        """
        if frame.image.shape != self._size:
            self.forget()
            self._size = frame.image.shape
        small = _small(frame.image)
        usual = self._noise_with(small)
        seen, self._before = self._seen, small
        moved = _largest(small, seen) if seen is not None else np.inf
        fresh = frame.pts_s - self._seen_s < FORCED_S
        if at_rest and fresh and usual is not None and moved <= max(_LEAST, _TIMES_NOISE * usual):
            self.passed += 1
            return True
        self._seen, self._seen_s = small, frame.pts_s
        return False

    def forget(self) -> None:
        """Look at the next frame whatever it shows: the last one was none of the view."""
        self._seen = self._before = None

    def _noise_with(self, small: NDArray[np.float32]) -> float | None:
        """The usual largest difference of neighbouring frames; None if not known or too large."""
        if self._before is not None:
            change = _largest(small, self._before)
            # What passes through is no noise: it moves the estimate down at full speed, up hardly.
            known = change if self._noise is None else self._noise
            step = _FOLLOW if change < known else _FOLLOW / 10
            self._noise = known + step * (min(change, 2 * known) - known)
            self._known += 1
        known = self._known >= _AT_FIRST and self._noise is not None and self._noise <= _RESTLESS
        return self._noise if known else None


def _small(image: Pixels) -> NDArray[np.float32]:
    """A grey picture [h, w] of 160 to 320 pixels' width, its noise averaged out."""
    height, width = image.shape[:2]
    # Whole numbers of pixels: others take three times as long.
    times = max(1, max(height, width) // WIDTH)
    times -= times % _ROWS if times > _ROWS else 0
    skipped = max(1, times // _ROWS)
    part = image[: max(1, height // times) * times : skipped, : max(1, width // times) * times]
    size = (max(1, part.shape[1] // times), max(1, part.shape[0] * skipped // times))
    shrunk = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(shrunk, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.blur(grey.astype(np.float32), (3, 3)), np.float32)


def _largest(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The largest difference of two grey pictures, without that one is lighter as a whole."""
    apart = one - other
    return float(np.abs(apart - apart.mean()).max())
