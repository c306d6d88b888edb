"""Rates of rare scores, against streams whose rates are known."""

import numpy as np
import pytest

from calibration.tail import (
    Pareto,
    clusters,
    fit_tail,
    likeliest,
    moments,
    scores_of,
)
from tests.calibration.streams import stream


def realised(score: float, tail: str, hours: float = 60) -> float:
    """Occurrences an hour above a score in footage that was not fitted."""
    return len(clusters(stream(hours, 999, tail), score)) / hours


class TestClusters:
    def test_scores_within_ten_seconds_are_one_occurrence_and_its_highest_counts(self):
        scores = scores_of([0, 4, 13, 23, 40], [2, 5, 3, 4, 1.5], 1)
        assert clusters(scores, 1.0).tolist() == [5, 4, 1.5]

    def test_scores_at_the_level_are_none(self):
        assert clusters(scores_of([0, 1], [1, 1], 1), 1.0).tolist() == []

    def test_a_gap_in_time_parts_what_lies_side_by_side(self):
        scores = scores_of([0, 1, 500, 501], [2, 3, 4, 2], 1)
        assert clusters(scores, 1.0).tolist() == [3, 4]

    def test_a_clock_that_goes_back_begins_anew(self):
        scores = scores_of([100, 101, 99, 100], [2, 3, 4, 2], 1)
        assert clusters(scores, 1.0).tolist() == [3, 4]


class TestPareto:
    @pytest.mark.parametrize("shape", [-0.3, -1e-5, 0.0, 1e-5, 0.3])
    def test_rate_and_excess_are_inverse(self, shape: float):
        fit = Pareto(shape, 0.2, 30)
        for per_hour in (20, 1, 0.1):
            assert fit.rate(fit.excess(per_hour)) == pytest.approx(per_hour)

    def test_it_is_steady_where_the_shape_becomes_0(self):
        below, none, above = (Pareto(shape, 0.2, 30).rate(0.5) for shape in (-2e-6, 0.0, 2e-6))
        assert below == pytest.approx(none, rel=1e-4)
        assert above == pytest.approx(none, rel=1e-4)

    @pytest.mark.parametrize("shape", [-0.3, 0.0, 0.3])
    def test_both_fits_find_the_shape_and_scale_of_many(self, shape: float):
        from scipy.stats import genpareto

        drawn = np.asarray(genpareto.rvs(shape, scale=2, size=4000, random_state=3))
        for fit in (moments(drawn, 1), likeliest(drawn, 1)):
            assert fit.shape == pytest.approx(shape, abs=0.06)
            assert fit.scale == pytest.approx(2, rel=0.08)

    def test_nothing_happens_beyond_the_end_of_a_bounded_tail(self):
        assert Pareto(-0.5, 1.0, 30).rate(2.5) == 0

    def test_what_happens_more_rarely_than_asked_needs_no_excess(self):
        assert Pareto(0.1, 1.0, 0.5).excess(1) == 0


class TestTail:
    @pytest.mark.parametrize("tail", ["exponential", "normal"])
    def test_two_hours_keep_one_an_hour(self, tail: str):
        kept = [realised(fit_tail(stream(2, s, tail)).threshold(1), tail) for s in range(6)]
        assert 0.4 <= np.median(kept) <= 1.6

    def test_the_bound_is_above_the_best_guess(self):
        tail = fit_tail(stream(2, 0))
        assert tail.threshold(1) > tail.threshold(1, None)
        assert tail.rate(8.0, 0.8) > tail.rate(8.0)

    def test_rate_and_threshold_are_inverse(self):
        tail = fit_tail(stream(2, 0))
        assert tail.rate(tail.threshold(0.5, None)) == pytest.approx(0.5)
        assert tail.rate(tail.threshold(0.5), 0.8) == pytest.approx(0.5, rel=0.05)

    def test_nine_minutes_do_not_promise_too_much(self):
        kept = [realised(fit_tail(stream(0.15, s)).threshold(1), "exponential") for s in range(6)]
        assert np.median(kept) <= 1.2

    def test_footage_shows_no_more_than_one_in_ten_times_its_length(self):
        assert fit_tail(stream(2, 0)).rarest == pytest.approx(1 / 20)

    def test_few_occurrences_are_counted_not_fitted(self):
        tail = fit_tail(scores_of([0, 60, 120], [0.7, 0.9, 0.8], 0.1), lowest=0.5)
        assert not tail.fitted
        assert tail.rate(0.75) == pytest.approx(20)
        assert tail.threshold(tail.rarest) == 0.9
        assert tail.rarest == pytest.approx(16.1, abs=0.1)

    def test_footage_in_which_nothing_stirs_has_the_lowest_level_for_its_threshold(self):
        tail = fit_tail(scores_of([], [], 2), lowest=0.5)
        assert tail.threshold(1) == 0.5
        assert tail.rate(0.5) == 0
        assert tail.rate(0.5, 0.8) == pytest.approx(0.805, abs=0.01)

    def test_constant_scores_have_a_threshold_above_them(self):
        times = np.arange(0, 3600, 20.0)
        tail = fit_tail(scores_of(times, np.full(len(times), 0.6), 1), lowest=0.3)
        assert tail.fitted
        assert 0.6 < tail.threshold(1) < np.inf


class TestScores:
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_a_score_that_is_no_number_is_refused(self, value: float):
        with pytest.raises(ValueError, match="not a finite number"):
            scores_of([0.0], [value], 1)

    def test_no_time_is_refused(self):
        with pytest.raises(ValueError, match="0 hours of footage: must be above 0"):
            scores_of([], [], 0)

    def test_lengths_that_differ_are_refused(self):
        with pytest.raises(ValueError, match=r"\(1,\) times for \(2,\) scores"):
            scores_of([0.0], [1.0, 2.0], 1)
