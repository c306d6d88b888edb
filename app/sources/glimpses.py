"""More pictures of a live camera while people look at it, small, beside those that are watched.

The reader process puts them into a mailbox of their own, so that nothing which the watch counts
changes, and decodes no picture more for them: it reads all in any case.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, runtime_checkable

import av
import numpy as np

from app.sources.decode import PixelAspect, RgbConverter, Sampler
from app.sources.mailbox import Mailbox, Shot, new_memory
from detectors.types import Frame, Pixels

SIDE = 960
"""Longest side of such a picture, pixels."""


class Asked:
    """In the reader process: how many such pictures a second are asked for just now."""

    def __init__(self) -> None:
        self._sampler: Sampler | None = None

    def ask(self, fps: float | None) -> None:
        """Take the pictures a second, None for none; called on the thread that hears the parent."""
        self._sampler = None if fps is None else Sampler(fps)

    def wants(self, pts_s: float) -> bool:
        """Whether somebody wants to see the picture at `pts_s`."""
        sampler = self._sampler
        return sampler is not None and sampler.wants(pts_s)


class Glimpses:
    """In the reader process: makes such pictures of one connection, and publishes them."""

    def __init__(self, asked: Asked, send: Callable[..., None]) -> None:
        """Take what is asked for, and what sends a message and descriptors to the parent."""
        self._asked = asked
        self._send = send
        self._convert = RgbConverter(side=SIDE)
        self._mailbox: Mailbox | None = None
        self._published = 0

    @property
    def aspect(self) -> PixelAspect | None:
        """How wide the camera's pixels are; None where they are square."""
        return self._convert.aspect

    @aspect.setter
    def aspect(self, aspect: PixelAspect | None) -> None:
        self._convert.aspect = aspect

    def show(
        self, picture: av.VideoFrame | Pixels, number: int, pts_s: float | None, now_ns: int
    ) -> None:
        """Publish a picture if somebody wants to see it; see `Publisher.show`."""
        if not self._asked.wants(now_ns / 1e9 if pts_s is None else pts_s):
            return
        image = self._small(picture)
        size = image.shape[:2]
        if self._mailbox is None or self._mailbox.size != size:
            descriptor = new_memory(size)
            self._mailbox, self._published = Mailbox(descriptor, size), 0
            self._send({"glimpses": size}, descriptor)
            os.close(descriptor)
        self._published += 1
        wall_us = time.time_ns() // 1000
        self._mailbox.publish(Shot(self._published, number, pts_s, wall_us, now_ns / 1e9, image))

    def _small(self, picture: av.VideoFrame | Pixels) -> Pixels:
        """RGB uint8 [h, w, 3] of the same shape, no side longer than SIDE."""
        if isinstance(picture, av.VideoFrame):
            return self._convert(picture)
        height, width = picture.shape[:2]
        longest = max(height, width)
        if longest <= SIDE:
            return picture
        import cv2  # noqa: PLC0415 - only what came as pixels needs it

        size = (round(width * SIDE / longest), round(height * SIDE / longest))
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


class Reader(Protocol):
    """What can be asked for such pictures."""

    def look(self, fps: float | None) -> None:
        """Ask for so many a second; None for none."""
        ...


class Looks(Protocol):
    """Where people get the pictures of one source."""

    def look(self, fps: float | None) -> None:
        """Ask for so many pictures a second from now on; None for none."""
        ...

    def newest(self, after: int) -> Shot | None:
        """The newest picture; None if its `sequence` is not above `after`. Never waits."""
        ...


@runtime_checkable
class Glimpsed(Protocol):
    """A live source that has pictures for people who look at it."""

    @property
    def onlooker(self) -> Looks:
        """Where they come out."""
        ...


class Passing:
    """The pictures of a source that plays in this process, as they pass. Thread-safe."""

    def __init__(self) -> None:
        self._passed: tuple[int, Frame] | None = None

    def show(self, frame: Frame) -> None:
        """Take the next picture."""
        count = 0 if self._passed is None else self._passed[0]
        self._passed = (count + 1, frame)

    def look(self, fps: float | None) -> None:
        """Nothing to ask for: all pass."""

    def newest(self, after: int) -> Shot | None:
        """See `Looks.newest`; of the size in which it is watched."""
        passed = self._passed
        if passed is None or passed[0] <= after:
            return None
        count, frame = passed
        now_s = time.monotonic()
        return Shot(count, frame.index, frame.pts_s, frame.time_us, now_s, frame.image)


class Onlooker:
    """In the parent: asks whoever reads just now, also after it was replaced. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fps: float | None = None
        self._reader: Reader | None = None
        self._mailbox: Mailbox | None = None
        self._before = 0

    def look(self, fps: float | None) -> None:
        """Ask for so many pictures a second from now on; None for none."""
        with self._lock:
            self._fps = fps
            if self._reader is not None:
                self._reader.look(fps)

    def at(self, reader: Reader | None) -> None:
        """Note who reads from now on; None for nobody."""
        with self._lock:
            if reader is not self._reader:
                self._reader = reader
                if reader is not None and self._fps is not None:
                    reader.look(self._fps)

    def opened(self, mailbox: Mailbox) -> None:
        """Note where the pictures come from now on."""
        with self._lock:
            self._before += self._mailbox.sequence if self._mailbox is not None else 0
            self._mailbox = mailbox

    def newest(self, after: int) -> Shot | None:
        """The newest picture; None if its `sequence` is not above `after`. Never waits."""
        with self._lock:
            mailbox, before = self._mailbox, self._before
        shot = None if mailbox is None else mailbox.newest(after - before)
        return None if shot is None else replace(shot, sequence=shot.sequence + before)
