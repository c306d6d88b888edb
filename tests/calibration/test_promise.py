"""What a promise says, and what footage can show of it."""

import numpy as np
import pytest

from calibration.promise import (
    CEILING,
    DEFAULT,
    FLOOR,
    Promise,
    at_bar,
    keep,
    rate_at,
    told_hours,
)
from calibration.tail import Scores, fit_tail, scores_of
from novic.errors import UsageError


def levels(hours: float, usual: float, spread: float, seed: int = 0) -> Scores:
    """Candidates every 20 s whose opening levels have an exponential tail."""
    rng = np.random.default_rng(seed)
    times = np.arange(0, hours * 3600, 20.0)
    return scores_of(times, usual + rng.exponential(spread, len(times)), hours)


class TestWords:
    @pytest.mark.parametrize(
        ("text", "per_hour"),
        [
            ("1/day", 1 / 24),
            ("2/hour", 2),
            ("0.5/h", 0.5),
            ("1/Week", 1 / 168),
            (" 3 per day ", 1 / 8),
            ("1 per an hour", 1),
        ],
    )
    def test_are_read(self, text: str, per_hour: float):
        assert Promise.parse(text).per_hour == pytest.approx(per_hour)

    @pytest.mark.parametrize("text", ["", "1", "day", "1/month", "-1/day", "nan/day", "1/day/day"])
    def test_of_no_promise_are_refused(self, text: str):
        with pytest.raises(UsageError, match="write a number per hour, day or week, as 1/day"):
            Promise.parse(text)

    @pytest.mark.parametrize("text", ["0/day", "0.001/week", "9999/hour"])
    def test_that_nobody_can_mean_are_refused(self, text: str):
        with pytest.raises(UsageError, match="must be between one a year and 3600/hour"):
            Promise.parse(text)

    def test_come_back(self):
        assert str(Promise.parse("0.5/d")) == "0.5/day"


class TestFootage:
    def test_nine_minutes_show_one_an_hour_but_not_one_a_day(self):
        tail = fit_tail(levels(0.15, 0.5, 0.02), lowest=0.4)
        assert keep(DEFAULT, [tail], 0.8).shown
        kept = keep(Promise(1, "day"), [tail], 0.8)
        assert not kept.shown
        assert kept.factor == 0.8
        assert kept.per_hour is None

    def test_a_calm_view_is_looked_at_down_to_the_floor(self):
        kept = keep(DEFAULT, [fit_tail(levels(2, 0.3, 0.01), lowest=0.2)], 0.8)
        assert (kept.factor, kept.bound) == (FLOOR, "floor")
        assert kept.per_hour == pytest.approx(1 / 20)

    def test_a_restless_view_has_the_factor_that_its_tail_asks_for(self):
        footage = levels(4, 0.5, 0.05)
        kept = keep(DEFAULT, [fit_tail(footage, lowest=0.4)], 0.8)
        assert kept.bound == "tail"
        assert FLOOR < kept.factor < CEILING
        assert kept.shown
        more = levels(100, 0.5, 0.05, seed=1)
        assert (more.values > kept.factor).sum() / 100 == pytest.approx(1, abs=0.7)

    def test_a_view_that_would_need_blinding_is_not_blinded_and_says_so(self):
        kept = keep(DEFAULT, [fit_tail(levels(2, 1.4, 0.3), lowest=0.4)], 0.8)
        assert (kept.factor, kept.bound) == (CEILING, "ceiling")
        assert not kept.shown
        assert kept.per_hour is not None
        assert kept.per_hour > 20

    def test_what_too_little_footage_has_seen_binds_even_so(self):
        tail = fit_tail(scores_of([5.0], [0.93], 1 / 60), lowest=0.4)
        assert keep(DEFAULT, [tail], 0.7).factor == 0.93


@pytest.mark.parametrize(
    ("hours", "told"),
    [(0.02, "72 s"), (0.15, "9 min"), (7.667, "7 h 40 min"), (2, "2 h"), (72, "3 days")],
)
def test_lengths_are_told_for_people(hours: float, told: str):
    assert told_hours(hours) == told


def test_below_a_tail_nobody_knows_how_many_events_a_bar_makes():
    low, high = fit_tail(levels(5, 0.3, 0.05)), fit_tail(levels(5, 0.6, 0.05))
    assert low.level < 0.5 < high.level
    assert rate_at([high], 0.5) is None
    assert rate_at([low, high], 0.5) == rate_at([low], 0.5)
    assert rate_at([], 1.0) is None
    assert at_bar(DEFAULT, [high], 0.5).per_hour is None
    assert at_bar(DEFAULT, [high], 0.9).per_hour == rate_at([high], 0.9)
