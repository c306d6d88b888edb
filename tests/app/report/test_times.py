"""Clock times say what they rest on, in the zone of the machine that writes."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.events.store import SourceProgress, Store
from app.progress import clock as whole_clock
from app.report.times import basis, clock, day, local, since, wall, zone
from tests.app.report.runs import BEGAN_US, a_run, a_source


@pytest.fixture
def machine_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Puts this process into a time zone."""

    def move(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.0"), (59.96, "1:00.0"), (75.25, "1:15.2"), (3600, "1:00:00"), (7325.9, "2:02:05")],
)
def test_times_read_well(seconds: float, text: str):
    assert clock(seconds) == text


def test_marks_are_whole_seconds():
    assert [whole_clock(at) for at in (0, 62, 3600)] == ["0:00", "1:02", "1:00:00"]


@pytest.mark.parametrize(
    ("where", "said", "named"),
    [
        ("UTC", "2026-11-29 20:53:20 UTC", "UTC"),
        ("CET-1", "2026-11-29 21:53:20 CET", "CET (UTC+01:00)"),
        ("<-0330>3:30", "2026-11-29 17:23:20 -0330", "-0330 (UTC-03:30)"),
    ],
)
def test_a_time_is_told_in_the_machines_zone_which_is_named(
    machine_in: Callable[[str], None], where: str, said: str, named: str
):
    machine_in(where)
    assert (day(BEGAN_US), zone(BEGAN_US)) == (said, named)


def test_a_clock_that_is_guessed_is_never_told_as_a_fact(machine_in: Callable[[str], None]):
    machine_in("UTC")
    fact = "2026-11-29 20:53:20 UTC"
    assert [wall(BEGAN_US, basis) for basis in ("given", "container", "arrival")] == [fact] * 3
    assert wall(BEGAN_US, "modified") == f"about {fact}"
    assert wall(BEGAN_US, "") == ""


@pytest.mark.parametrize(
    ("kind", "source", "rests_on"),
    [
        ("watch", a_source(time_from="arrival"), "arrival"),
        ("watch", a_source(time_from="modified", uri="shift.mp4"), "modified"),
        ("watch", a_source(time_from=""), "arrival"),
        ("watch", a_source(time_from="", uri="shift.mp4"), ""),
        ("audit", a_source(time_from=""), ""),
    ],
)
def test_what_a_clock_rests_on_is_never_made_up(
    tmp_path: Path, kind: str, source: SourceProgress, rests_on: str
):
    with Store(tmp_path) as store:
        run = a_run(store, kind=kind, source=source)
        assert basis(run, source) == rests_on


def test_when_something_began_has_its_day_where_that_is_another():
    noon = 1_764_504_000_000_000
    at, hour = local(noon), 3_600_000_000
    assert since(noon, noon + hour // 2) == f"{at:%H:%M}"
    assert since(noon, noon + 30 * hour) == f"{at:%Y-%m-%d %H:%M}"
