"""A recording played at its own pace, as if it were a camera."""

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator

from app.sources.base import Closing, Gap, LiveStats, Source, SourceInfo
from app.sources.glimpses import Passing
from detectors.types import Frame


class PacedSource(Closing):
    """The newest frame of a recording that plays on, however slow the consumer is.

    Playing begins when frames are first asked for and ends with the recording. Times are those of
    the recording, so that it gives the same events as the live camera did.
    """

    def __init__(self, source: Source, speed: float = 1.0) -> None:
        """Take a recording and how many of its seconds pass in one."""
        if not speed > 0:
            raise ValueError(f"speed must be above 0, got {speed}")
        self._source = source
        self._speed = speed
        self.onlooker = Passing()
        """For people who look on."""
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._failure: BaseException | None = None
        self._stats = LiveStats(attempts=1)
        self._finished = False
        self._stop = threading.Event()
        self._player = threading.Thread(target=self._play, name="paced", daemon=True)

    @property
    def info(self) -> SourceInfo:
        """What the recording announced."""
        return self._source.info

    @property
    def stats(self) -> LiveStats:
        """Frames delivered and dropped so far."""
        return self._stats

    @property
    def gaps(self) -> list[Gap]:
        """Times of which the recording has no picture; it is never away."""
        return self._source.gaps

    @property
    def warning(self) -> str:
        """What was wrong with the recording so far, in one sentence; empty if nothing."""
        return self._source.warning

    def connect(
        self, timeout_s: float, failed: Callable[[str], None] = lambda _: None
    ) -> SourceInfo:
        """The recording is open already."""
        return self._source.info

    @property
    def ended(self) -> bool:
        """Whether the recording has been played, or was closed."""
        with self._changed:
            played = self._finished and self._newest is None and self._failure is None
        return played or self._stop.is_set()

    def frames(self, timeout_s: float = 0.5) -> Iterator[Frame | None]:
        """See `LiveSource.frames`; it ends with the recording.

        Raises:
            SourceError: If the recording cannot be read on.
        """
        self._begin()
        while not self.ended:
            with self._changed:
                self._changed.wait_for(self._has_news, timeout_s)
            frame = self.take()
            if self._stop.is_set() or (frame is None and self.ended):
                return
            yield frame

    def take(self) -> Frame | None:
        """The newest frame, RGB uint8 [H, W, 3]; None if it was taken already; never waits.

        Raises:
            SourceError: If nothing is left because the recording cannot be read on.
        """
        self._begin()
        with self._changed:
            frame, self._newest = self._newest, None
            if frame is not None:
                self._count(frames=1)
            elif self._finished and self._failure is not None:
                raise self._failure
        return frame

    def close(self) -> None:
        """Stop playing and close the recording. Safe to call twice and from another thread."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        self._source.close()
        if self._player.ident is not None and self._player is not threading.current_thread():
            self._player.join()

    def _begin(self) -> None:
        with self._changed:
            if self._player.ident is None and not self._stop.is_set():
                self._player.start()

    def _has_news(self) -> bool:
        return self._newest is not None or self._finished or self._stop.is_set()

    def _count(self, **more: int) -> None:
        counted = {name: getattr(self._stats, name) + number for name, number in more.items()}
        self._stats = dataclasses.replace(self._stats, **counted)

    def _play(self) -> None:
        try:
            begun_s: float | None = None
            for frame in self._source.frames():
                now_s = time.monotonic()
                if begun_s is None:
                    begun_s = now_s - frame.pts_s / self._speed
                if self._stop.wait(max(0.0, begun_s + frame.pts_s / self._speed - now_s)):
                    return
                self._show(frame)
        except BaseException as failure:  # noqa: BLE001 - raised again where the frames are taken
            self._failure = failure
        finally:
            with self._changed:
                self._finished = True
                self._changed.notify_all()

    def _show(self, frame: Frame) -> None:
        self.onlooker.show(frame)
        with self._changed:
            if self._newest is not None:
                self._count(dropped=1)
            self._newest = frame
            self._changed.notify_all()
