"""What a source has shown, kept in a real store."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.events.checkpoint import Checkpoint
from app.events.event import Lasting
from app.events.store import Changes, SourceProgress, Store
from app.sources.base import Gap
from app.watching.recorder import Recorder
from detectors.types import Box
from tests.app.builders import SIZE, a_frame


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


@pytest.fixture
def recorder(store: Store) -> Recorder:
    run = store.begin_run("audit", {})
    return Recorder(store, run.id, SourceProgress("hall", "a.mp4", SIZE, 0.0, 0.0))


def kept(store: Store) -> SourceProgress:
    (source,) = store.sources(1)
    return source


def test_frames_are_counted_and_a_second_keeps_its_peak(store: Store, recorder: Recorder):
    recorder.watched([a_frame(0.2), a_frame(0.4)], [0.5, 2.0])
    recorder.watched([a_frame(0.8), a_frame(1.0)], [1.0, 0.25])
    recorder.save([])
    assert (kept(store).frames, kept(store).seen_s, kept(store).start_us) == (4, 1.0, 1_000_000)
    assert store.seconds(1, "a.mp4") == [(0, 2.0), (1, 0.25)]


def test_a_second_that_is_saved_in_parts_keeps_the_peak_of_all(store: Store, recorder: Recorder):
    for peak in (0.5, 2.0, 1.0):
        recorder.watched([a_frame(0.2)], [peak])
        recorder.save([])
    assert store.seconds(1, "a.mp4") == [(0, 2.0)]


def test_only_a_save_with_a_checkpoint_is_a_point_to_go_on_from(store: Store, recorder: Recorder):
    recorder.watched([a_frame(0.2), a_frame(0.4)], [0.5, 0.5])
    recorder.save([])
    assert (kept(store).done_s, kept(store).done_frames) == (0.0, 0)
    recorder.save([], checkpoint=Checkpoint(0.4, "{}", ()))
    assert (kept(store).done_s, kept(store).done_frames) == (0.4, 2)
    found = store.checkpoint(1, kept(store))
    assert found is not None
    assert (found.at_s, found.tracks, found.kept) == (0.4, "{}", [])
    # One of another moment is none, and a source that is finished needs none.
    assert store.checkpoint(1, replace(kept(store), done_s=0.2)) is None
    recorder.source.finished = True
    recorder.save([])
    assert store.checkpoint(1, kept(store)) is None


def test_a_gap_is_kept_open_and_then_ended(store: Store, recorder: Recorder):
    recorder.save([], gaps=[Gap(5, None, "size", "pictures of 1x1 pixels")])
    assert [gap["end_us"] for gap in store.gaps(1)] == [None]
    recorder.save([], gaps=[Gap(5, 9, "size", "pictures of 1x1 pixels")])
    assert [(gap["end_us"], gap["reason"]) for gap in store.gaps(1)] == [(9, "size")]


class Counted:
    """A store that counts the gaps that it is given."""

    def __init__(self, store: Store) -> None:
        self.gaps: list[int] = []
        self._store = store

    def save(self, run_id: int, changes: Changes) -> None:
        self.gaps.append(len(changes.gaps))
        self._store.save(run_id, changes)


def test_only_new_gaps_are_written(store: Store):
    counted = Counted(store)
    run = store.begin_run("watch", {})
    recorder = Recorder(counted, run.id, SourceProgress("hall", "a.mp4", SIZE, 0.0, 0.0))
    first, lasting = Gap(5, 9, "stalled"), Gap(20, None, "ended")
    for gaps in ([], [first], [first], [first, lasting], [first, lasting]):
        recorder.save([], gaps=gaps)
    ended = Gap(20, 30, "ended")
    recorder.save([], gaps=[first, ended])
    recorder.save([], gaps=[first, ended])
    assert counted.gaps == [0, 1, 0, 1, 0, 1, 0]
    assert [(gap["start_us"], gap["end_us"]) for gap in store.gaps(run.id)] == [(5, 9), (20, 30)]


def test_nothing_is_kept_of_what_was_not_saved(store: Store, recorder: Recorder):
    recorder.save([])
    recorder.watched([a_frame(0.2)], [3.0])
    assert (kept(store).frames, store.seconds(1, "a.mp4")) == (0, [])


def test_of_events_that_last_only_new_sightings_are_saved():
    saved: list[Changes] = []

    class Listed:
        def save(self, run_id: int, changes: Changes) -> None:
            saved.append(changes)

    recorder = Recorder(Listed(), 1, SourceProgress("hall", "a.mp4", SIZE, 0.0, 0.0))
    path = tuple((number / 5, Box(0, 0, 5, 5), 2.0) for number in range(10))

    def last(*seen: tuple[float, Box, float]) -> tuple[int, bool]:
        recorder.save([], lasting=[Lasting("a", seen[-1][0], 0, 2.0, len(seen), seen)])
        (lasting,) = saved[-1].lasting
        return len(lasting.path), lasting.thinned

    assert last(*path[:4]) == (4, False)
    assert last(*path[:6]) == (2, False)
    assert saved[-1].lasting[0].path == path[4:6]
    assert last(*path[:6]) == (0, False)
    # The older half was thinned out: all are saved anew.
    assert last(*path[:6:2], *path[6:8]) == (5, True)
    assert last(*path[:6:2], *path[6:9]) == (1, False)
    # What has ended is forgotten.
    recorder.save([])
    assert last(*path) == (10, False)
