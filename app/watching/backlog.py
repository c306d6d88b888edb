"""What a camera shows while nobody can look: kept, and looked at afterwards faster than it came."""

import math
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.sources.base import Gap
from detectors.types import Frame

MOST_BYTES = 1 << 29
"""Memory that kept frames may take: minutes of a camera of 2 megapixels at 5 frames a second."""
SPEED = 1.5
"""Kept frames are looked at no slower than so many of their seconds in one of ours: a machine that
cannot look at all of them leaves some out, or it would never catch up."""
_QUALITY = 95
_TOO_MUCH = "more pictures came while it learned than could be kept"


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A frame as a JPEG: a fortieth of the memory."""

    frame: Frame
    """Without its picture."""
    jpeg: NDArray[np.uint8]

    @classmethod
    def of(cls, frame: Frame) -> "Packed":
        """A frame, packed."""
        picture = cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR)
        _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        return cls(replace(frame, image=frame.image[:0]), np.asarray(jpeg, np.uint8))

    def shown(self) -> Frame:
        """The frame with its picture, hardly changed."""
        picture = np.asarray(cv2.imdecode(self.jpeg, cv2.IMREAD_COLOR), np.uint8)
        return replace(self.frame, image=np.ascontiguousarray(picture[..., ::-1]))


class Backlog:
    """The frames of a live camera, without those missing that came during `keeping`.

    Once `most_bytes` are kept, nothing more is until the camera has been caught up with: one gap,
    not many.
    """

    def __init__(self, arriving: Iterator[Frame | None], *, most_bytes: int = MOST_BYTES) -> None:
        """Take the frames as `LiveSource.frames` gives them."""
        self.gaps: list[Gap] = []
        """The time whose frames could not be kept; open until the first frame behind it."""
        self.skipped = 0
        """Frames that were kept, but left out to catch up."""
        self._arriving = arriving
        self._most_bytes = most_bytes
        self._kept: deque[Packed] = deque()
        self._bytes = 0
        self._changed = threading.Lock()
        self._enough = threading.Event()
        self._keeper: threading.Thread | None = None
        self._failure: BaseException | None = None

    @property
    def waiting(self) -> int:
        """Frames that are kept and were not looked at yet."""
        with self._changed:
            return len(self._kept)

    @property
    def behind_s(self) -> float:
        """Seconds from the first of them to the last."""
        with self._changed:
            return self._kept[-1].frame.pts_s - self._kept[0].frame.pts_s if self._kept else 0.0

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Keep what arrives from here on; `frames` gives it afterwards."""
        self._keeper = threading.Thread(target=self._keep, name="backlog", daemon=True)
        self._keeper.start()
        try:
            yield
        except BaseException:
            self._end_keeping()
            raise

    def frames(self) -> Iterator[Frame | None]:
        """Yield what was kept, then what arrives; None where none came for a while.

        Raises:
            app.sources.base.SourceError: If the source breaks, behind all that it gave before.
        """
        yield from self._caught_up()
        if self._failure is not None:
            raise self._failure
        for frame in self._arriving:
            if frame is not None and self.gaps and self.gaps[-1].end_us is None:
                end_us = max(frame.time_us, self.gaps[-1].start_us)
                self.gaps[-1] = replace(self.gaps[-1], end_us=end_us)
            yield frame

    def _caught_up(self) -> Iterator[Frame]:
        """Yield kept frames until there are none, and let nobody keep more then."""
        begun_s, first_s = time.monotonic(), math.nan
        while (kept := self._next(begun_s, first_s)) is not None:
            first_s = kept.frame.pts_s if math.isnan(first_s) else first_s
            yield kept.shown()

    def _next(self, begun_s: float, first_s: float) -> Packed | None:
        """The next one, or a later one if looking at those before took too long."""
        due_s = first_s + SPEED * (time.monotonic() - begun_s)
        kept = self._pop()
        while kept is not None and self._comes_by(due_s):
            kept = self._pop()
            self.skipped += 1
        if kept is None and self._keeper is not None:
            self._end_keeping()
            kept = self._pop()
        return kept

    def _comes_by(self, due_s: float) -> bool:
        with self._changed:
            return bool(self._kept) and self._kept[0].frame.pts_s <= due_s

    def _pop(self) -> Packed | None:
        with self._changed:
            if not self._kept:
                return None
            kept = self._kept.popleft()
            self._bytes -= kept.jpeg.nbytes
            return kept

    def _end_keeping(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            self._enough.set()
            keeper.join()

    def _keep(self) -> None:
        try:
            for frame in self._arriving:
                if frame is not None and not self._has_kept(Packed.of(frame)):
                    return
                if self._enough.is_set():
                    return
        except BaseException as failure:  # noqa: BLE001 - raised where the frames are taken
            self._failure = failure

    def _has_kept(self, kept: Packed) -> bool:
        with self._changed:
            if self._bytes + kept.jpeg.nbytes > self._most_bytes:
                before = self._kept[-1].frame.time_us if self._kept else kept.frame.time_us
                self.gaps.append(Gap(before, None, "learning", _TOO_MUCH))
                return False
            self._kept.append(kept)
            self._bytes += kept.jpeg.nbytes
            return True
