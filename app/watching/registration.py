"""Where a camera looks now: its frames laid on the picture that was learned of its view.

A shift shows as the peak of the phase correlation (Kuglin and Hines 1975), a turn or zoom in
features that agree on one homography (ORB and RANSAC). Whether it is right tells the likeness: the
median correlation of the textured parts of both pictures, brightness and contrast aside. It is .92
to .99 where a frame lies right, in the dark and in rain too, and below .4 from 6 pixels off.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.watching.pose import Pose
from detectors.types import Pixels

ALIKE = 0.5
"""Likeness from which a frame lies right on the view."""

_WIDTH = 320
"""Pixels of the longer side of what is compared."""
_TILE = 20
"""... and of a part of it that has one correlation."""
_SMOOTH = 6.0
"""Spread of what counts as slow changes of light over the picture, pixels of what is compared."""
_TEXTURE = 2.0
"""Least spread of the grey levels of a part that can be compared, ..."""
_LEAST_PARTS = 6
"""... and how many such parts a view must have, or nothing is known of where it looks."""
_STRANGE = 0.3
"""Correlation below which a part shows something else."""
_BETTER = 0.02
"""A frame is laid anew if its likeness rises by this."""
_NEAR = 0.75
"""Pixels of a shift that are not looked into."""

type _Grey = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Laid:
    """A frame laid on the view."""

    pose: Pose
    likeness: float
    """-1 to 1; see `ALIKE`."""
    strange: float
    """Share of the view's textured parts that the frame shows nothing like, 0 to 1."""
    off: tuple[float, float] = (0.0, 0.0)
    """How far the picture has gone since the pose before, pixels to the right and down."""
    before: float = 1.0
    """Its likeness as it lay before."""


class Registration:
    """Finds how frames lie on one learned view."""

    def __init__(self, learned: Pixels) -> None:
        """Take the learned picture, RGB uint8 [H, W, 3], of the size of the frames."""
        self.learned = learned
        self._scale = min(1.0, _WIDTH / max(learned.shape[:2]))
        self._view = self._small(learned)
        self._window = cv2.createHanningWindow(self._view.shape[::-1], cv2.CV_32F)
        spread = _Parts.of(self._view, self._view).first
        self._textured = spread >= max(_TEXTURE**2, float(np.median(spread)))
        self.able = int(self._textured.sum()) >= _LEAST_PARTS
        """Whether the view has texture enough to tell where the camera looks."""

    def nudged(self, image: Pixels, before: Pose) -> Laid:
        """Lay a frame on the view, that is at most shifted since the one before.

        Args:
            image: RGB uint8 [H, W, 3].
            before: How the frame before lay.
        """
        grey = self._small(image)
        stays = self._laid(grey, before)
        x, y = self._gone(stays)
        same = self._alike(stays, before)
        if max(abs(x), abs(y)) < _NEAR:
            return same
        # Seen through a window, a shift looks smaller than it is: what is left is added.
        first = Pose(Pose.shifted(round(x), round(y)).onto @ before.onto)
        left = self._gone(self._laid(grey, first))
        x, y = round(x) + left[0], round(y) + left[1]
        pose = Pose(Pose.shifted(round(x), round(y)).onto @ before.onto)
        moved = self._alike(self._laid(grey, pose), pose)
        return (
            replace(moved, off=(x, y), before=same.likeness)
            if moved.likeness > same.likeness + _BETTER
            else same
        )

    def turned(self, image: Pixels) -> Laid | None:
        """Lay a frame on the view by features, turned, zoomed or far away as it may be.

        Returns:
            None if no place is found where it is alike.
        """
        onto = _homography(image, self.learned)
        if onto is None:
            return None
        pose = Pose(onto)
        laid = self._alike(self._laid(self._small(image), pose), pose)
        return laid if laid.likeness >= ALIKE else None

    def _gone(self, grey: _Grey) -> tuple[float, float]:
        """How far a picture has gone from the view, pixels of frames to the right and down."""
        # OpenCV lays the window over its arguments themselves.
        x, y = cv2.phaseCorrelate(self._view.copy(), grey.copy(), self._window)[0]
        return x / self._scale, y / self._scale

    def _small(self, image: Pixels) -> _Grey:
        """Grey without slow changes of light, as much smaller as what is compared."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(
            grey, None, fx=self._scale, fy=self._scale, interpolation=cv2.INTER_AREA
        ).astype(np.float32)
        return small - cv2.GaussianBlur(small, (0, 0), _SMOOTH)

    def _laid(self, grey: _Grey, pose: Pose) -> _Grey:
        if pose.same:
            return grey
        scale = np.diag([self._scale, self._scale, 1.0])
        onto = scale @ pose.onto @ np.linalg.inv(scale)
        laid = cv2.warpPerspective(grey, onto, grey.shape[::-1], flags=cv2.INTER_LINEAR)
        return laid.astype(np.float32)

    def _alike(self, grey: _Grey, pose: Pose) -> Laid:
        parts = _Parts.of(self._view, grey)
        seen = self._textured & (parts.second > 0)
        if not seen.any():
            return Laid(pose, 0.0, 1.0)
        alike = (parts.both / np.sqrt(parts.first * parts.second + 1e-3))[seen]
        return Laid(pose, float(np.median(alike)), float((alike < _STRANGE).mean()))


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Variances and covariance of two pictures' parts [rows, columns]."""

    first: _Grey
    second: _Grey
    both: _Grey

    @classmethod
    def of(cls, first: _Grey, second: _Grey) -> "_Parts":
        height, width = first.shape
        shape = (max(1, width // _TILE), max(1, height // _TILE))

        def mean(values: _Grey) -> _Grey:
            return cv2.resize(values, shape, interpolation=cv2.INTER_AREA).astype(np.float32)

        one, other = mean(first), mean(second)
        return cls(
            np.maximum(mean(first * first) - one * one, 0),
            np.maximum(mean(second * second) - other * other, 0),
            np.asarray(mean(first * second) - one * other, np.float32),
        )


_FEATURES = 1000
_RATIO = 0.8
"""A match counts if the next best is so much farther (Lowe 2004)."""
_LEAST_MATCHES = 20
_RANSAC_PX = 3.0
_ZOOM = (0.5, 2.0)
"""A camera that was turned by hand shows the view smaller or larger by so much, not more."""


def _homography(image: Pixels, learned: Pixels) -> NDArray[np.float64] | None:
    """What takes pixels of one picture to the other; None if too few features agree."""
    orb = cv2.ORB.create(_FEATURES)
    points, marks = orb.detectAndCompute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None)
    others, their_marks = orb.detectAndCompute(cv2.cvtColor(learned, cv2.COLOR_RGB2GRAY), None)
    if marks is None or their_marks is None or min(len(points), len(others)) < _LEAST_MATCHES:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(marks, their_marks, k=2)
    good = [
        pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < _RATIO * pair[1].distance
    ]
    if len(good) < _LEAST_MATCHES:
        return None
    source = np.array([points[match.queryIdx].pt for match in good], np.float32)
    target = np.array([others[match.trainIdx].pt for match in good], np.float32)
    onto, agree = cv2.findHomography(source, target, cv2.RANSAC, _RANSAC_PX)
    if onto is None or int(agree.sum()) < _LEAST_MATCHES:
        return None
    grows = float(np.sqrt(abs(np.linalg.det(onto[:2, :2]))))
    return onto.astype(np.float64) if _ZOOM[0] <= grows <= _ZOOM[1] else None
