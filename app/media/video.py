"""Writing H.264 video that stays playable whatever happens to the writer."""

import errno
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.error
import numpy as np

from detectors.types import Pixels
from novic.errors import NomalyError

_CLOCK_HZ = 90_000
_FRAGMENT_S = 2
"""A killed process loses at most about so much video."""
_SMALLEST = 16
"""Pixels; encoders refuse less."""


class VideoError(NomalyError):
    """A video cannot be written; the text names the file and says why."""


class DiskFullError(VideoError):
    """There is no room left for a video; what was written before is kept."""


class VideoWriter:
    """An mp4 file that grows by one frame at a time.

    The file is written in fragments, each complete in itself, so it plays even if the process is
    killed. Odd sizes are padded by repeating the last row or column.
    """

    def __init__(self, path: str | Path, size: tuple[int, int], fps: float) -> None:
        """Create the file.

        Args:
            path: Where to write; ends in .mp4.
            size: (height, width) of every picture in pixels.
            fps: Expected frames a second, which guides the encoder; the times given to `write` are
                what counts.

        Raises:
            VideoError: If the file cannot be created.
        """
        self._path = Path(path)
        self._size = size
        self._last_tick = -1
        self._closed = False
        rate = Fraction(min(max(fps, 1.0), 240.0)).limit_denominator(1000)
        options = {
            "movflags": "frag_keyframe+empty_moov+default_base_moof",
            "flush_packets": "1",  # or a fragment waits in memory for the next one
        }
        try:
            self._container = av.open(f"file:{self._path}", "w", format="mp4", options=options)
            self._stream = self._add_stream(rate)
            self._container.start_encoding()
        except OSError as error:
            raise _failed(self._path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, image: Pixels, pts_s: float) -> None:
        """Append one picture.

        Args:
            image: RGB, uint8 [H, W, 3] of the writer's size.
            pts_s: Its time in seconds, 0 or more. Times that do not rise are moved up by one tick.

        Raises:
            DiskFullError: If there is no room left.
            VideoError: If it cannot be written otherwise, or the writer is closed.
            ValueError: If the picture has another size.
        """
        if self._closed:
            raise VideoError(f"{self._path}: the video is closed already")
        if image.shape != (*self._size, 3):
            raise ValueError(f"the video is {self._size}, but this picture is {image.shape[:2]}")
        frame = av.VideoFrame.from_ndarray(self._padded(image), format="rgb24")
        self._last_tick = max(round(pts_s * _CLOCK_HZ), self._last_tick + 1)
        frame.pts = self._last_tick
        frame.time_base = Fraction(1, _CLOCK_HZ)
        self._encode(frame.reformat(format="yuv420p"))

    def close(self) -> None:
        """Write what the encoder still holds and close the file. Safe to call twice.

        Raises:
            DiskFullError: If there was no room for the rest.
            VideoError: If the rest cannot be written otherwise.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self._last_tick >= 0:
                self._container.mux(self._stream.encode(None))
            self._container.close()
        except OSError as error:
            raise _failed(self._path, error) from error

    def _add_stream(self, rate: Fraction) -> av.VideoStream:
        h264 = "libx264" in av.codecs_available
        stream = self._container.add_stream("libx264" if h264 else "mpeg4", rate=rate)
        if h264:
            # Half the time of "veryfast"; what is written here is looked at once.
            stream.options = {"preset": "ultrafast", "crf": "25"}
        else:
            stream.bit_rate = 4_000_000
        height, width = self._size
        stream.height = max(_SMALLEST, height + height % 2)
        stream.width = max(_SMALLEST, width + width % 2)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, _CLOCK_HZ)
        stream.codec_context.gop_size = max(1, round(rate * _FRAGMENT_S))
        return stream

    def _padded(self, image: Pixels) -> Pixels:
        more = (self._stream.height - image.shape[0], self._stream.width - image.shape[1])
        if more == (0, 0):
            return image
        return np.pad(image, ((0, more[0]), (0, more[1]), (0, 0)), mode="edge")

    def _encode(self, frame: av.VideoFrame) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except OSError as error:
            self._closed = True
            self._abandon()
            raise _failed(self._path, error) from error

    def _abandon(self) -> None:
        try:
            self._container.close()
        except av.error.FFmpegError:
            # The end of the file cannot be written either; the first failure is the one to tell.
            return


def _failed(path: Path, error: OSError) -> VideoError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFullError(f"{path}: no room left to write the video; earlier video is kept")
    return VideoError(f"{path}: cannot write the video ({error.strerror or error})")
