"""Watched is what was looked at."""

from typing import Any

import pytest

from app.events.store import SourceProgress
from app.events.watched import watched_s
from tests.app.builders import SIZE

START_US = 1_000_000_000


def a_source(from_s: float = 0.0, seen_s: float = 60.0) -> SourceProgress:
    source = SourceProgress("hall", "rtsp://camera", SIZE, from_s, 0.0, start_us=START_US)
    source.seen_s = seen_s
    return source


def a_gap(start_s: float, end_s: float | None, camera: str = "hall") -> dict[str, Any]:
    end_us = None if end_s is None else START_US + round(end_s * 1e6)
    return {"camera": camera, "start_us": START_US + round(start_s * 1e6), "end_us": end_us}


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ([], 20.0),
        ([a_gap(45, 50)], 15.0),
        # Overlapping times count once, those outside not at all.
        ([a_gap(0, 10), a_gap(30, 45), a_gap(42, 44), a_gap(43, 47), a_gap(70, 80)], 13.0),
        ([a_gap(50, None)], 10.0),
        ([a_gap(45, 50, camera="yard")], 20.0),
        ([a_gap(0, None)], 0.0),
    ],
)
def test_neither_learning_nor_blind_times_are_watched(gaps: list[dict[str, Any]], expected: float):
    assert watched_s(a_source(from_s=40.0), gaps) == pytest.approx(expected)


def test_a_watch_that_only_learned_has_watched_nothing():
    assert watched_s(a_source(from_s=40.0, seen_s=0.0), []) == 0
    source = a_source()
    source.start_us = None
    assert watched_s(source, []) == 0
