"""Pictures that carry their own number, and videos of them: a lost or swapped frame is seen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from detectors.types import Pixels

BITS = 12
SQUARE = 16
SIZE = (120, 256)
"""(height, width): room for the squares, small enough for many tests."""
TICKS = 1000


def picture(number: int, size: tuple[int, int] = SIZE) -> Pixels:
    """A reddish picture (so that swapped colours show) with its number in white squares."""
    image = np.empty((*size, 3), np.uint8)
    image[:] = (200, 90, 30)
    for bit in range(BITS):
        left = 8 + bit * (SQUARE + 4)
        image[4 : 4 + SQUARE, left : left + SQUARE] = 255 if number >> bit & 1 else 0
    return image


def number_of(image: Pixels) -> int:
    """The number that `picture` was given."""
    middle = SQUARE // 2
    bits = [int(image[4 + middle, 8 + bit * (SQUARE + 4) + middle, 0] > 127) for bit in range(BITS)]
    return sum(value << bit for bit, value in enumerate(bits))


@dataclass(frozen=True, slots=True)
class Coding:
    """How a video is coded, and how players are told to show it."""

    gop: int | None = None
    """Frames from key frame to key frame; None for a second."""
    b_frames: int = 0
    """Frames in a row that rest on later ones."""
    rotation: int = 0
    """Degrees by which players turn it to the left."""
    mirrored: bool = False
    """Whether they mirror it after that."""
    pixel_aspect: Fraction | None = None
    """Width of a pixel over its height; None tells nothing."""


def write_video(
    path: Path,
    pictures: Iterable[Pixels],
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times_s: Sequence[float] | None = None,
    fps: int = 25,
    coding: Coding | None = None,
) -> Path:
    """Write pictures to a video file whose container follows from its name."""
    coding = coding or Coding()
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = pixels
        stream.codec_context.time_base = Fraction(1, TICKS if times_s else fps)
        _set_up(stream, codec, coding, coding.gop or fps)
        for number, image in enumerate(pictures):
            if number == 0:
                stream.height, stream.width = image.shape[:2]
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pixels)
            frame.pts = round(times_s[number] * TICKS) if times_s else number
            frame.time_base = Fraction(1, TICKS if times_s else fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _set_up(stream: av.VideoStream, codec: str, coding: Coding, gop: int) -> None:
    stream.codec_context.gop_size = gop
    stream.codec_context.max_b_frames = coding.b_frames
    if codec == "libx264":
        more = {"bf": str(coding.b_frames), "sc_threshold": "0"} if coding.gop else {}
        stream.options = {"preset": "ultrafast", "crf": "12", **more}
    if codec == "libx265":
        told = f"log-level=none:keyint={gop}:min-keyint={gop}:bframes={coding.b_frames}"
        stream.options = {"preset": "ultrafast", "x265-params": told}
    if coding.pixel_aspect is not None:
        stream.codec_context.sample_aspect_ratio = coding.pixel_aspect
    if coding.rotation or coding.mirrored:
        stream.set_display_rotation(coding.rotation, hflip=coding.mirrored)


def numbered(path: Path, frames: int, fps: int = 25) -> Path:
    """A video of `frames` numbered pictures."""
    return write_video(path, (picture(number) for number in range(frames)), fps=fps)


def numbered_images(folder: Path, count: int, name: str = "{:04d}.png") -> Path:
    """A folder of `count` numbered pictures."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        Image.fromarray(picture(number)).save(folder / name.format(number), compress_level=1)
    return folder
