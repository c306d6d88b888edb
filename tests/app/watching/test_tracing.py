"""What is noted of frames comes back, and stays within its bytes."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import StoreError
from app.events.packing import packed, unpacked
from app.events.store import Changes, SourceProgress, Store
from app.events.trace import Trace, columns_of, frames_from
from app.watching import tracing
from app.watching.tracing import Tracing
from detectors.types import Detection, Pixels
from tests.app.builders import SIZE, a_detection, a_frame, a_map


def noted(seconds: float, rate: float = 5.0, seed: int = 0) -> list[Trace]:
    """Something that stands for so long, told by a score that is never quite the same."""
    rng, notes = np.random.default_rng(seed), Tracing()
    for number in range(round(seconds * rate)):
        score = float(rng.uniform(1.9, 2.1))
        notes.see(a_frame(number / rate), [a_detection(score=score)], a_map((2, 2, 4)), 1.0)
    notes.finish()
    return notes.take()


def test_frames_come_back_nearly_as_they_were():
    (trace,) = noted(4)
    back = frames_from(unpacked(packed(columns_of(trace.frames))), trace.start_s)
    assert [one.pts_s for one in back] == pytest.approx([one.pts_s for one in trace.frames])
    for one, other in zip(back, trace.frames, strict=True):
        (thing,), (was,) = one.things, other.things
        assert thing.shown.box == was.shown.box
        assert thing.shown.score == pytest.approx(was.shown.score, rel=2e-4)
        assert (thing.patch is None) == (was.patch is None)
    patch = back[0].things[0].patch
    assert patch is not None
    assert patch.values.max() == pytest.approx(3.0, rel=0.04)


def test_damaged_columns_are_refused():
    with pytest.raises(ValueError, match="damaged"):
        unpacked(b"no columns")
    with pytest.raises(ValueError, match="damaged"):
        frames_from({}, 0.0)


def test_what_stands_for_an_hour_takes_few_bytes():
    traces = noted(3600)
    assert sum(len(packed(columns_of(one.frames))) for one in traces) < 25_000
    assert traces[-1].end_s == pytest.approx(3599.8)
    assert all(one.joined for one in traces[1:])


def test_a_bad_day_has_an_end_and_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tracing, "SPARE_BYTES", 4_000)
    rng, notes = np.random.default_rng(1), Tracing()
    for number in range(3000):
        things = [a_detection(*rng.uniform(0, 40, 2), score=2.0) for _ in range(6)]
        notes.see(a_frame(number / 5), things, None, 1.0)
    notes.finish()
    traces = notes.take()
    assert any(not one.frames for one in traces)
    assert sum(len(packed(columns_of(one.frames))) for one in traces if one.frames) < 8_000


def test_quiet_frames_are_not_noted():
    notes = Tracing()
    for number in range(2000):
        things = [a_detection()] if 500 <= number < 520 else []
        notes.see(a_frame(number / 5), things, a_map(), 1.0)
    (trace,) = notes.take()
    assert len(trace.frames) < 90
    assert trace.start_s < 100.0
    assert not trace.joined


def test_what_is_looked_at_again_is_dropped_before(tmp_path: Path):
    with Store(tmp_path) as store:
        run = store.begin_run("audit", {})
        source = SourceProgress("hall", "a.mp4", SIZE, 0.0, 0.0)
        notes, early = Tracing(), list[Trace]()
        for number in range(200):
            notes.see(a_frame(number / 5), [a_detection()], a_map(), 1.0)
            early += notes.take(whole=number == 99)
        store.save(run.id, Changes(source, traces=[*early, *notes.take(whole=True)]))
        before = len(store.stretches(run.id, 0))
        with store.saving():
            store.go_back(run.id, "a.mp4", 19.9)
        after = store.stretches(run.id, 0)
    assert (before, len(after)) == (2, 1)
    assert after[0].end_s == pytest.approx(19.8)


def test_a_store_whose_frames_are_damaged_says_which(tmp_path: Path):
    with Store(tmp_path) as store:
        run = store.begin_run("audit", {})
        source = SourceProgress("hall", "a.mp4", SIZE, 0.0, 0.0)
        store.save(run.id, Changes(source, traces=noted(2)))
        with sqlite3.connect(tmp_path / "events.sqlite") as database:
            database.execute("UPDATE trace SET packed = x'00'")
        database.close()
        (stretch,) = store.stretches(run.id, 0)
        with pytest.raises(StoreError, match=r"events\.sqlite: packed columns are damaged"):
            store.followed(stretch)


def test_a_camera_whose_clocks_jitter_fills_one_trace():
    rng, notes = np.random.default_rng(2), Tracing()
    for number in range(100):
        frame = a_frame(number / 5)
        frame = replace(frame, time_us=frame.time_us + int(rng.integers(-9_000, 9_000)))
        notes.see(frame, [a_detection()], None, 1.0)
    notes.finish()
    (trace,) = notes.take()
    assert trace.end_s == pytest.approx(19.8)


class Halves:
    """Finds two things in the place of the one that there was."""

    def find(
        self,
        heat: NDArray[np.float32],
        image: Pixels,
        mask: NDArray[np.bool_] | None = None,
        most: int = 64,
    ) -> list[Detection]:
        peak = float(heat.max())
        return [a_detection(10, 10, 8, score=peak), a_detection(40, 10, 8, score=peak)]


def test_what_falls_apart_at_a_higher_bar_is_noted_with_its_bar():
    heat = np.maximum(a_map((2, 2, 2)), a_map((8, 2, 2)))
    heat[2:4, 4:8] = 1.5
    notes = Tracing(Halves())
    notes.see(a_frame(), [replace(a_detection(side=50), score=3.0)], heat, 1.0)
    notes.finish()
    whole, apart = notes.take()[0].frames
    assert (whole.level, len(whole.things)) == (1.0, 1)
    assert 1.5 < apart.level <= 1.5 * 1.1
    assert [one.shown.score for one in apart.things] == pytest.approx([3.0, 3.0], rel=1e-3)
