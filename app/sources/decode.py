"""From decoded video frames to RGB pixels, and which of them to keep."""

import math
from typing import cast

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from app.errors import UsageError
from detectors.types import Pixels

_GRID_SLACK = 1e-6
"""Frames a rounding error before a grid line belong to it: 3 steps of 0.1 s is not quite 0.3 s."""


class RgbConverter:
    """Turns frames of any pixel format, depth and rotation into RGB of one size."""

    def __init__(self, size: tuple[int, int] | None = None) -> None:
        """Take the output's (height, width) after rotation; None keeps each frame's own."""
        self.size = size
        # One for all frames: setting up a scaler for every frame costs more than small conversions.
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> Pixels:
        """The frame's pixels [H, W, 3], uint8, upright, in memory of their own."""
        turns = quarter_turns(frame)
        width, height = frame.width, frame.height
        if self.size is not None:
            height, width = self.size if turns % 2 == 0 else self.size[::-1]
        rgb = self._reformatter.reformat(frame, width=width, height=height, format="rgb24")
        image = cast(Pixels, rgb.to_ndarray())
        return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def quarter_turns(frame: av.VideoFrame) -> int:
    """How many quarter turns to the left make the frame upright, 0 to 3."""
    return round(frame.rotation / 90) % 4


class Sampler:
    """Keeps at most one frame in each step of a fixed grid of 1 / `fps` seconds.

    The grid depends on the frames' own times only, so the same video gives the same frames wherever
    reading starts and however it is read.
    """

    def __init__(self, fps: float | None) -> None:
        """Take the frames a second to keep; None keeps all."""
        if fps is not None and not (math.isfinite(fps) and fps > 0):
            raise UsageError(f"sample_fps must be a positive number of frames a second, got {fps}")
        self._fps = fps
        self._step = -math.inf

    def wants(self, pts_s: float) -> bool:
        """Whether to keep the frame at `pts_s`; asks must come in rising order."""
        if self._fps is None:
            return True
        step = math.floor(pts_s * self._fps + _GRID_SLACK)
        if step <= self._step:
            return False
        self._step = step
        return True
