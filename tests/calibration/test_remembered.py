"""What is remembered of normal footage."""

import json
import math

import numpy as np
import pytest

from calibration.levels import Level, Seen
from calibration.promise import DEFAULT, keep
from calibration.remembered import DAYS, MOST, RememberedLevels

DAY_S = 86_400.0


def an_hour(from_s: float, seed: int = 0, usual: float = 0.5, below: float = math.inf) -> Seen:
    """Footage in which something stirs every 30 s, most of it a little."""
    rng = np.random.default_rng(seed)
    times = np.arange(from_s, from_s + 3600, 30.0)
    values = usual + rng.exponential(0.05, len(times))
    levels = [Level(float(t), float(v)) for t, v in zip(times, values, strict=True) if v < below]
    return Seen(1.0, tuple(levels), tuple(levels))


def test_nothing_is_told_without_footage():
    evidence = RememberedLevels(0.4)
    evidence.add(Seen(), 0)
    assert evidence.tails() == []
    assert evidence.hours == 0


def test_hours_of_one_day_and_of_another_add_up():
    evidence = RememberedLevels(0.4)
    for hour in (0, 1, 30):
        evidence.add(an_hour(hour * 3600.0), hour * 3600.0 + 3599)
    assert evidence.hours == 3
    assert all(tail.hours == 3 for tail in evidence.tails())


def test_days_long_ago_are_forgotten_but_not_what_was_learned():
    evidence = RememberedLevels(0.4)
    evidence.add(an_hour(0), 0)
    for day in range(DAYS + 3):
        evidence.add(an_hour(day * DAY_S), day * DAY_S, cut=0.9)
    assert evidence.hours == DAYS + 1


def test_it_comes_back_from_a_file_as_it_was():
    evidence = RememberedLevels(0.4)
    evidence.add(an_hour(0), 0)
    evidence.add(an_hour(DAY_S), DAY_S, cut=0.8)
    again = RememberedLevels.of(json.loads(json.dumps(evidence.facts())))
    assert again.facts() == evidence.facts()
    assert again.tails() == evidence.tails()


def test_only_the_highest_levels_are_kept_and_it_is_known_from_where():
    evidence = RememberedLevels(0.4)
    for hour in range(24):
        evidence.add(an_hour(hour * 3600.0, seed=hour), hour * 3600.0)
    facts = evidence.facts()["stretches"][0]
    assert len(facts["levels"]) <= MOST
    assert min(value for _, value in facts["levels"]) > facts["levels_from"] > 0.4
    kept = keep(DEFAULT, evidence.tails(), 0.8)
    assert kept.shown
    more = [one.value for s in range(100, 150) for one in an_hour(0, seed=s).levels]
    assert np.sum(np.array(more) > kept.factor) / 50 == pytest.approx(1, abs=0.6)


def test_what_events_hid_is_made_up_for():
    whole, cut = RememberedLevels(0.4), RememberedLevels(0.4)
    for hour in range(10):
        whole.add(an_hour(hour * 3600.0, seed=hour), hour * 3600.0)
        cut.add(an_hour(hour * 3600.0, seed=hour, below=0.62), hour * 3600.0, cut=0.62)
    levels = [evidence.tails()[0].threshold(1) for evidence in (whole, cut)]
    assert levels[1] > 0.66
    assert levels[1] == pytest.approx(levels[0], abs=0.1)


@pytest.mark.parametrize(
    "change",
    [{"lowest": "a"}, {"lowest": -1}, {"stretches": [{}]}, {"stretches": 3}, {"lowest": True}],
)
def test_what_is_no_evidence_is_refused(change: dict[str, object]):
    with pytest.raises((KeyError, TypeError, ValueError)):
        RememberedLevels.of({"lowest": 0.4, "stretches": [], **change})
