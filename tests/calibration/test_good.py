"""Thresholds from good things alone."""

import numpy as np
import pytest

from calibration.good import good_threshold


def test_with_enough_seen_it_is_counted():
    found = good_threshold(range(1, 100), 0.05)
    # The fifth highest of 99: five of a hundred ranks lie above it.
    assert (found.value, found.how, found.share, found.seen) == (95, "counted", 0.05, 99)


def test_with_too_little_seen_it_is_extrapolated_beyond_the_highest():
    found = good_threshold([1.0, 1.1, 1.2, 1.3, 1.4, 1.5], 0.01)
    assert found.how == "extrapolated"
    assert found.value > 1.5
    assert good_threshold([1.0, 1.1, 1.2, 1.3, 1.4, 1.5], 0.001).value > found.value


@pytest.mark.parametrize(("seen", "share"), [(30, 0.1), (99, 0.01), (400, 0.02)])
def test_no_more_good_things_lie_above_than_promised(seen: int, share: float):
    rng = np.random.default_rng(seen)
    above = [
        (rng.gamma(4, 1, 1000) > good_threshold(rng.gamma(4, 1, seen), share).value).mean()
        for _ in range(200)
    ]
    assert share / 2 < float(np.mean(above)) <= share * 1.1


def test_extrapolation_comes_near_its_share():
    rng = np.random.default_rng(1)
    above = [
        (rng.gamma(4, 1, 1000) > good_threshold(rng.gamma(4, 1, 24), 0.01).value).mean()
        for _ in range(300)
    ]
    assert 0.003 < float(np.mean(above)) < 0.02


@pytest.mark.parametrize("scores", [[], [1.0], [1.0, float("nan")]])
def test_nothing_to_go_by_is_refused(scores: list[float]):
    with pytest.raises(ValueError, match="at least 2 finite ones"):
        good_threshold(scores, 0.1)


def test_scores_that_are_all_alike_leave_room():
    assert good_threshold([1.0] * 8, 0.01).value > 1.0
