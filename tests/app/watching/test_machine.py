"""What is wrong with this machine is told once, and once that it no longer is."""

from dataclasses import replace

from app.watching.machine import CLOCK_AHEAD, DISK_FULL, READ_ONLY, TOO_SLOW, Machine
from tests.app.builders import a_frame

SAID = "Less than 500 MB are free."


def told(machine: Machine, at_s: float | None, disk: str = "", clock: str = "", pace: str = ""):
    frame = None if at_s is None else a_frame(at_s)
    return [one.event for one in machine.findings(disk, clock, pace, frame)]


def test_it_rings_once_and_ends_once():
    machine = Machine()
    assert told(machine, 0) == []
    (opened,) = told(machine, 1, SAID)
    assert (opened.name, opened.said, opened.rings) == (DISK_FULL, SAID, True)
    assert told(machine, 2, "Other words.") == []
    (closed,) = told(machine, 3)
    assert (closed.id, closed.state) == (opened.id, "closed")
    assert (closed.end_s, closed.rings) == (3.0, False)
    assert told(machine, 4) == []


def test_a_read_only_disk_has_a_name_of_its_own():
    said = "events.sqlite: cannot be used: attempt to write a readonly database"
    (opened,) = told(Machine(), 1, said)
    assert opened.name == READ_ONLY


def test_disk_clock_and_pace_are_three_things():
    machine = Machine()
    opened = told(machine, 1, SAID, "The clock is wrong.", "Too slow.")
    assert [one.name for one in opened] == [DISK_FULL, CLOCK_AHEAD, TOO_SLOW]
    assert [one.said for one in opened] == [SAID, "The clock is wrong.", "Too slow."]
    again = Machine(opened)
    closed = told(again, 9, SAID, pace="Too slow.")
    assert [(one.id, one.state) for one in closed] == [(opened[1].id, "closed")]
    assert [one.event.id for one in again.last(goes_on=False)] == [opened[0].id, opened[2].id]


def test_nothing_is_told_before_the_first_frame():
    machine = Machine()
    assert told(machine, None, SAID) == []
    assert len(told(machine, 1, SAID)) == 1


def test_a_watch_that_goes_on_does_not_ring_again():
    machine = Machine()
    (opened,) = told(machine, 1, SAID)
    assert machine.last(goes_on=True) == []
    again = Machine([opened])
    assert told(again, 9, SAID) == []
    (closed,) = told(again, 10)
    assert closed.id == opened.id
    over = Machine([replace(opened)])
    assert told(over, 9, SAID) == []
    (cut,) = over.last(goes_on=False)
    assert (cut.event.state, cut.event.cut) == ("closed", True)
