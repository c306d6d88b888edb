"""A machine that cannot look at all that comes notices it, and when it can again."""

import pytest

from app.watching.pace import HURRIED_S, SLOW_S, Pace


class Day:
    """Seconds in each of which so many frames are looked at, and so many left out."""

    def __init__(self) -> None:
        self.pace = Pace()
        self._at_s, self._looked, self._left_out = 0, 0, 0

    def passes(self, seconds: float, looked: int, left_out: int) -> Pace:
        for _ in range(round(seconds)):
            self._at_s += 1
            self._looked, self._left_out = self._looked + looked, self._left_out + left_out
            self.pace.note(self._at_s, self._looked, self._left_out)
        return self.pace


def test_a_machine_that_keeps_up_is_neither_hurried_nor_slow():
    pace = Day().passes(300, 5, 0)
    assert (pace.hurried, pace.said) == (False, "")
    assert (Pace().hurried, Pace().said) == (False, "")


def test_it_is_hurried_at_once_and_for_as_long_as_it_leaves_frames_out():
    day = Day()
    day.passes(100, 5, 0)
    assert day.passes(3, 3, 2).hurried
    assert day.passes(HURRIED_S / 2, 5, 0).hurried
    assert not day.passes(HURRIED_S / 2, 5, 0).hurried


def test_a_frame_now_and_then_hurries_nobody():
    day = Day()
    day.passes(100, 5, 0)
    assert not day.passes(1, 4, 1).hurried


def test_it_is_slow_after_a_minute_and_says_how_much_is_looked_at():
    day = Day()
    assert day.passes(SLOW_S - 5, 2, 3).said == ""
    assert "looks at 2.0 of 5.0 frames a second" in day.passes(10, 2, 3).said


def test_a_short_rush_is_not_told():
    day = Day()
    day.passes(100, 5, 0)
    assert day.passes(20, 1, 4).said == ""


def test_it_is_told_until_hardly_any_frame_is_left_out():
    day = Day()
    day.passes(100, 2, 3)
    assert day.passes(2 * SLOW_S, 4, 1).said
    assert day.passes(2 * SLOW_S, 5, 0).said == ""


def test_no_frames_are_no_slowness():
    day = Day()
    day.passes(100, 2, 3)
    assert day.passes(2 * SLOW_S, 0, 0).said == ""


@pytest.mark.parametrize("again", [True, False])
def test_what_was_left_out_while_it_caught_up_does_not_count(again: bool):
    day = Day()
    day.passes(100, 1, 4)
    if again:
        day.pace.begin()
    assert bool(day.passes(1, 5, 0).said) is not again
