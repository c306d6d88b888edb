"""What is given up of a store by age and by bytes, and what never is."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import UsageError
from app.events.event import Finding
from app.events.giving_up import SIGHTINGS, retain, used_bytes
from app.events.keep import keep
from app.events.media_files import media_files
from app.events.moment import Moment
from app.events.retention import RetentionRule
from app.events.schema import STORE
from app.events.store import Changes, SourceProgress, Store
from app.feedback.answers import Answer, keep_answer
from app.sources.base import Gap
from detectors.types import Box
from tests.app.events.findings import BOX, a_finding

DAY_S = 86_400.0
NOW_US = round(100 * DAY_S * 1e6)
MONTH = RetentionRule(days=30, gigabytes=None)


def dated(day: float, **changes: object) -> Finding:
    """An event of a day since the first one, closed."""
    start_us = round(day * DAY_S * 1e6)
    finding = a_finding(0, day * DAY_S)
    event = replace(
        finding.event,
        id=f"{start_us:014x}-abc",
        start_us=start_us,
        end_us=start_us + 2_000_000,
        video="",
        **changes,
    )
    return replace(finding, event=event)


def _moment(at_s: float) -> Moment:
    at_us = round(at_s * 1e6)
    return Moment("hall", at_s, at_s + 1, at_us, at_us, BOX, 1.0, 1.0, "light")


def filled(folder: Path, *findings: Finding, sinks: tuple[str, ...] = ()) -> None:
    """A store of a watch that began 100 days ago, with a second, a gap and a near miss a day."""
    with Store(folder, sinks=sinks) as store:
        run = store.begin_run("watch", {})
        source = SourceProgress("hall", "rtsp://hall", (60, 80), 0.0, 0.0, start_us=0)
        days = range(100)
        moments = [_moment(day * DAY_S) for day in days]
        gaps = [Gap(round(d * DAY_S * 1e6), round(d * DAY_S * 1e6) + 1, "ended", "") for d in days]
        peaks = {round(d * DAY_S): 0.5 for d in days}
        store.save(run.id, Changes(source, findings, peaks=peaks, gaps=gaps, moments=moments))


def days_of(folder: Path) -> list[int]:
    with Store(folder) as store:
        return [round(event.start_us / 1e6 / DAY_S) for event in store.events(1)]


def count(folder: Path, table: str) -> int:
    with closing(sqlite3.connect(folder / STORE)) as database:
        return database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: S608


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    filled(tmp_path, *(dated(day) for day in range(0, 100, 10)))
    return tmp_path


def test_what_is_too_old_goes_whole_and_a_dry_run_says_so_before(folder: Path):
    planned = retain(folder, MONTH, dry=True, now_us=NOW_US)
    assert days_of(folder) == [*range(0, 100, 10)]
    done = retain(folder, MONTH, now_us=NOW_US)
    assert days_of(folder) == [70, 80, 90]
    assert (done.events, done.files) == (7, {"crops": 7, "heat": 7, "snapshots": 7})
    assert (planned.events, planned.files, planned.rows) == (done.events, done.files, done.rows)
    assert (done.oldest_us, done.newest_us) == (0, round(60 * DAY_S * 1e6))
    assert planned.file_bytes == done.file_bytes > 0
    assert [count(folder, name) for name in ("second", "gap", "moment")] == [30, 30, 30]
    assert count(folder, "sighting") == 2 * 3
    assert len(media_files(folder)) == 9
    assert retain(folder, MONTH, now_us=NOW_US).nothing


def test_of_what_is_beyond_the_bytes_the_pictures_go_and_the_rows_stay(folder: Path):
    files = media_files(folder)
    whole, heat = (
        sum(one.size for one in files if one.kind in kind)
        for kind in (("crops", "heat", "snapshots"), ("heat",))
    )
    with closing(sqlite3.connect(folder / STORE)) as database:
        allowed = used_bytes(database) + whole - heat // 10 - 1
    rule = RetentionRule(days=None, gigabytes=allowed / 1e9)
    done = retain(folder, rule, now_us=NOW_US)
    assert len(days_of(folder)) == 10
    assert (done.files, done.over_bytes) == ({"crops": 1, "heat": 1}, 0)
    assert done.newest_us == 0
    none = retain(folder, RetentionRule(days=None, gigabytes=1e-9), now_us=NOW_US)
    assert media_files(folder) == []
    assert none.over_bytes == none.bytes_left - 1
    assert len(days_of(folder)) == 10


def test_what_is_kept_open_or_not_told_yet_stays(tmp_path: Path):
    kept, open_, told = dated(1), dated(2, state="stationary", still_us=1), dated(3)
    filled(tmp_path, kept, open_, told)
    with Store(tmp_path, sinks=["webhook:a"]) as store, store.saving():
        store.outbox.put(told.event, ["webhook:a"], 0)
    keep(tmp_path, [kept.event.id])
    done = retain(tmp_path, RetentionRule(days=30, gigabytes=1e-9), now_us=NOW_US)
    assert (done.events, done.files, done.kept, done.waiting) == (0, {}, 2, 1)
    assert days_of(tmp_path) == [1, 2, 3]
    with Store(tmp_path) as store:
        store.outbox.taken(store.outbox.waiting("webhook:a", 1)[0])
    keep(tmp_path, [kept.event.id], kept=False)
    assert retain(tmp_path, MONTH, now_us=NOW_US).events == 2
    assert days_of(tmp_path) == [2]


def test_a_kept_event_outlives_that_the_watch_saves_it_again(tmp_path: Path):
    one = dated(1)
    filled(tmp_path, one)
    keep(tmp_path, [one.event.id])
    with Store(tmp_path) as store:
        source = store.sources(1)[0]
        store.save(1, Changes(source, [one]))
    assert retain(tmp_path, MONTH, now_us=NOW_US).kept == 1


def test_an_event_that_there_is_not_cannot_be_kept(folder: Path):
    with pytest.raises(UsageError, match="holds no event nothing"):
        keep(folder, ["nothing"])


def test_what_was_confirmed_stays_where_the_rule_says_so(folder: Path):
    with Store(folder) as store:
        oldest = store.events(1)[0].id
    keep_answer(folder, Answer(oldest, "false_alarm"))
    keep_answer(folder, Answer(oldest, "confirmed"))
    assert retain(folder, MONTH, now_us=NOW_US).events == 6
    assert days_of(folder)[0] == 0
    assert retain(folder, replace(MONTH, keep_confirmed=False), now_us=NOW_US).events == 1


def test_steps_are_small_and_the_rest_waits_for_the_next_time(tmp_path: Path):
    path = tuple((number / 5, Box(1, 1, 5, 5), 1.0) for number in range(SIGHTINGS))
    filled(tmp_path, *(replace(dated(day), path=path) for day in range(5)))
    assert retain(tmp_path, MONTH, now_us=NOW_US, pause=lambda: True).events == 1
    assert days_of(tmp_path) == [1, 2, 3, 4]
    size = (tmp_path / STORE).stat().st_size
    assert retain(tmp_path, MONTH, now_us=NOW_US).events == 4
    assert (tmp_path / STORE).stat().st_size < size / 2


@pytest.mark.parametrize(("days", "gigabytes"), [(0.0, None), (None, -1.0)])
def test_nothing_and_less_is_no_rule(days: float | None, gigabytes: float | None):
    with pytest.raises(UsageError, match="is not more than 0"):
        RetentionRule(days, gigabytes)
