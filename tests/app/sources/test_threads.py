"""Reading ahead and playing at the recording's pace."""

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from app.sources.base import Gap, SourceError, SourceInfo
from app.sources.file import FileSource
from app.sources.paced import PacedSource
from app.sources.prefetch import Prefetched
from detectors.types import Frame
from tests.peers.pattern import number_of, numbered


class CountedSource:
    """Endless or failing frames that count how many were taken."""

    def __init__(self, fails_after: int | None = None) -> None:
        self.taken = 0
        self.closed = 0
        self.warning = ""
        self.gaps: list[Gap] = []
        self._fails_after = fails_after

    @property
    def info(self) -> SourceInfo:
        return SourceInfo("gate", "counted", (2, 2), 25, 0)

    def frames(self) -> Iterator[Frame]:
        while not self.closed:
            if self.taken == self._fails_after:
                raise SourceError("counted: the disk went away")
            self.taken += 1
            yield Frame("gate", self.taken - 1, self.taken / 25, 0, np.zeros((2, 2, 3), np.uint8))

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return numbered(tmp_path_factory.mktemp("clip") / "door.mp4", 50)


class TestPrefetched:
    def test_gives_the_same_frames(self, clip: Path):
        with Prefetched(FileSource(clip)) as source:
            assert [number_of(frame.image) for frame in source.frames()] == list(range(50))
            assert source.info.camera == "door"

    def test_reads_no_more_ahead_than_its_depth(self):
        inner = CountedSource()
        with Prefetched(inner, depth=3) as source:
            frames = source.frames()
            next(frames)
            time.sleep(0.2)
            assert inner.taken <= 5  # one delivered, three held, one in the reader's hand

    def test_an_error_comes_after_the_frames_before_it(self):
        source = Prefetched(CountedSource(fails_after=4))
        frames = source.frames()
        assert [next(frames).index for _ in range(4)] == [0, 1, 2, 3]
        with pytest.raises(SourceError, match="the disk went away"):
            next(frames)
        source.close()

    def test_close_stops_a_full_reader_at_once(self):
        inner = CountedSource()
        source = Prefetched(inner, depth=2)
        next(source.frames())
        source.close()
        source.close()
        assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]
        assert list(source.frames()) == []

    def test_close_from_another_thread_ends_the_consumer(self, clip: Path):
        source = Prefetched(FileSource(clip), depth=1)
        threading.Timer(0.1, source.close).start()
        for _ in source.frames():
            time.sleep(0.02)
        assert list(source.frames()) == []

    def test_a_depth_of_nothing_is_refused(self):
        with pytest.raises(ValueError, match="depth must be at least 1"):
            Prefetched(CountedSource(), depth=0)


class TestPaced:
    def test_plays_at_its_own_pace(self, clip: Path):
        with (
            PacedSource(FileSource(clip), speed=0.1) as slow,
            PacedSource(FileSource(clip), speed=4) as fast,
        ):
            slowly = (frame for frame in slow.frames() if frame is not None)
            assert next(slowly).index == 0
            frames = [frame for frame in fast.frames() if frame is not None]
            assert frames[-1].index == 49
            assert fast.stats.frames + fast.stats.dropped == 50
            assert 0 < next(slowly).index < 49

    def test_a_slow_consumer_gets_the_newest_frame(self, clip: Path):
        seen = []
        with PacedSource(FileSource(clip)) as source:
            for frame in source.frames():
                if frame is None:
                    continue
                seen.append(frame.index)
                before = source.stats.dropped
                while source.stats.dropped < before + 3 and frame.index < 45:
                    time.sleep(0.01)
        assert all(later - earlier > 3 for earlier, later in pairwise(seen) if earlier < 45)
        assert seen[-1] == 49
        assert source.stats.frames + source.stats.dropped == 50

    def test_silence_is_told(self, clip: Path):
        with PacedSource(FileSource(clip), speed=0.1) as source:
            frames = source.frames(timeout_s=0.05)
            seen = [next(frames) for _ in range(4)]
        assert seen[0] is not None
        assert None in seen

    def test_an_error_is_passed_on(self):
        source = PacedSource(CountedSource(fails_after=2), speed=100)
        with pytest.raises(SourceError, match="the disk went away"):
            list(source.frames())
        source.close()

    def test_close_is_prompt_while_it_waits(self, clip: Path):
        # The next frame is due after an hour, so a close that waited for it would hang.
        source = PacedSource(FileSource(clip), speed=1e-5)
        next(source.frames())
        source.close()
        source.close()
        assert [frame for frame in source.frames() if frame] == []

    def test_one_loop_serves_two_sources(self, clip: Path):
        with (
            PacedSource(FileSource(clip, camera="hall"), speed=4) as hall,
            PacedSource(FileSource(clip, camera="gate"), speed=2) as gate,
        ):
            seen: dict[str, list[int]] = {"hall": [], "gate": []}
            empty = 0
            while not (hall.ended and gate.ended):
                for frame in (hall.take(), gate.take()):
                    if frame is None:
                        empty += 1
                    else:
                        seen[frame.camera].append(frame.index)
                time.sleep(0.002)
        assert empty
        for source, numbers in ((hall, seen["hall"]), (gate, seen["gate"])):
            assert numbers == sorted(set(numbers))
            assert numbers[-1] == 49
            assert source.stats.frames == len(numbers)
            assert source.take() is None

    def test_taking_from_a_broken_recording_says_why(self):
        source = PacedSource(CountedSource(fails_after=2), speed=100)

        def take_all() -> None:
            while not source.ended:
                source.take()

        with pytest.raises(SourceError, match="the disk went away"):
            take_all()
        source.close()
        assert source.ended
