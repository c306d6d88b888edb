"""What came while nobody could look is looked at afterwards, and what could not be kept is told."""

import queue
import threading
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest

from app.sources.base import Gap, SourceError
from app.watching.backlog import Backlog
from detectors.types import Frame
from tests.app.builders import SIZE, a_frame
from tests.peers.consumer import wait_for


class Feed:
    """Frames that come when the test says so."""

    def __init__(self) -> None:
        self._coming: queue.Queue[Frame | Exception | None] = queue.Queue()

    def come(self, *frames: Frame) -> None:
        for frame in frames:
            self._coming.put(frame)

    def end(self, failure: Exception | None = None) -> None:
        self._coming.put(failure)

    def frames(self) -> Iterator[Frame | None]:
        while True:
            try:
                frame = self._coming.get(timeout=0.01)
            except queue.Empty:
                yield None
                continue
            if isinstance(frame, Exception):
                raise frame
            if frame is None:
                return
            yield frame


def numbered(*numbers: int, step_s: float = 1.0) -> list[Frame]:
    """Pictures that tell their number, `step_s` apart."""
    return [a_frame(n * step_s, np.full((*SIZE, 3), 10 * n, np.uint8)) for n in numbers]


def number_of(frame: Frame) -> int:
    return round(float(frame.image.mean()) / 10)


def taken(frames: Iterator[Frame | None], count: int) -> list[Frame]:
    return [*islice((frame for frame in frames if frame is not None), count)]


def keep(backlog: Backlog, feed: Feed, frames: list[Frame]) -> None:
    """Let frames come while nobody looks."""
    with backlog.keeping():
        feed.come(*frames)
        span_s = frames[-1].pts_s - frames[0].pts_s
        wait_for("all frames to be kept", lambda: backlog.behind_s >= span_s, 30)


@pytest.fixture
def feed() -> Iterator[Feed]:
    feed = Feed()
    yield feed
    feed.end()


def test_without_a_backlog_frames_pass_as_they_come(feed: Feed):
    frames = Backlog(feed.frames()).frames()
    assert next(frames) is None
    (frame,) = numbered(3)
    feed.come(frame)
    assert taken(frames, 1) == [frame]


def test_what_came_meanwhile_is_looked_at_first_in_its_order_and_with_its_times(feed: Feed):
    backlog, came = Backlog(feed.frames()), numbered(*range(1, 6), step_s=1000)
    keep(backlog, feed, came)
    assert (backlog.waiting, backlog.behind_s) == (5, 4000.0)
    frames = backlog.frames()
    kept = taken(frames, 2)
    assert backlog.waiting == 3
    # More comes while the first are looked at.
    later = numbered(7, 8, step_s=1000)
    feed.come(*later)
    kept += taken(frames, 5)
    assert [number_of(frame) for frame in kept] == [1, 2, 3, 4, 5, 7, 8]
    for one, other in zip(kept, [*came, *later], strict=True):
        assert (one.camera, one.index, one.pts_s, one.time_us) == (
            other.camera,
            other.index,
            other.pts_s,
            other.time_us,
        )
        assert one.image.shape == (*SIZE, 3)
        assert np.abs(one.image.astype(int) - other.image.astype(int)).max() <= 2
    assert (backlog.gaps, backlog.skipped) == ([], 0)
    assert (backlog.waiting, backlog.behind_s) == (0, 0.0)


def test_colours_are_kept(feed: Feed):
    backlog = Backlog(feed.frames())
    red = np.zeros((*SIZE, 3), np.uint8)
    red[..., 0] = 200
    keep(backlog, feed, [a_frame(0, red), a_frame(1, red)])
    (frame,) = taken(backlog.frames(), 1)
    assert frame.image[30, 40].tolist() == pytest.approx([200, 0, 0], abs=3)


def test_what_could_not_be_kept_is_one_gap_until_the_camera_has_been_caught_up_with(feed: Feed):
    backlog = Backlog(feed.frames(), most_bytes=3000)
    with backlog.keeping():
        feed.come(*numbered(*range(20), step_s=1000))
        wait_for("the memory to be full", lambda: bool(backlog.gaps), 30)
    (gap,) = backlog.gaps
    assert (gap.end_us, gap.reason) == (None, "learning")
    assert "more pictures came while it learned than could be kept" in gap.detail
    frames = backlog.frames()
    seen: list[Frame] = []
    while backlog.gaps[0].end_us is None:
        seen += taken(frames, 1)
    times = [frame.time_us for frame in seen]
    assert times == sorted(times)
    assert 1 < len(seen) < 20
    assert backlog.gaps == [Gap(times[-2], times[-1], "learning", gap.detail)]
    # From there on nothing more is lost than the source loses.
    left = 19 - number_of(seen[-1])
    assert [number_of(frame) for frame in taken(frames, left)] == [*range(20 - left, 20)]


def test_who_looks_too_slowly_leaves_frames_out_and_catches_up(feed: Feed):
    # Frames a nanosecond apart: nobody looks at so many in their time.
    backlog = Backlog(feed.frames())
    keep(backlog, feed, numbered(*range(20), step_s=1e-9))
    assert [number_of(frame) for frame in taken(backlog.frames(), 2)] == [0, 19]
    assert backlog.skipped == 18


def test_a_source_that_ends_or_breaks_meanwhile_does_so_behind_what_was_kept():
    for failure in (None, SourceError("a.mp4: breaks off")):
        feed = Feed()
        backlog = Backlog(feed.frames())
        keep(backlog, feed, numbered(1, 2))
        feed.end(failure)
        frames = backlog.frames()
        assert [number_of(frame) for frame in taken(frames, 2)] == [1, 2]
        if failure is None:
            assert taken(frames, 1) == []
        else:
            with pytest.raises(SourceError, match="breaks off"):
                taken(frames, 1)


def test_who_stops_while_it_keeps_leaves_no_thread_behind(feed: Feed):
    backlog = Backlog(feed.frames())
    with pytest.raises(KeyboardInterrupt), backlog.keeping():
        raise KeyboardInterrupt
    assert "backlog" not in [thread.name for thread in threading.enumerate()]
