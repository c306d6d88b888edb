"""Where the defects of an image truly are."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.watching.sizes import same_shape
from detectors.types import Box
from novic.images import ImageError, read_image

_SEEN = 64
"""Of 255: how much of a pixel must be covered once a mask is made smaller."""


def read_mask(path: Path, image_size: tuple[int, int], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Read a mask.

    Args:
        path: An image, above 0 where the defect is.
        image_size: (height, width) of the image that it belongs to.
        size: (height, width) that it is brought to.

    Returns:
        [h, w] of `size`.

    Raises:
        ImageError: If it cannot be read, or has another shape than its image.
    """
    mask = (read_image(str(path)).max(axis=2) > 0).astype(np.uint8) * 255
    height, width = mask.shape
    if not same_shape((height, width), image_size):
        raise ImageError(
            f"{width}x{height} pixels have another shape than the image's "
            f"{image_size[1]}x{image_size[0]}"
        )
    if (height, width) != size:
        shrinking = height * width > size[0] * size[1]
        method = cv2.INTER_AREA if shrinking else cv2.INTER_NEAREST
        mask = np.asarray(cv2.resize(mask, size[::-1], interpolation=method))
    return mask >= _SEEN


def mask_boxes(mask: NDArray[np.bool_], image_size: tuple[int, int]) -> tuple[Box, ...]:
    """A box around each defect, in pixels of an image of `image_size` (height, width)."""
    down, across = image_size[0] / mask.shape[0], image_size[1] / mask.shape[1]
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return tuple(
        Box(x * across, y * down, (x + wide) * across, (y + high) * down)
        for x, y, wide, high, _ in (map(int, stats[number]) for number in range(1, count))
    )
