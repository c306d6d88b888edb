"""Leaves in the wind: what belongs there, a little displaced, and nothing else.

A thing has its own texture and colours: no displacement of what is behind it explains them. The
learned picture is a median, which blurs what swayed while it was learned; so what is seen is also
laid over sharp pictures, normal frames that the detector kept and frames of the last minutes, and
each pixel may come from any of them: leaves do not all sway alike.

Measured on wind 3.5 times as strong as in the learned minute (two scenes, boxes from 1.2 on): of
all boxes the median explains .42 and .01, the best of the sharp pictures .71 and .40, all of them
together 1.0 and .87; of 240 things of 2 to 20% of the width in that wind 0, 2 and 3, all of 2%.
"""

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.learned import LearnedView
from detectors.patches import DARK, RING_PIXELS, WHITE, Patch, patch_of
from detectors.scaling import resized
from detectors.settled import Settled
from detectors.types import Box, Detection, Frame, Pixels

REACH = 0.015
"""Share of the frame's longer side by which what belongs there may have gone, ..."""
PIXELS, OPEN, EXPLAINS = (95, 99), (2.0, 4.0), (0.75, 0.8)
"""... what that may leave open in so many of a hundred pixels, in what may be borne, and which
share of what there was without it: measured on stronger wind in leaves .3 to .8, on things .81 to
1."""
_HOPELESS = 3.0
"""Where so many times more is left, no other picture is tried: each costs milliseconds."""
_LEAST = 16
"""Pixels of a side from which on it is looked for."""
_SMALL, _MOST_SPOT = 0.02, 3.0
"""Of no spot so wide, share of the frame's longer side, may more be left on average: what is around
a thing in swaying leaves is mostly leaves. Of boxes of wind 5% and less have more, of such boxes
with things in them a third (three scenes)."""
_FLOWS = 32
"""Least pixels of a side that OpenCV's flow is given. It takes its coarsest scale from the width
alone where a picture is smaller, and reads beside one of 16 x 133: of 400 sizes of 16 to 200 pixels
it ended the process at 40, with this at none (OpenCV 5.0.0)."""
_FINEST = 1
"""Scale at which displacements are told, in halvings: at 0 it takes three times as long."""
_LEAF = 5
"""Pixels of a side that come from one picture."""
_MOST_FLOWS = 48
"""In one frame; what is left then is taken for things."""
EVERY_S, NEWEST = 10.0, 8
"""A frame is kept each so many seconds, and so many are, ..."""
CERTAIN_S = 3.0
"""... but not where something is followed in it or becomes so within this time."""


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    """A sharp picture of the view."""

    image: Pixels
    """In the size of the learned picture."""
    taken: tuple[Box, ...] = ()
    """Where things were in it, pixels of the frame."""


class Swaying:
    """Knows what sways in one view."""

    def __init__(self, view: LearnedView) -> None:
        """Take what the camera usually shows."""
        self._view = view
        self._newest: deque[_Picture] = deque(maxlen=NEWEST)
        self._coming: _Picture | None = None
        self._at_s = -np.inf
        self._last: _Picture | None = None
        """What explained something last."""
        self._settled = Settled()

    def remember(self, frame: Frame, followed: Iterable[Box]) -> None:
        """Take the next frame, to know later what swayed in it.

        Args:
            frame: RGB uint8 [H, W, 3] of the view, later than all before it.
            followed: Where things are, pixels of the frame.
        """
        taken = tuple(followed)
        if self._coming is not None:
            self._coming = _Picture(self._coming.image, (*self._coming.taken, *taken))
            if frame.pts_s - self._at_s >= CERTAIN_S:
                self._newest.append(self._coming)
                self._coming = None
                self._settled.forget()
        elif frame.pts_s - self._at_s >= EVERY_S:
            size = (self._view.picture.shape[0], self._view.picture.shape[1])
            self._coming, self._at_s = _Picture(resized(frame.image, size), taken), frame.pts_s

    def without(self, found: Sequence[Detection], image: Pixels) -> list[Detection]:
        """What was found, without what only sways.

        Args:
            found: Boxes in pixels of the frame.
            image: The frame, RGB uint8 [H, W, 3].
        """
        left, flows = [], _MOST_FLOWS
        for one in found:
            sways = self._settled.answer(one.box, image)
            if sways is None:
                sways, tried = self._only_sways(one.box, image, flows)
                flows -= tried
                if flows > 0:
                    self._settled.settle(one.box, image, sways)
            if not sways:
                left.append(one)
        return left

    def _only_sways(self, box: Box, image: Pixels, most: int) -> tuple[bool, int]:
        """Whether a box shows nothing else, and how many pictures were tried, `most` at most."""
        size = (image.shape[0], image.shape[1])
        patch = patch_of(box.grown(0.1, size), 2 * REACH * max(size), image, self._view)
        ring = patch.ring
        if not len(ring) or min(patch.noise.shape) < _LEAST:
            return False, 0
        before = np.percentile(patch.unlike(ring)[patch.inner], PIXELS)
        bearable, tried = np.minimum(OPEN, EXPLAINS * before), 0
        least = around = np.full(patch.noise.shape, 1e6, np.float32)
        laid = _Laid.of(patch)
        for picture in self._pictures(patch.place):
            if tried == most:
                break
            tried += 1
            left = laid.left(patch.usual if picture is None else patch.cut_from(picture.image))
            around_left = _around(left)
            least = np.where(around_left < around, left, least)
            around = _around(least)
            inner = least[patch.inner]
            if _within(inner, bearable) and _spot(least, patch) <= _MOST_SPOT:
                self._last = picture
                return True, tried
            if not _within(inner, _HOPELESS * np.array(OPEN)):
                break
        return False, tried

    def _pictures(self, place: Box) -> Iterator[_Picture | None]:
        """What to lay a place over; None for the learned picture."""
        yield None
        known = [*self._newest, *self._learned]
        if self._last is not None:
            known.sort(key=lambda one: one is not self._last)
        yield from (one for one in known if not any(place.overlap(box) > 0 for box in one.taken))

    @cached_property
    def _learned(self) -> list[_Picture]:
        return [_Picture(one) for one in self._view.sharp()]


@dataclass(frozen=True, slots=True, eq=False)
class _Laid:
    """A place that one picture after the other is laid over."""

    patch: Patch
    seen: NDArray[np.float32]
    """RGB [h, w, 3], no whiter than what may be any light, ..."""
    grey: Pixels
    """... and in grey [h, w]."""
    bearable: NDArray[np.float32]
    """Grey levels [h, w]."""
    step: int
    """Each pixel of so many tells what the light is like: ..."""
    some: NDArray[np.float32]
    """... those as they are seen, RGB [n, 3]."""

    @classmethod
    def of(cls, patch: Patch) -> "_Laid":
        """Take a place as it is seen."""
        seen = np.minimum(patch.seen, np.float32(WHITE))
        step = max(1, patch.noise.size // RING_PIXELS)
        some = patch.seen.reshape(-1, 3)[::step] + np.float32(DARK)
        return cls(patch, seen, _grey(patch.seen.astype(np.uint8)), patch.bearable, step, some)

    def left(self, usual: NDArray[np.float32]) -> NDArray[np.float32]:
        """What is left [h, w], in what may be borne, where pixels have gone from where they were.

        Displacements are told by optical flow (DIS, Kroeger et al. 2016).

        Args:
            usual: The place in another picture, RGB [h, w, 3].
        """
        usual = usual + np.float32(DARK)
        gain = np.median(self.some / usual.reshape(-1, 3)[:: self.step], axis=0)
        lit = np.clip(usual * gain - np.float32(DARK), 0, 255).astype(np.uint8)
        flow = _flow(_grey(lit), self.grey)
        across, down = flow[..., 0], flow[..., 1]
        reach = np.float32(self.patch.pixels(REACH))
        near = np.minimum(1, reach / np.maximum(cv2.magnitude(across, down), np.float32(1e-6)))
        rows, columns = _places((near.shape[0], near.shape[1]))
        there = columns + across * near, rows + down * near
        gone = cv2.remap(lit, *there, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        apart = self.seen - np.minimum(gone, np.float32(WHITE))
        return self.patch.apart(apart.astype(np.float32, copy=False)) / self.bearable


@lru_cache(maxsize=64)
def _places(shape: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Row and column of each pixel [h, w]; not to be written to."""
    rows, columns = np.indices(shape, np.float32)
    return rows, columns


def _within(left: NDArray[np.float32], levels: NDArray[np.float64]) -> bool:
    """Whether so many of a hundred pixels as PIXELS say leave no more than the level of each."""
    beyond = (np.count_nonzero(left > level) for level in levels)
    return all(100 * n <= (100 - most) * left.size for n, most in zip(beyond, PIXELS, strict=True))


def _spot(left: NDArray[np.float32], patch: Patch) -> float:
    """The most that is left of any spot as small as a thing may be."""
    side = max(3, round(patch.pixels(_SMALL)))
    return float(cv2.blur(left, (side, side))[patch.inner].max())


def _around(left: NDArray[np.float32]) -> NDArray[np.float32]:
    return cv2.blur(left, (_LEAF, _LEAF)).astype(np.float32)


def _flow(usual: Pixels, seen: Pixels) -> NDArray[np.float32]:
    """How far each pixel of what is seen is from its place in what is usual, [h, w, 2]."""
    height, width = seen.shape
    flow = _dis().calc(_grown(seen), _grown(usual), np.empty(0))
    return flow[:height, :width].astype(np.float32, copy=False)


def _grown(grey: Pixels) -> Pixels:
    """The same, as large as OpenCV's flow needs it at least."""
    below, beside = (max(0, _FLOWS - pixels) for pixels in grey.shape)
    grown = cv2.copyMakeBorder(grey, 0, below, 0, beside, cv2.BORDER_REPLICATE)
    return grown.astype(np.uint8, copy=False)


def _dis() -> cv2.DISOpticalFlow:
    """One for each thread: it works in memory of its own, which two at once would destroy."""
    if not hasattr(_of_thread, "dis"):
        dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        # Refining takes most of the time, and explains no more of what sways.
        dis.setVariationalRefinementIterations(0)
        _of_thread.dis = dis
    # Of a picture that is too small for it, it takes the finest scale, and goes on with that.
    _of_thread.dis.setFinestScale(_FINEST)
    return _of_thread.dis


_of_thread = threading.local()


def _grey(image: Pixels) -> Pixels:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
