"""How unexpected an event is, by what the store of its camera holds of the days before."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.events.event import Event, Finding
from app.events.store import Changes, SourceProgress, Store
from app.feedback.heeding import Heeding
from app.feedback.verdicts import Verdicts
from app.habits.history import cell, read_history
from app.habits.surprise import Habits, in_short, in_words
from app.report.page import render_report
from app.sources.base import Gap
from app.why.asking import why
from detectors.types import Box
from tests.app.events.findings import a_finding
from tests.app.feedback.test_when import at

DAY_S = 86400.0


def on(day: int, hour: int, number: int, noun: str = "cat") -> Finding:
    """An event of a day of November 2026."""
    finding, begun_us = a_finding(number, 1.0, noun), at(day, hour)
    event = replace(finding.event, start_us=begun_us, end_us=begun_us + 2_000_000)
    return replace(finding, event=event)


def a_watch(folder: Path, days: float, *findings: Finding, gaps: tuple[Gap, ...] = ()) -> None:
    """A watch from the beginning of 2 November on."""
    source = SourceProgress("hall", "a.mp4", (60, 80), 0.0, 0.0, seen_s=days * DAY_S)
    source.start_us = at(2, 0)
    with Store(folder) as store:
        run = store.begin_run("watch", {"detector": None})
        store.save(run.id, Changes(source, findings, gaps=gaps))


def told(folder: Path, finding: Finding) -> Event:
    return Habits(folder).told(finding.event)


def test_what_comes_daily_at_an_hour_surprises_less_than_at_night(tmp_path: Path):
    a_watch(tmp_path, 10, *(on(day, 9, day) for day in range(2, 12)))
    by_day = told(tmp_path, on(12, 9, 99)).surprise_here_bits
    at_night = told(tmp_path, on(12, 3, 99)).surprise_here_bits
    other = told(tmp_path, on(12, 9, 99, "piano")).surprise_here_bits
    assert by_day is not None
    assert at_night is not None
    assert other is not None
    assert by_day < 4 < 6 < at_night
    assert other > 6


def test_nothing_is_told_before_three_days_were_watched(tmp_path: Path):
    a_watch(tmp_path, 2.9, on(3, 9, 1))
    assert told(tmp_path, on(12, 9, 99)).surprise_here_bits is None
    a_watch(tmp_path / "longer", 3.0, on(3, 9, 1))
    assert told(tmp_path / "longer", on(12, 9, 99)).surprise_here_bits is not None


def test_without_a_store_and_without_a_name_nothing_is_told(tmp_path: Path):
    assert told(tmp_path, on(12, 9, 99)).surprise_here_bits is None
    a_watch(tmp_path, 5, on(3, 9, 1))
    unnamed = replace(on(12, 9, 99).event, candidates=())
    assert Habits(tmp_path).told(unnamed) == unnamed


def test_the_events_of_a_day_count_from_the_next_day_on(tmp_path: Path):
    a_watch(tmp_path, 10, *(on(11, 9, number) for number in range(20)))
    same, after = (told(tmp_path, on(day, 9, 99)).surprise_here_bits for day in (11, 12))
    assert same is not None
    assert after is not None
    assert after < same


def test_time_in_which_the_camera_was_blind_was_not_watched(tmp_path: Path):
    gap = Gap(at(3, 9), at(3, 11), "stalled")
    a_watch(tmp_path, 4, on(3, 9, 1), gaps=(gap,))
    with Store(tmp_path) as store:
        history = read_history(store, "hall", at(6, 0))
    assert history.hours == pytest.approx(94)
    assert [round(hours, 3) for hours in history.watched_h[8:12]] == [4, 3, 3, 4]
    assert history.events == 1
    assert {noun: float(counts.sum()) for noun, counts in history.counts.items()} == {
        "cat": 0.5,
        "dog": 0.25,
    }


def test_a_thing_stands_in_the_cell_of_its_foot():
    assert cell(Box(0, 0, 20, 60), (60, 80)) == (2, 0)
    assert cell(Box(60, 0, 80, 10), (60, 80)) == (0, 3)


def test_it_is_told_in_report_json_and_receipt(tmp_path: Path):
    a_watch(tmp_path, 10, *(on(day, 9, day) for day in range(2, 12)))
    finding = on(12, 9, 99)
    heeding = Heeding(Verdicts(tmp_path), "", lambda _: None, None, Habits(tmp_path).told)
    (heard,) = heeding.heeded([finding])
    with Store(tmp_path) as store:
        store.save(1, Changes(store.sources(1)[0], [heard]))
        kept = store.event(finding.event.id)
        assert kept is not None
        page = render_report(store, store.run(1))
    assert kept.surprise_here_bits == heard.event.surprise_here_bits
    assert kept.as_json()["surprise_here_bits"] == round(kept.surprise_here_bits or 0, 2)
    words = in_words(kept)
    assert words.startswith("cat is seen at this place between 09:00 and 10:00 on about one day")
    assert f'title="{words}">{in_short(kept)}</p>' in page
    (receipt,) = why(tmp_path, finding.event.id)
    assert receipt.usual == words
    assert in_words(finding.event) == ""
