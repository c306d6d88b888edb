"""Where the frames of a later session stand, and the gap before them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.events.store import Changes, SourceProgress, Store
from app.sources.base import Gap
from app.watching.going_on import GoingOn
from detectors.types import Frame
from tests.app.builders import SIZE, a_frame

NOBODY = "nobody looked until the watch was started again"
SETTINGS = {"source": "rtsp://camera/hall"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


def left_at(store: Store, seen_s: float, *gaps: Gap) -> GoingOn:
    """What is found of a watch that began at 1 s past the epoch and was killed at `seen_s`."""
    source = SourceProgress("hall", "rtsp://camera/hall", SIZE, 0.0, 0.0, start_us=1_000_000)
    source.seen_s, source.frames = seen_s, 50
    run = store.begin_run("watch", SETTINGS)
    store.save(run.id, Changes(source, gaps=gaps))
    return found(store)


def found(store: Store) -> GoingOn:
    run = store.last_run()
    assert run is not None
    return GoingOn(run, store.sources(run.id)[0], SETTINGS)


def first_frame(time_us: int) -> Frame:
    """The first of a session: its own clock begins at 0."""
    return replace(a_frame(0.0), time_us=time_us)


def test_a_first_watch_is_left_as_it_is(store: Store):
    going_on = GoingOn(None, None, SETTINGS)
    assert going_on.start_s(4.0) == 0.0
    assert going_on.begin(store) == (1, [])
    run = store.last_run()
    assert run is not None
    assert (run.kind, run.settings) == ("watch", SETTINGS)
    frame = a_frame(0.2)
    assert going_on.placed(frame) is frame
    assert going_on.gaps == []


def test_later_frames_stand_behind_earlier_ones_with_a_gap_between(store: Store):
    going_on = left_at(store, 10.0)
    assert going_on.begin(store) == (1, [])
    placed = [going_on.placed(first_frame(71_000_000)), going_on.placed(a_frame(0.5))]
    assert [frame.pts_s for frame in placed] == pytest.approx([70.0, 70.5])
    assert going_on.gaps == [Gap(11_000_000, 71_000_000, "killed", NOBODY)]


def test_a_watch_that_was_stopped_says_so(store: Store):
    going_on = left_at(store, 10.0)
    store.end_run(1, "stopped", {})
    going_on = found(store)
    going_on.begin(store)
    going_on.placed(first_frame(20_000_000))
    assert [gap.reason for gap in going_on.gaps] == ["stopped"]


def test_a_gap_that_was_open_lasts_until_somebody_looks_again(store: Store):
    ended, left_open = Gap(5, 9, "stalled"), Gap(11_000_000, None, "ended", "the stream ended")
    going_on = left_at(store, 10.0, ended, left_open)
    going_on.begin(store)
    going_on.placed(first_frame(71_000_000))
    (gap,) = going_on.gaps
    assert gap == Gap(11_000_000, 71_000_000, "ended", f"the stream ended; {NOBODY}")
    source = going_on.source
    assert source is not None
    store.save(1, Changes(source, gaps=going_on.gaps))
    assert [(row["end_us"], row["detail"]) for row in store.gaps(1)] == [
        (9, ""),
        (71_000_000, gap.detail),
    ]


def test_a_clock_that_was_set_back_turns_no_time_around(store: Store):
    going_on = left_at(store, 10.0)
    going_on.begin(store)
    assert going_on.placed(first_frame(2_000_000)).pts_s > 10.0
    assert going_on.gaps == [Gap(11_000_000, 11_000_000, "killed", NOBODY)]


def test_a_recording_is_played_on_where_it_was_left(store: Store):
    going_on = left_at(store, 10.0)
    assert going_on.start_s(4.0) == 10.0
    going_on.begin(store)
    assert going_on.placed(a_frame(10.0)).pts_s == 10.0
    assert going_on.gaps == []
    # Its last frame comes again.
    assert going_on.source is not None
    assert going_on.source.frames == 49


def test_a_recording_that_was_only_learned_from_is_played_from_there(store: Store):
    run = store.begin_run("watch", SETTINGS)
    assert GoingOn(run, None, SETTINGS).start_s(4.0) == 4.0


def test_a_pause_is_told_as_the_reason_of_the_gap(store: Store):
    left_at(store, 10.0)
    run = store.last_run()
    assert run is not None
    away = ("paused", "it was paused for 5 min")
    going_on = GoingOn(run, store.sources(run.id)[0], SETTINGS, away)
    going_on.begin(store)
    going_on.placed(first_frame(71_000_000))
    assert going_on.gaps == [Gap(11_000_000, 71_000_000, *away)]
