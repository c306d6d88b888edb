"""Clips of cameras whose packets cannot be put into a file as they are: of JPEGs that were kept.

Pictures are made smaller and compressed on a thread of its own; who brings them never waits.
"""

import queue
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from app.media.video import VideoError, VideoWriter
from app.sources.cutting import ClipMade, ClipOrder, Cutter, RingSource
from app.sources.ring import CLOCK_HZ, Kept, Ring, RingRule
from detectors.types import Frame, Pixels

LONGEST_SIDE = 960
"""Pixels of a picture in a clip."""
_QUALITY = 80
_MOST_WAITING = 8
_GUESSED_FPS = 5.0


class PictureClips:
    """Keeps the newest pictures and makes clips of them."""

    def __init__(self, made: Callable[[ClipMade], None], rule: RingRule) -> None:
        """Start two threads, which end with `close`.

        Args:
            made: Told what became of each clip that was ordered.
            rule: How much is kept.
        """
        self._ring = Ring(rule)
        self._waiting: queue.Queue[Frame | None] = queue.Queue(_MOST_WAITING)
        self._sizes: list[tuple[int, int]] = []
        self._number = 0
        self._last = -1
        self._cutter = Cutter(made)
        self._cutter.source = RingSource(self._ring, self._writer)
        self._thread = threading.Thread(target=self._work, name="clip pictures", daemon=True)
        self._thread.start()

    def offer(self, frame: Frame) -> None:
        """Keep a frame, RGB uint8 [H, W, 3], as it came; one of too many at once is left out."""
        try:
            self._waiting.put_nowait(frame)
        except queue.Full:
            return

    def order(self, order: ClipOrder) -> None:
        """Have a clip made or ended; see `app.sources.live.LiveCamera.order`."""
        self._cutter.order(order)

    @property
    def held_bytes(self) -> int:
        """How many bytes of pictures are held just now."""
        return self._ring.bytes

    def close(self) -> None:
        """End all clips where they are, and the threads."""
        self._waiting.put(None)
        self._thread.join()
        self._cutter.close()

    def _work(self) -> None:
        while (frame := self._waiting.get()) is not None:
            self._keep(frame)
        self._ring.ended = True

    def _keep(self, frame: Frame) -> None:
        small = _smaller(frame.image)
        good, data = cv2.imencode(
            ".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
        )
        if not good:
            return
        size = (small.shape[0], small.shape[1])
        if not self._sizes or self._sizes[-1] != size:
            self._sizes.append(size)
        self._last = max(self._last + 1, round(frame.pts_s * CLOCK_HZ))
        self._number += 1
        shape = len(self._sizes) - 1
        one = Kept(self._number, True, self._last, self._last, shape, data.tobytes())
        self._ring.put(one)
        self._ring.mark(self._number, self._last, frame.time_us)

    def _writer(self, path: Path, shape: int) -> "_PictureWriter":
        return _PictureWriter(path, self._sizes[shape])


class _PictureWriter:
    """Encodes JPEGs; see `app.sources.remux.PartWriter`."""

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self._size = size
        try:
            self._video = VideoWriter(path, size, _GUESSED_FPS)
        except VideoError as error:
            raise OSError(str(error)) from error

    def write(self, one: Kept, pts: int, dts: int) -> None:
        image = cv2.imdecode(np.frombuffer(one.data, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            return
        try:
            height, width = self._size
            # A camera may send another size on the way; a player expects that of the beginning.
            fitted = cv2.resize(image, (width, height)) if image.shape[:2] != self._size else image
            picture = np.asarray(cv2.cvtColor(fitted, cv2.COLOR_BGR2RGB), np.uint8)
            self._video.write(picture, pts / CLOCK_HZ)
        except VideoError as error:
            raise OSError(str(error)) from error

    def close(self) -> None:
        try:
            self._video.close()
        except VideoError as error:
            raise OSError(str(error)) from error


def _smaller(image: Pixels) -> Pixels:
    """The picture, its longest side at most LONGEST_SIDE."""
    height, width = image.shape[:2]
    scale = LONGEST_SIDE / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
