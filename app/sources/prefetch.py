"""Decoding ahead of the consumer, so that it overlaps with detection."""

import threading
from collections import deque
from collections.abc import Iterator

from app.sources.base import Closing, Gap, Source, SourceInfo
from detectors.types import Frame


class Prefetched(Closing):
    """The same frames, of which up to `depth` are read ahead in a thread.

    Closing it closes `source`. An error of `source` is raised after the frames before it.
    """

    def __init__(self, source: Source, depth: int = 8) -> None:
        if depth < 1:
            raise ValueError(f"depth must be at least 1 frame, got {depth}")
        self._source = source
        self._depth = depth
        self._changed = threading.Condition()
        self._ahead: deque[Frame] = deque()
        self._failure: BaseException | None = None
        self._finished = False
        self._closed = False
        self._worker = threading.Thread(target=self._read, name="prefetch", daemon=True)

    @property
    def info(self) -> SourceInfo:
        """What the source announced."""
        return self._source.info

    @property
    def warning(self) -> str:
        """What was wrong with the frames read so far."""
        return self._source.warning

    @property
    def gaps(self) -> list[Gap]:
        """Times without a picture so far, up to the frame that was read ahead last."""
        return self._source.gaps

    def frames(self) -> Iterator[Frame]:
        """Yield the source's frames, RGB uint8 [H, W, 3]; the first one asked for starts it."""
        with self._changed:
            if self._worker.ident is None and not self._closed:
                self._worker.start()
        while (frame := self._take()) is not None:
            yield frame

    def close(self) -> None:
        """Stop reading and close the source. Safe to call twice and from another thread."""
        with self._changed:
            self._closed = True
            self._ahead.clear()
            self._changed.notify_all()
        self._source.close()
        if self._worker.ident is not None and self._worker is not threading.current_thread():
            self._worker.join()

    def _take(self) -> Frame | None:
        with self._changed:
            self._changed.wait_for(lambda: self._ahead or self._finished or self._closed)
            if self._closed:
                return None
            if self._ahead:
                self._changed.notify_all()
                return self._ahead.popleft()
            if self._failure is not None:
                raise self._failure
            return None

    def _read(self) -> None:
        try:
            for frame in self._source.frames():
                with self._changed:
                    self._changed.wait_for(lambda: len(self._ahead) < self._depth or self._closed)
                    if self._closed:
                        return
                    self._ahead.append(frame)
                    self._changed.notify_all()
        except BaseException as failure:  # noqa: BLE001 - raised again where the frames are taken
            self._failure = failure
        finally:
            with self._changed:
                self._finished = True
                self._changed.notify_all()
