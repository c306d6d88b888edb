"""The line of a source: what was learned, when nobody looked, and marks of time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.events.store import Store
from app.report.timeline import Lane, lane
from app.sources.base import Gap
from tests.app.report.runs import BEGAN_US, a_run, a_seen, a_source

LATER_US = BEGAN_US + 10**15
"""A gap that is open goes on until the run ended, which is now: by then it has not begun."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


def line_of(store: Store, kind: str = "audit", **other: object) -> Lane:
    run = a_run(store, kind=kind, **other)
    (source,) = store.sources(run.id)
    return lane(store, run, source, [(n, e) for n, e in enumerate(store.events(run.id), 1)])


def test_the_line_begins_with_the_recording_and_shows_what_was_learned_from(store: Store):
    line = line_of(store, source=a_source(seen_s=100.0, from_s=40.0))
    (learned,) = line.stretches
    assert (learned.kind, learned.left, learned.width) == ("learned", 0.0, 40.0)
    assert "0:00 to 0:40.0" in learned.title


def test_gaps_lie_where_they_were_with_their_reasons(store: Store):
    gaps = [
        Gap(LATER_US + 20_000_000, LATER_US + 30_000_000, "stalled", "no picture for 2 s"),
        Gap(LATER_US + 90_000_000, None, "ended"),
    ]
    line = line_of(store, "watch", source=a_source(seen_s=100.0, start_us=LATER_US), gaps=gaps)
    first, last = line.stretches
    assert (first.left, first.width) == pytest.approx((20.0, 10.0))
    assert first.title == "blind, 10.0 s: stalled no picture for 2 s"
    assert last.left + last.width == pytest.approx(100.0)
    assert last.title == "blind, still going on: ended"


def test_marks_tell_the_wall_clock_only_where_it_is_a_fact(store: Store):
    known = line_of(store, source=a_source(seen_s=100.0))
    assert [tick.text for tick in known.ticks[:3]] == ["0:00", "0:10", "0:20"]
    assert known.ticks[1].wall.endswith(":53:30")
    with Store(store.folder / "guess") as other:
        guessed = line_of(other, source=a_source(seen_s=100.0, time_from="modified"))
    assert {tick.wall for tick in guessed.ticks} == {""}
    assert guessed.begins.startswith("about 2026-11-29")
    assert guessed.begins.endswith("(from the file's date)")


@pytest.mark.parametrize("length_s", [1.0, 59.0, 600.0, 86_400.0, 30 * 86_400.0])
def test_there_are_never_too_many_marks(store: Store, length_s: float):
    line = line_of(store, source=a_source(seen_s=length_s))
    assert 1 <= len(line.ticks) <= 13 or length_s > 12 * 86_400


def test_the_scale_follows_the_highest_score(store: Store):
    line = line_of(store, peaks={0: 0.5, 1: 8.0})
    assert line.ceiling == "8.0"
    assert line.line == pytest.approx(60 * 7 / 8)
    assert line.curve.split()[1].endswith(",0.0")


def test_only_sure_events_have_a_label(store: Store):
    run = a_run(store, a_seen(0), a_seen(1, (("drug", 0.07),)))
    (source,) = store.sources(run.id)
    line = lane(store, run, source, list(enumerate(store.events(run.id), 1)))
    assert [bar.label for bar in line.bars] == ["cat", ""]
    assert line.bars[1].title.startswith("2: something unnamed, 0:10.0")
