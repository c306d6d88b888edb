"""From frames of any size and number to those that are looked at."""

from collections.abc import Sequence

import cv2
import numpy as np

from detectors.types import Pixels


def input_size(frame_size: tuple[int, int], longer_side: int, step: int) -> tuple[int, int]:
    """(H, W) that a frame is scaled to: its shape, in multiples of `step`, at least two of them.

    Args:
        frame_size: (height, width) of the frame.
        longer_side: Wanted longer side in pixels; frames are enlarged at most twofold.
        step: Pixels per coarsest cell of the network.
    """
    scale = min(2.0, longer_side / max(frame_size))
    height, width = (max(step * 2, round(side * scale / step) * step) for side in frame_size)
    return height, width


def resized(frame: Pixels, size: tuple[int, int]) -> Pixels:
    """A frame [H, W, 3] scaled to `size` (height, width), whatever its shape."""
    height, width = size
    if frame.shape[:2] == size:
        return frame
    shrinking = frame.shape[0] * frame.shape[1] > height * width
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, (width, height), interpolation=method), np.uint8)


def thinned[T](frames: Sequence[T], most: int) -> list[T]:
    """At most `most` of the frames [H, W, 3], evenly over all, first and last included."""
    if len(frames) <= most:
        return list(frames)
    return [frames[i] for i in np.linspace(0, len(frames) - 1, most).round().astype(int)]
