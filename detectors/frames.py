"""What frames a detector takes, and in which batches."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import batched

import numpy as np
from numpy.typing import NDArray

from detectors.base import DetectorError
from detectors.types import Pixels

LONGEST = 32_768
"""Pixels of the longest side that a frame may have."""
BATCH = 8
"""Pictures that a network sees at once."""


def common_size(frames: Sequence[Pixels]) -> tuple[int, int]:
    """The size that all frames have.

    Args:
        frames: At least one image, RGB uint8 [H, W, 3].

    Returns:
        (height, width).

    Raises:
        DetectorError: If there are none, their sizes differ or one is not [H, W, 3].
    """
    sizes = {frame.shape for frame in frames}
    for shape in sizes:
        if len(shape) != 3 or shape[2] != 3:
            raise DetectorError(f"a frame is RGB [H, W, 3], got an array of shape {shape}")
    if len(sizes) > 1:
        listed = ", ".join(f"{w}x{h}" for h, w, _ in sorted(sizes))
        raise DetectorError(f"frames of different sizes given together: {listed}")
    if not sizes:
        raise DetectorError("no frames given")
    height, width, _ = sizes.pop()
    return height, width


def checked_size(size: object) -> tuple[int, int]:
    """A (height, width) that a file tells.

    Raises:
        ValueError: If it is none that a camera's frames can have.
    """
    match size:
        case [int(height), int(width)] if 1 <= height <= LONGEST and 1 <= width <= LONGEST:
            return height, width
    raise ValueError(f"frame_size {size!r}: must be height and width, 1 to {LONGEST} pixels")


def check_view(frames: Sequence[Pixels], frame_size: tuple[int, int]) -> None:
    """Refuse frames that are not of the view that a detector was fitted on; none are fine.

    Args:
        frames: RGB uint8 [H, W, 3].
        frame_size: (height, width) of the frames it was fitted on.

    Raises:
        DetectorError: If their sizes differ from it or one is not [H, W, 3].
    """
    if frames and (found := common_size(frames)) != frame_size:
        height, width = frame_size
        raise DetectorError(
            f"frames of {found[1]}x{found[0]} pixels given to a detector fitted on "
            f"{width}x{height}: fit it again for this view"
        )


def stacked(images: Iterable[Pixels]) -> Iterator[NDArray[np.uint8]]:
    """Batches [up to BATCH, H, W, 3] of images of one size, in their order."""
    for batch in batched(images, BATCH):
        yield np.stack(batch)
