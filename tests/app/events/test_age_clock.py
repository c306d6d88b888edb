"""A clock that was set years ahead makes nothing too old."""

import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.events.age_clock import CLOCK, AgeClock, believe
from app.events.giving_up import retain
from app.events.moment import Moment
from app.events.retaining import Doubt, retaining
from app.events.store import Changes, SourceProgress, Store
from app.events.trace import SeenFrame, Trace
from tests.app.events.findings import BOX
from tests.app.events.test_giving_up import MONTH, count, dated, days_of, filled

DAY_S = 86_400
TODAY_DAY = 21_000
"""Days since 1970."""
YEARS = 14 * 365


@dataclass
class Machine:
    """A clock that anybody can set."""

    day: float
    ran_s: float = 0.0

    def __call__(self) -> tuple[int, float]:
        return round(self.day * DAY_S * 1e6), self.ran_s

    def passes(self, days: float) -> None:
        self.day, self.ran_s = self.day + days, self.ran_s + days * DAY_S


def day_by(clock: AgeClock) -> float:
    return clock.time_us() / 1e6 / DAY_S


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    filled(tmp_path, dated(TODAY_DAY - 10), dated(TODAY_DAY - 1))
    return tmp_path


def test_a_clock_that_jumps_ahead_is_doubted_until_it_is_set_back(folder: Path):
    machine = Machine(TODAY_DAY - 0.5)
    clock = AgeClock(folder, machine)
    assert (day_by(clock), clock.said) == (TODAY_DAY - 0.5, "")
    machine.passes(0.25)
    machine.day += YEARS
    assert day_by(clock) == pytest.approx(TODAY_DAY - 0.25)
    assert clock.seen
    assert clock.said.startswith("The clock of this machine says 2041-")
    assert "5110 days later" in clock.said
    machine.passes(0.25)
    assert day_by(clock) == pytest.approx(TODAY_DAY)
    machine.day -= YEARS
    assert (day_by(clock), clock.said, clock.seen) == (TODAY_DAY, "", False)


def test_it_is_believed_after_a_week_also_in_parts_or_once_somebody_says_so(folder: Path):
    machine = Machine(TODAY_DAY)
    clock = AgeClock(folder, machine)
    clock.time_us()
    machine.day += YEARS
    day_by(clock)
    machine.passes(4)
    assert day_by(clock) == pytest.approx(TODAY_DAY + 4)
    clock = AgeClock(folder, machine)
    assert day_by(clock) == pytest.approx(TODAY_DAY + 4)
    assert clock.seen
    machine.passes(3.1)
    assert day_by(clock) == pytest.approx(TODAY_DAY + YEARS + 7.1)
    machine.day += YEARS
    assert day_by(clock) < machine.day - YEARS + 1
    believe(folder, machine)
    assert (day_by(clock), clock.said) == (pytest.approx(machine.day), "")


def test_a_long_pause_is_doubted_too_but_it_is_not_seen_as_a_jump(folder: Path):
    clock = AgeClock(folder, Machine(TODAY_DAY + 20))
    assert day_by(clock) == pytest.approx(TODAY_DAY - 1, abs=0.01)
    assert (bool(clock.said), clock.seen) == (True, False)


def test_a_clock_that_is_not_set_yet_or_is_set_back_for_a_while_changes_nothing(folder: Path):
    machine = Machine(0.1)
    clock = AgeClock(folder, machine)
    assert day_by(clock) == pytest.approx(0.1)
    assert not (folder / CLOCK).exists()
    machine.day = TODAY_DAY
    clock.time_us()
    machine.day -= 400
    assert (day_by(clock), clock.said) == (TODAY_DAY - 400, "")
    machine.day += 400
    assert (day_by(clock), clock.said) == (TODAY_DAY, "")


def test_without_anything_stored_or_readable_the_clock_is_believed(tmp_path: Path):
    (tmp_path / CLOCK).write_text("[")
    clock = AgeClock(tmp_path, Machine(TODAY_DAY))
    assert (day_by(clock), clock.said) == (TODAY_DAY, "")


def test_a_watch_gives_up_nothing_by_a_clock_that_is_years_ahead_and_says_so(folder: Path):
    machine, told = Machine(TODAY_DAY - 0.5), threading.Event()

    def wait_for(doubt: Doubt, said: bool) -> None:
        for _ in range(1000):
            if bool(doubt.said) == said:
                return
            told.wait(0.01)

    with retaining(folder, MONTH, print, first_s=0, every_s=0.01, clock=machine) as doubt:
        while not (folder / CLOCK).exists():
            told.wait(0.01)
        machine.day += YEARS
        wait_for(doubt, True)
        assert "nomaly retain" in doubt.said
        assert len(days_of(folder)) == 2
        machine.day -= YEARS
        wait_for(doubt, False)
    assert (len(days_of(folder)), doubt.said) == (2, "")


def test_near_misses_and_what_was_found_outlive_a_jump_too_but_no_month(tmp_path: Path):
    with Store(tmp_path) as store:
        run = store.begin_run("watch", {})
        source = SourceProgress("hall", "rtsp://hall", (60, 80), 0.0, 0.0, start_us=0)

        def save(at_day: float, clock_day: float) -> list[int]:
            at_s, at_us = at_day * DAY_S, round(clock_day * DAY_S * 1e6)
            moment = Moment("hall", at_s, at_s, at_us, at_us, BOX, 1.0, 1.0, "light")
            seen = SeenFrame(at_s, (), at_s)
            trace = Trace("hall", at_us, (seen,), at_s, at_s, (60, 80), 1.0, False)
            store.save(run.id, Changes(source, (), moments=[moment], traces=[trace]))
            return [count(tmp_path, "moment"), count(tmp_path, "trace")]

        assert save(1, TODAY_DAY) == [1, 1]
        assert save(2, TODAY_DAY + YEARS) == [2, 2]
        assert save(31.5, TODAY_DAY + YEARS + 29.5) == [2, 2]


def test_what_is_really_too_old_goes_while_the_clock_is_doubted(folder: Path):
    machine = Machine(TODAY_DAY)
    clock = AgeClock(folder, machine)
    clock.time_us()
    machine.passes(25)
    machine.day += YEARS
    retain(folder, MONTH, now_us=clock.time_us())
    assert days_of(folder) == [TODAY_DAY - 1]
