"""Live pictures with their boxes: drawn and packed once for all who look, only while somebody does.

A thread for each camera that is looked at. Nobody waits for a slow onlooker: who comes back for the
next picture gets the newest.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import cv2
import numpy as np

from app.sources.glimpses import SIDE, Glimpsed
from app.watching.board import Shown, Station
from app.watching.drawing import draw_box
from app.web.ended import Ended
from detectors.types import Box, Pixels

FPS = 12.0
"""Pictures a second, where the camera sends so many."""
MOST_ONLOOKERS = 16
"""At one camera."""
BOUNDARY = "nomaly"
_QUALITY = 78
_POLL_S = 0.012
_LATE_S = 1.5
"""When no such picture comes for so long, those that are looked at are shown instead."""
_LINGER_S = 2.0
"""So long after the last onlooker left pictures are still asked for: pages are reloaded."""


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A picture as it is sent."""

    number: int
    jpeg: bytes


class Live:
    """The live pictures of one camera. Safe to use from several threads."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self._lock = threading.Lock()
        self._onlookers: dict[object, Callable[[], object]] = {}
        self._packed: Packed | None = None
        self._thread: threading.Thread | None = None
        self._left_s = 0.0
        source = station.source
        self._onlooker = source.onlooker if isinstance(source, Glimpsed) else None
        self._glimpsed = self._shown = 0
        """Numbers of the last pictures, of those for onlookers and of those that are watched."""
        self._came_s = -_LATE_S

    @property
    def full(self) -> bool:
        """Whether as many look on as may."""
        return len(self._onlookers) >= MOST_ONLOOKERS

    async def pictures(
        self, closing: Callable[[], bool], ended: Ended | None = None
    ) -> AsyncIterator[Packed]:
        """Each new picture until `closing` says so, the last one again while none comes.

        With `ended` it is asked at once when the page ends.

        Browsers show a picture of a stream only when the next one begins.
        """
        came, loop = asyncio.Event(), asyncio.get_running_loop()
        with ExitStack() as stack:
            stack.enter_context(self._looking(lambda: loop.call_soon_threadsafe(came.set)))
            number = 0
            if ended is not None:
                stack.callback(ended.leave, came)
                ended.wake(came)
            while not closing():
                packed = self._packed
                if packed is not None and packed.number > number:
                    number = packed.number
                    yield packed
                came.clear()
                if ended is not None and ended.is_set():
                    return
                try:
                    await asyncio.wait_for(came.wait(), 0.5)
                except TimeoutError:
                    number = 0

    async def newest(self, timeout_s: float = 3.0) -> bytes | None:
        """One picture as JPEG; None if the camera shows none."""
        until_s = time.monotonic() + timeout_s
        async for packed in self.pictures(lambda: time.monotonic() > until_s):
            return packed.jpeg
        return None

    @contextmanager
    def _looking(self, wake: Callable[[], object]):  # noqa: ANN202 - a context manager
        key = object()
        with self._lock:
            self._onlookers[key] = wake
            if self._thread is None:
                self._packed = None
                self._ask(FPS)
                self._thread = threading.Thread(target=self._show, name="live", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                del self._onlookers[key]
                self._left_s = time.monotonic()

    def _ask(self, fps: float | None) -> None:
        """Have the camera's reader show more pictures, or no more; only with the lock."""
        if self._onlooker is not None:
            self._onlooker.look(fps)

    def _show(self) -> None:
        number = 0
        try:
            while self._wanted():
                seen = self._next()
                if seen is None:
                    time.sleep(_POLL_S)
                    continue
                number += 1
                self._tell(Packed(number, packed(*seen)))
        finally:
            with self._lock:
                if self._thread is threading.current_thread():
                    self._end()

    def _next(self) -> tuple[Pixels, Shown | None] | None:
        """The next picture, and what was looked at last; None if there is none yet."""
        shot = None if self._onlooker is None else self._onlooker.newest(self._glimpsed)
        if shot is not None:
            self._glimpsed, self._came_s = shot.sequence, time.monotonic()
            newest, hiding = self.station.newest(0, 0.0), self.station.hiding
            image = shot.image if hiding is None else hiding(shot.image)
            return image, newest[1] if newest is not None else None
        if self._onlooker is not None and time.monotonic() - self._came_s < _LATE_S:
            return None
        # A source that has no more than what is looked at.
        newest = self.station.newest(self._shown, 0.1)
        if newest is None:
            return None
        self._shown, shown = newest
        return shown.frame.image, shown

    def _wanted(self) -> bool:
        with self._lock:
            if self._onlookers or time.monotonic() - self._left_s < _LINGER_S:
                return True
            self._end()
            return False

    def _end(self) -> None:
        self._thread, self._shown = None, 0
        self._ask(None)

    def _tell(self, picture: Packed) -> None:
        with self._lock:
            self._packed = picture
            wakes = list(self._onlookers.values())
        for wake in wakes:
            try:
                wake()
            except RuntimeError:
                # Its server has ended meanwhile.
                continue


class Lives:
    """The live pictures of all cameras of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lives: dict[str, Live] = {}

    def of(self, station: Station) -> Live:
        """Those of one camera."""
        with self._lock:
            live = self._lives.get(station.camera)
            if live is None or live.station is not station:
                live = self._lives[station.camera] = Live(station)
            return live


def packed(image: Pixels, shown: Shown | None) -> bytes:
    """A picture as JPEG, with what is open drawn in.

    Args:
        image: RGB uint8 [H, W, 3].
        shown: What was looked at last, of the same camera; None for nothing.
    """
    height, width = image.shape[:2]
    share = min(1.0, SIDE / max(height, width))
    if share < 1:
        size = (round(width * share), round(height * share))
        drawn = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    else:
        drawn = np.array(image)
    if shown is not None:
        across = drawn.shape[1] / shown.frame.image.shape[1]
        down = drawn.shape[0] / shown.frame.image.shape[0]
        for one in shown.marked:
            box = one.box
            placed = Box(box.x1 * across, box.y1 * down, box.x2 * across, box.y2 * down)
            draw_box(drawn, placed, one.headline)
    quality = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    done, data = cv2.imencode(".jpg", cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR), quality)
    if not done:
        raise ValueError(f"no JPEG can be made of {drawn.shape}")
    return data.tobytes()


BEGIN = f"--{BOUNDARY}\r\n".encode()
"""Comes before the first part."""


def part(picture: Packed) -> bytes:
    """A picture as a part of a stream of them, with the boundary that ends it.

    A browser shows a part when it has seen its end: so each is shown as it comes.
    """
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture.jpeg)}\r\n\r\n"
    return head.encode() + picture.jpeg + b"\r\n" + BEGIN
