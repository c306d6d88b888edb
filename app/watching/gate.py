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
FORCED_S = 5.0
"""After so long without a look the next frame is looked at whatever it shows: light that changes
too slowly to be seen from one frame to the next adds up, and what is fainter than the noise is
found then."""
_LEAST = 1.2
"""Grey levels of a smoothed pixel below which nothing counts as a change, and ..."""
_TIMES_NOISE = 4.0
"""... so many times what noise alone usually makes there: the most it makes anywhere in a frame.
Where a camera shakes or leaves move, edges may differ by more than what is plain."""
_RESTLESS = 6.0
"""Grey levels: where noise usually makes so much in a tenth of the view, a small thing would not
stand out of it, and every frame is looked at."""
_FOLLOW = 0.04
"""Share by which each frame at rest moves what is known of the noise, ..."""
_MOST = 3.0
"""... each pixel by at most so many times what is known: what passes through is no noise."""
_AT_FIRST = 8
"""Frames that are all looked at, to know the noise."""

type _Grey = NDArray[np.float32]


class MotionGate:
    """Compares frames of one camera with the last one that was looked at."""

    def __init__(self) -> None:
        self.passed = 0
        """Frames that needed no look."""
        self._size: tuple[int, ...] = ()
        self._seen: _Grey | None = None
        self._before: _Grey | None = None
        self._seen_s = 0.0
        self._noise: _Grey | None = None
        self._known = 0
        self._borne: _Grey | None = None
        """What each pixel may differ from what was seen; None if every frame is looked at."""

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
            self._size, self._noise, self._known = frame.image.shape, None, 0
        small = _small(frame.image)
        before, self._before = self._before, small
        if before is not None and (at_rest or self._known < _AT_FIRST):
            self._learn(_apart(small, before))
        fresh = frame.pts_s - self._seen_s < FORCED_S
        if at_rest and fresh and self._same(small):
            self.passed += 1
            return True
        self._seen, self._seen_s = small, frame.pts_s
        self._borne = self._bearable()
        return False

    def forget(self) -> None:
        """Look at the next frame whatever it shows: the last one was none of the view."""
        self._seen = self._before = None

    def _learn(self, change: _Grey) -> None:
        """Take what changed between neighbouring frames for noise."""
        self._known += 1
        if self._noise is None:
            self._noise = change
            return
        follow = max(_FOLLOW, 1 / self._known)
        self._noise += follow * (np.minimum(change, _MOST * self._noise + 1) - self._noise)

    def _same(self, small: _Grey) -> bool:
        """Whether it differs nowhere from what was seen by more than noise makes there."""
        if self._seen is None or self._borne is None:
            return False
        return bool((_apart(small, self._seen) <= self._borne).all())

    def _bearable(self) -> _Grey | None:
        if self._noise is None or self._known < _AT_FIRST:
            return None
        # An edge moves into the pixels beside it.
        noise = cv2.dilate(self._noise, np.ones((3, 3), np.uint8))
        restless = np.quantile(noise, 0.9) > _RESTLESS
        return None if restless else np.asarray(_LEAST + _TIMES_NOISE * noise, np.float32)


def _small(image: Pixels) -> _Grey:
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


def _apart(one: _Grey, other: _Grey) -> _Grey:
    """How far two grey pictures differ, without that one is lighter as a whole."""
    apart = one - other
    return np.abs(apart - apart.mean())
