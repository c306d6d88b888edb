"""Hours that are proposed by when something was seen."""

import pytest

from app.feedback.when import When
from app.quieting.hours import usual
from tests.app.feedback.test_when import at


def hours(*clocks: tuple[int, int]) -> When | None:
    return usual([at(3 + number, *clock) for number, clock in enumerate(clocks)])


def test_the_hours_hold_every_time_with_room():
    assert hours((8, 40), (9, 5), (9, 50), (11, 20), (8, 50)) == When.parse("8-12")
    assert hours((8, 20), (9, 5), (9, 50), (11, 40), (8, 50)) == When.parse("7-13")


def test_hours_may_go_over_midnight():
    assert hours((23, 40), (0, 35), (1, 10), (22, 50), (0, 0)) == When.parse("22-2")
    assert hours((21, 40), (22, 35), (22, 45), (23, 20), (22, 0)) == When.parse("21-24")


def test_what_comes_at_most_hours_is_quiet_all_day():
    assert hours((1, 0), (6, 0), (11, 0), (16, 0), (21, 0)) == When()


@pytest.mark.parametrize("count", [0, 1, 4])
def test_few_times_tell_no_hours(count: int):
    assert usual([at(3 + number, 9) for number in range(count)]) is None


def test_always_at_the_same_minute_is_an_hour_or_two():
    assert hours(*[(9, 30)] * 5) == When.parse("9-10")
