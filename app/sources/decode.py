"""From decoded video frames to RGB pixels, and which of them to keep."""

import math
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from app.errors import UsageError
from detectors.types import Pixels

_WIDEST_PIXEL = 8
"""Files that announce more than that are wrong."""
_GRID_SLACK = 1e-6
"""Frames a rounding error before a grid line belong to it: 3 steps of 0.1 s is not quite 0.3 s."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a stored picture becomes upright; in this order."""

    transposed: bool = False
    """Rows become columns."""
    mirrored: bool = False
    """Left becomes right."""
    flipped: bool = False
    """Top becomes bottom."""

    def upright(self, image: Pixels) -> Pixels:
        """Turn a stored picture [H, W, 3] uint8; the result is contiguous."""
        turned = image.swapaxes(0, 1) if self.transposed else image
        turned = turned[:, ::-1] if self.mirrored else turned
        turned = turned[::-1] if self.flipped else turned
        return np.ascontiguousarray(turned)


@lru_cache
def _orientation(matrix: bytes) -> Orientation:
    """Read FFmpeg's display matrix: x' = a x + c y, y' = b x + d y, nine native 32 bit integers."""
    a, b, _, c, d, *_ = struct.unpack("=9i", matrix)
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(transposed=True, mirrored=c < 0, flipped=b < 0)
    return Orientation(mirrored=a < 0, flipped=d < 0)


def orientation(frame: av.VideoFrame) -> Orientation:
    """How to turn a frame as players do, to the nearest of the eight ways."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    return _orientation(bytes(matrix)) if matrix is not None else Orientation()


class PixelAspect:
    """How wide the pixels of a stream's frames are, as players take them."""

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        self._size = (stream.codec_context.height, stream.codec_context.width)
        # The container's word, or the codec's where it has none; it holds for the first size.
        self._announced = stream.sample_aspect_ratio

    def __call__(self, frame: av.VideoFrame) -> float:
        """Width of a pixel over its height; 1.0 if unknown or absurd."""
        same = (frame.height, frame.width) == self._size
        aspect = self._announced if same else self._stream.codec_context.sample_aspect_ratio
        width = float(aspect or 1)
        return width if 1 / _WIDEST_PIXEL <= width <= _WIDEST_PIXEL else 1.0


class RgbConverter:
    """Turns frames of any pixel format, depth, shape of pixels and rotation into RGB."""

    def __init__(self, aspect: PixelAspect | None = None, side: int | None = None) -> None:
        """Take how wide pixels are; None where they are square. Sides longer than `side` shrink."""
        self.aspect = aspect
        self._side = side
        # One for all frames: setting up a scaler for every frame costs more than small conversions.
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> Pixels:
        """The frame's pixels [H, W, 3], uint8, square, upright, in memory of their own."""
        height, width = self._square(frame)
        rgb = self._reformatter.reformat(frame, width=width, height=height, format="rgb24")
        image = cast(Pixels, rgb.to_ndarray())
        turn = orientation(frame)
        return image if turn == Orientation() else turn.upright(image)

    def size(self, frame: av.VideoFrame) -> tuple[int, int]:
        """(height, width) that a frame will have."""
        height, width = self._square(frame)
        return (width, height) if orientation(frame).transposed else (height, width)

    def _square(self, frame: av.VideoFrame) -> tuple[int, int]:
        """(height, width) of a stored frame in square pixels: its rows stay, as in players."""
        wide = 1.0 if self.aspect is None else self.aspect(frame)
        height, width = frame.height, max(1, round(frame.width * wide))
        share = 1.0 if self._side is None else min(1.0, self._side / max(height, width))
        return (height, width) if share == 1 else (round(height * share), round(width * share))


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
