"""Intervals of shares."""

import pytest

from novic.intervals import wilson


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)],
)
def test_shares_have_the_intervals_that_newcombe_1998_prints(
    hits: int, of: int, low: float, high: float
):
    assert wilson(hits, of) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_of_nothing_all_is_open():
    assert wilson(0, 0) == (0.0, 1.0)
