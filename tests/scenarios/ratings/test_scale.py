import math
from collections.abc import Sequence
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.ratings.records import RatingError, RawScores
from scenarios.ratings.scale import (
    auc,
    calibrate,
    displayed,
    frequency,
    fuse,
    log_odds,
    probability,
    rating,
    share_likely,
    total,
)

SEEN = [7, 8, 5, 9, 6, 7, 3, 8, 9, 6]
NEVER = [0, 1, 0, 2, 4, 0, 1, 3, 0, 5]

numbers = st.floats(-30, 30)
logits = st.floats(-20, 20)


def scores(seen: Sequence[float], never: Sequence[float]) -> RawScores:
    return RawScores(
        {},
        {},
        {f"seen {n}": raw for n, raw in enumerate(seen)},
        {f"never {n}": raw for n, raw in enumerate(never)},
    )


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=12),
    st.lists(st.integers(0, 9), min_size=1, max_size=12),
)
def test_auc_counts_pairs_in_order(seen: list[int], never: list[int]):
    pairs = [(s > n) + (s == n) / 2 for s in seen for n in never]
    assert auc(seen, never) == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)


def test_calibration_is_scikit_learns_logistic_regression():
    """Its LogisticRegression(C=1, tol=1e-12) on these digits, and refitted without each."""
    calibration = calibrate(scores(SEEN, NEVER))
    assert calibration.a == pytest.approx(0.99177572, abs=1e-6)
    assert calibration.b == pytest.approx(-4.2073593, abs=1e-6)
    assert calibration.log_loss == pytest.approx(0.32040170, abs=1e-6)
    assert calibration.auc == 0.97
    assert calibration.examples == 20
    assert calibration.logit(4.0) == pytest.approx(4 * 0.99177572 - 4.2073593, abs=1e-5)


@settings(max_examples=40)
@given(st.lists(numbers, min_size=8, max_size=15), st.lists(numbers, min_size=8, max_size=15))
def test_no_other_line_fits_the_examples_better(seen: list[float], never: list[float]):
    def objective(a: float, b: float) -> float:
        losses = [math.log1p(math.exp(-abs(a * x + b))) + max(0, -(a * x + b)) for x in seen]
        losses += [math.log1p(math.exp(-abs(a * x + b))) + max(0, a * x + b) for x in never]
        return a * a / 2 + sum(losses)

    try:
        fitted = calibrate(scores(seen, never))
    except RatingError:
        assert mean(seen) < mean(never) + 1e-9 or auc(seen, never) <= 0.5
        return
    best = objective(fitted.a, fitted.b)
    for da, db in [(1e-3, 0), (-1e-3, 0), (0, 1e-3), (0, -1e-3), (1e-3, -1e-3), (-1e-3, 1e-3)]:
        assert objective(fitted.a + da, fitted.b + db) > best - 1e-9


@pytest.mark.parametrize(
    ("seen", "never", "sentence"),
    [
        (SEEN[:7], NEVER, "7 examples that are seen here and 10 never"),
        (SEEN, NEVER[:3], "3 never"),
        (NEVER, SEEN, "does not rank what is seen here above .* 3% of pairs"),
        ([5.0] * 10, [5.0] * 10, "does not rank"),
        ([*SEEN[:9], math.inf], NEVER, "no number"),
    ],
)
def test_examples_that_say_nothing_are_refused(
    seen: list[float], never: list[float], sentence: str
):
    with pytest.raises(RatingError, match=sentence):
        calibrate(scores(seen, never))


def test_ratings_run_from_1_to_10_and_totals_as_upstreams():
    assert rating(0.0) == 5.5
    assert rating(-700.0) == pytest.approx(1.0)
    assert rating(700.0) == pytest.approx(10.0)
    assert total(1.0) == 0.375
    assert total(10.0) == 37.5
    assert frequency(1.0) == 1
    assert frequency(10.0) == 38


@pytest.mark.parametrize(("threshold", "p"), [(2, 0.18), (4, 0.27), (6, 0.35)])
def test_thresholds_lie_where_the_spec_says(threshold: int, p: float):
    assert total(rating(log_odds(p))) == pytest.approx(threshold + 0.5, abs=0.1)


@given(st.floats(1, 10), st.integers(0, 40))
def test_a_noun_is_above_a_threshold_exactly_if_its_rating_is(stars: float, threshold: int):
    bound = math.sqrt((threshold + 0.5) / 0.375)
    if threshold == 0:
        assert frequency(stars) > 0
    elif abs(stars - bound) > 1e-9:
        assert (frequency(stars) > threshold) == (stars > bound)


@given(logits)
def test_log_odds_undo_probability(logit: float):
    assert log_odds(probability(logit)) == pytest.approx(logit, abs=1e-6)


def test_shown_probabilities_follow_the_share_of_the_whole_dictionary():
    assert displayed(0.0, 0.5) == 0.5
    assert displayed(0.0, 0.028) == pytest.approx(0.028)
    assert displayed(2.0, 0.14) == pytest.approx(0.5460, abs=1e-4)  # e^2 0.14 / (e^2 0.14 + 0.86)


def test_a_sample_without_likely_nouns_leaves_them_possible():
    assert share_likely([-1.0] * 300) == pytest.approx(0.5 / 301)
    assert share_likely([1.0, -1.0, -0.5]) == pytest.approx(1.5 / 4)
    assert 0 < displayed(5.0, share_likely([-1.0] * 300)) < 1


def test_raters_are_averaged_by_how_well_they_did_on_the_examples():
    fused = fuse([{"cup": 2.0, "horse": -1.0}, {"cup": -2.0, "saw": 0.5}], [0.2, 0.4])
    assert fused["cup"] == pytest.approx((25 * 2.0 - 6.25 * 2.0) / 31.25)
    assert fused["horse"] == -1.0
    assert fused["saw"] == 0.5
    assert list(fused) == ["cup", "horse", "saw"]


def test_a_perfect_rater_does_not_silence_the_others():
    assert fuse([{"cup": 1.0}, {"cup": 0.0}], [0.0, 0.01])["cup"] == pytest.approx(0.5)
