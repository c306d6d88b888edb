"""When a calibration no longer holds, told by bets against it."""

import numpy as np
import pytest

from calibration.betting import SLACK, Betting


def bet(
    seed: int,
    count: int,
    alpha: float,
    change_at: int = 10**9,
    shift: float = 0.0,
    slack: float = 0.0,
) -> Betting:
    """Minutes of one camera, whose scores change at one of them."""
    rng = np.random.default_rng(seed)
    betting = Betting(rng.exponential(size=80), alpha, seed, slack)
    for number in range(count):
        score = rng.exponential() + (shift if number >= change_at else 0.0)
        betting.see(score, number * 60_000_000)
    return betting


def test_a_calibration_that_holds_is_called_void_as_rarely_as_promised():
    void = sum(bet(seed, 300, alpha=0.05).void is not None for seed in range(100))
    # Of 100 streams 5 are expected at most; 11 or more would come by chance once in 90 times.
    assert void <= 10


def test_scores_that_are_all_equal_void_nothing():
    betting = Betting([1.0] * 50, 0.05)
    assert not any(betting.see(1.0, number) for number in range(300))


@pytest.mark.parametrize("shift", [1.5, -0.8])
def test_a_change_is_noticed_and_dated(shift: float):
    voids = [bet(seed, 400, 0.01, change_at=150, shift=shift).void for seed in range(20)]
    found = [one for one in voids if one is not None]
    assert len(found) >= 19
    late = np.array([one.noticed_us for one in found]) / 60e6 - 150
    since = np.array([one.since_us for one in found]) / 60e6 - 150
    assert 0 <= np.median(late) <= 60
    assert abs(np.median(since)) <= 20


def test_with_slack_a_small_change_voids_nothing_and_a_large_one_does():
    # By .15 the mean rank comes to .57, by 1.5 to .89.
    small = [bet(seed, 400, 0.01, change_at=0, shift=0.15, slack=SLACK).void for seed in range(30)]
    assert small == [None] * 30
    large = [bet(seed, 200, 0.01, change_at=50, shift=1.5, slack=SLACK).void for seed in range(10)]
    found = [one for one in large if one is not None]
    assert len(found) == 10
    assert np.median([one.noticed_us / 60e6 - 50 for one in found]) <= 40


def test_once_void_it_stays_void_and_a_clock_that_goes_back_harms_nothing():
    betting = bet(3, 300, 0.01, change_at=50, shift=3.0)
    void = betting.void
    assert void is not None
    assert betting.see(0.1, 5)
    assert betting.void == void
    assert np.isfinite(betting.log_fortune)


def test_what_cannot_be_ranked_is_refused_and_changes_nothing():
    betting = Betting([1.0, 2.0], 0.01)
    before = betting.log_fortune
    with pytest.raises(ValueError, match="cannot be ranked"):
        betting.see(float("nan"), 0)
    assert (betting.log_fortune, betting.seen) == (before, 0)
    with pytest.raises(ValueError, match="finite"):
        Betting([])
    with pytest.raises(ValueError, match="finite"):
        Betting([float("inf")])
    with pytest.raises(ValueError, match="alpha"):
        Betting([1.0], 0.0)
    with pytest.raises(ValueError, match="slack"):
        Betting([1.0], slack=0.5)


def test_waiting_for_a_week_costs_little_and_a_change_after_it_is_noticed_soon():
    quiet = 50_000
    betting = bet(7, quiet, 0.01, slack=SLACK)
    assert betting.void is None
    # Without cash it falls for as long as nothing happens, by dozens in a week.
    assert betting.log_fortune > -np.log(quiet)
    rng = np.random.default_rng(8)
    for number in range(quiet, quiet + 120):
        betting.see(1.5 + rng.exponential(), number * 60_000_000)
    assert betting.void is not None
    assert betting.void.noticed_us / 60e6 - quiet <= 90
    assert abs(betting.void.since_us / 60e6 - quiet) <= 20


def test_what_waits_as_cash_does_not_break_the_promise_with_slack():
    # The mean rank lies as far from the middle as slack allows: no bet may win on average.
    rng, void = np.random.default_rng(4), 0
    for seed in range(60):
        betting = Betting(np.arange(10_000) / 10_000, 0.05, seed, SLACK)
        void += any(betting.see(rng.random() ** (2 / 3), number) for number in range(300))
    # 3 are expected at most; 9 or more would come by chance once in 350 times.
    assert void <= 8


def test_the_lowest_fortune_is_told_by_number_also_where_times_come_twice():
    rng = np.random.default_rng(5)
    betting = Betting(rng.exponential(size=80), slack=SLACK)
    for number in range(200):
        shift = 2.0 if number >= 150 else 0.0
        betting.see(rng.exponential() + shift, 1_000_000 * (number % 100))
    assert betting.void is not None
    assert 130 <= betting.lowest <= 155
    assert betting.void.since_us == 1_000_000 * ((betting.lowest - 1) % 100)
