"""Whether a camera sends the same picture again and again."""

from collections import deque
from statistics import median

import cv2
import numpy as np

from app.watching.course import Since
from detectors.types import Frame, Pixels

FROZEN_S = 10.0
"""A picture that has not changed for so long is frozen; noise alone changes every real one."""
_FRAMES = 10
"""... in at least so many frames."""
_RUNS = 9
"""Of so many pictures it is remembered how long each stood."""
_TIMES = 3
"""A camera that sends a new picture now and then may take so many times as long as usual."""
_NEAR_MEAN = 0.7
"""Two pictures are the same but for their encoding if they differ by so little on average, ..."""
_NEAR_BLOCK = 4
"""... and nowhere by more, in the mean of a block of 16 pixels."""
_EQUAL_MEAN = 0.005
_EQUAL_BLOCK = 1
"""As near as this, a frame says that nothing has changed since the one before."""
_NEAR_PER_EQUAL = 3
_NEAR_AT_FIRST = 5


class Standing:
    """Measures how long a camera's picture has been the same, to the bit or but for its encoding.

    Of re-encoded pictures every fourth must still be equal to the one before: encoders repeat what
    does not change, and only key frames differ a little. Noise makes key frames differ more.
    """

    def __init__(self) -> None:
        self.since: Frame | None = None
        """The first frame of the picture that stands."""
        self.frames = 0
        """How many frames have shown it."""
        self._before: Pixels | None = None
        self._last_s = 0.0
        self._equal = 0
        self._runs: deque[float] = deque(maxlen=_RUNS)

    @property
    def lasts_s(self) -> float:
        """For how long the picture has been the same, seconds."""
        return self._last_s - self.since.pts_s if self.since is not None else 0.0

    @property
    def began(self) -> Since | None:
        """Where the picture that stands was seen first."""
        first = self.since
        return None if first is None else Since(first.pts_s, first.time_us, self.frames)

    def see(self, frame: Frame) -> bool:
        """Take the next frame; whether the picture is frozen."""
        before, self._before = self._before, frame.image
        near, equal = _alike(before, frame.image) if before is not None else (False, False)
        self._equal += equal
        others = self.frames - self._equal
        if not near or others > _NEAR_PER_EQUAL * self._equal + _NEAR_AT_FIRST:
            self._begin(frame)
        self.frames += 1
        self._last_s = frame.pts_s
        return self.frames > _FRAMES and self.lasts_s >= self._limit_s()

    def _begin(self, frame: Frame) -> None:
        if self.since is not None:
            self._runs.append(self.lasts_s)
        self.since, self.frames, self._equal = frame, 0, 0

    def _limit_s(self) -> float:
        usual_s = median(self._runs) if len(self._runs) > _TIMES else 0.0
        return max(FROZEN_S, _TIMES * usual_s)


def _alike(one: Pixels, other: Pixels) -> tuple[bool, bool]:
    """Whether two images [H, W, 3] are the same but for their encoding, and (almost) to the bit."""
    if one.shape != other.shape:
        return False, False
    # Most pictures differ everywhere: a few pixels tell, and the others need not be compared.
    few = cv2.absdiff(np.ascontiguousarray(one[::8, ::8]), np.ascontiguousarray(other[::8, ::8]))
    if few.mean() > 2 * _NEAR_MEAN:
        return False, False
    differs = cv2.absdiff(one, other)
    if not differs.any():
        return True, True
    height, width = one.shape[:2]
    size = (max(1, width // 16), max(1, height // 16))
    block = cv2.resize(differs, size, interpolation=cv2.INTER_AREA).max()
    mean = differs.mean()
    near, equal = mean <= _NEAR_MEAN, mean <= _EQUAL_MEAN
    return bool(near and block <= _NEAR_BLOCK), bool(equal and block <= _EQUAL_BLOCK)
