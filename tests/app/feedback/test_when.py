"""Hours and days as people type them."""

from datetime import datetime

import pytest

from app.errors import UsageError
from app.feedback.when import When


def at(day: int, hour: int, minute: int = 0) -> int:
    """A time of November 2026, whose second is a Monday, on this machine's clock."""
    return round(datetime(2026, 11, day, hour, minute).astimezone().timestamp() * 1e6)


def test_hours_begin_with_the_first_minute_and_end_before_the_last():
    when = When.parse("8-12:30")
    told = [when.holds(at(3, *clock)) for clock in ((7, 59), (8, 0), (12, 29), (12, 30))]
    assert told == [False, True, True, False]
    assert when.said == "8 to 12:30"


def test_what_goes_over_midnight_belongs_to_the_day_on_which_it_began():
    when = When.parse("22-6", "fri")
    told = [when.holds(at(*time)) for time in ((6, 21), (6, 23), (7, 5), (7, 6), (6, 5), (7, 23))]
    assert told == [False, True, True, False, False, False]
    assert when.said == "22 to 6, Fri"


def test_without_words_it_is_always():
    assert When.parse().always
    assert When.parse("0-24", "mon-sun") == When()
    assert all(When().holds(at(2, hour)) for hour in range(24))


def test_days_may_be_listed_or_go_over_the_weekend():
    assert When.parse(days="mon-fri").said == "Mon to Fri"
    assert When.parse(days="Saturday, sun").days == (5, 6)
    assert When.parse(days="sat-mon").days == (0, 5, 6)


@pytest.mark.parametrize("hours", ["8", "8-8", "25-26", "24-3", "8-12:75", "morning"])
def test_what_is_no_hours_is_refused_in_a_sentence(hours: str):
    with pytest.raises(UsageError, match=rf"--hours {hours}: are no hours of a day; write 8-12"):
        When.parse(hours)


def test_what_is_no_day_is_refused_in_a_sentence():
    with pytest.raises(UsageError, match="--days mon-foo: are no days; write mon-fri"):
        When.parse(days="mon-foo")
