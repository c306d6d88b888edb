"""How often a noun is expected at a place and hour."""

import numpy as np
import pytest

from app.habits.rates import GRID, HOURS, History, chance

PLACE = (1, 2)
SHARE = 0.01


def a_history(days: float, *came: tuple[str, int, float]) -> History:
    """Days without a break, with (noun, hour, events) at PLACE."""
    counts: dict[str, np.ndarray] = {}
    for noun, hour, events in came:
        counts.setdefault(noun, np.zeros((*GRID, HOURS)))[(*PLACE, hour)] += events
    return History(np.full(HOURS, days), counts, sum(events for *_, events in came))


def at(history: History, hour: int, place: tuple[int, int] = PLACE, noun: str = "cat") -> float:
    return chance(history, noun, (*place, hour), SHARE)


def test_what_came_every_day_at_an_hour_is_expected_then_and_less_further_away():
    history = a_history(28, ("cat", 9, 28))
    told = [at(history, hour) for hour in (9, 10, 12, 21)]
    assert told == sorted(told, reverse=True)
    assert told[0] > 0.25
    assert told[3] < 0.01


def test_hours_go_round_at_midnight():
    history = a_history(28, ("cat", 23, 28))
    assert at(history, 0) == pytest.approx(at(history, 22))


def test_places_further_away_are_less_expected():
    history = a_history(28, ("cat", 9, 28))
    assert at(history, 9) > at(history, 9, (1, 1)) > at(history, 9, (1, 0))


def test_another_noun_is_expected_by_its_dictionary_alone():
    history = a_history(28, ("cat", 9, 28))
    seldom = chance(history, "fox", (*PLACE, 9), 0.001)
    often = chance(history, "fox", (*PLACE, 9), 0.1)
    assert 0 < seldom < often < at(history, 9)


def test_the_more_was_watched_without_it_the_less_is_it_expected():
    told = [at(a_history(days, ("dog", 9, days)), 9) for days in (3, 10, 60)]
    assert told == sorted(told, reverse=True)


def test_where_nothing_ever_came_every_chance_is_above_none():
    assert 0 < at(a_history(3), 9) < 0.01
