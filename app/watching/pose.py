"""How the pixels of a frame lie on the picture that was learned of the view."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.types import Box, Pixels

_LIGHT = 16
"""Pixels of a side of what has one light."""


@dataclass(frozen=True, eq=False)
class Pose:
    """Where a camera looks, against where it looked while its view was learned."""

    onto: NDArray[np.float64]
    """[3, 3]: takes (x, y, 1) of a frame to the same spot of the learned view, full pixels."""

    @classmethod
    def still(cls) -> Self:
        """The camera looks where it always did."""
        return cls(np.eye(3))

    @classmethod
    def shifted(cls, x: float, y: float) -> Self:
        """The picture has gone `x` pixels to the right and `y` down."""
        return cls(np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1.0]]))

    @cached_property
    def same(self) -> bool:
        """Whether frames lie on the view as they are."""
        return bool(np.array_equal(self.onto, np.eye(3)))

    def corners(self, size: tuple[int, int]) -> NDArray[np.float64]:
        """How far the corners of the view have gone in frames of (height, width).

        Returns:
            [4, 2]: pixels to the right and down.
        """
        height, width = size
        corners = np.array([(0, 0), (width, 0), (0, height), (width, height)], np.float64)
        return _moved(corners, np.linalg.inv(self.onto)) - corners

    def placed(self, image: Pixels, learned: Pixels) -> Pixels:
        """An image [H, W, 3] laid on the view; what it does not show is taken from `learned`.

        That is made as light as what the image shows beside it, or its edge would look unusual.
        """
        if self.same:
            return image
        size = (image.shape[1], image.shape[0])
        # Whole pixels are copied: a picture that is mixed anew would be softer.
        how = cv2.INTER_NEAREST if self._whole else cv2.INTER_LINEAR
        laid = cv2.warpPerspective(image, self.onto, size, flags=how).astype(np.uint8)
        ones = np.full(image.shape[:2], 255, np.uint8)
        seen = cv2.warpPerspective(ones, self.onto, size, flags=how) == 255
        light = _light(laid, learned, seen)
        filled = np.clip(learned[~seen] * light[~seen], 0, 255)
        laid[~seen] = filled.astype(np.uint8)
        return laid

    def back(self, box: Box, size: tuple[int, int]) -> Box:
        """A box of the view in the frame's own pixels, cut at the edges of (height, width)."""
        if self.same:
            return box
        corners = [(x, y) for x in (box.x1, box.x2) for y in (box.y1, box.y2)]
        found = _moved(np.array(corners), np.linalg.inv(self.onto))
        (x1, y1), (x2, y2) = (
            np.clip(edge, 0, (size[1], size[0])) for edge in (found.min(0), found.max(0))
        )
        return Box(float(x1), float(y1), float(x2), float(y2))

    def seen(self, shape: tuple[int, int], size: tuple[int, int]) -> NDArray[np.bool_]:
        """Which cells of a map [h, w] over frames of (height, width) the camera still sees.

        Two cells beside one that it does not see are not judged either: features look past the
        edge.
        """
        if self.same:
            return np.ones(shape, np.bool_)
        scale = np.diag([shape[1] / size[1], shape[0] / size[0], 1.0])
        onto = scale @ self.onto @ np.linalg.inv(scale)
        fine = np.diag([4.0, 4.0, 1.0])
        whole = np.ones((4 * shape[0], 4 * shape[1]), np.uint8)
        laid = cv2.warpPerspective(
            whole, fine @ onto @ np.linalg.inv(fine), whole.shape[::-1], flags=cv2.INTER_NEAREST
        )
        full = cv2.resize(laid.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA) > 0.99
        # Beyond the map's own edge nothing is missing.
        return cv2.erode(full.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=1) > 0

    def back_map(self, heat: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
        """A map [h, w] over the view as one over the frame, 0 where it was not judged."""
        if self.same:
            return heat
        scale = np.diag([heat.shape[1] / size[1], heat.shape[0] / size[0], 1.0])
        onto = scale @ self.onto @ np.linalg.inv(scale)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpPerspective(heat, onto, heat.shape[::-1], flags=flags).astype(np.float32)

    @cached_property
    def _whole(self) -> bool:
        return bool(np.array_equal(self.onto[:2, :2], np.eye(2))) and bool(
            np.array_equal(self.onto, np.round(self.onto))
        )


def _light(laid: Pixels, learned: Pixels, seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How much lighter than the learned picture a laid one is around each pixel [H, W, 3]."""
    height, width = seen.shape
    small = (max(1, width // _LIGHT), max(1, height // _LIGHT))

    def around(values: NDArray[np.float32]) -> NDArray[np.float32]:
        fewer = cv2.resize(values, small, interpolation=cv2.INTER_AREA)
        return cv2.GaussianBlur(fewer, (0, 0), 1.5).astype(np.float32)

    weight = seen[..., None].astype(np.float32)
    ratio = (around(laid * weight) + 0.1) / (around(learned * weight) + 0.1)
    ratio = np.clip(ratio, 0.1, 10).astype(np.float32)
    return cv2.resize(ratio, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)


def _moved(points: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points [N, 2] taken through a [3, 3] matrix."""
    ahead = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return ahead[:, :2] / ahead[:, 2:]
