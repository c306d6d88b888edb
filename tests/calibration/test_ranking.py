"""Figures of scores against values worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_curve

from calibration.ranking import (
    Measure,
    aupr_in,
    aupr_out,
    auroc,
    f1_max,
    fpr_at_id95,
    fpr_at_ood95,
    measured,
)


def test_auroc_counts_pairs_and_half_of_the_ties():
    assert auroc([1, 2, 3], [4, 5]) == 1
    assert auroc([4, 5], [1, 2, 3]) == 0
    # Of 2 x 3 pairs: 3 > 1, 3 > 2, 2 > 1 are right, 2 = 2 is half, and 1 = 1 too; 1 < 2 is wrong.
    assert auroc([1, 2], [3, 2, 1]) == pytest.approx((2 + 1.5 + 0.5) / 6)


def test_the_best_f1_is_that_of_the_best_threshold():
    # At 3 and above: 2 of 3 defects and no good one: precision 1, recall 2/3.
    assert f1_max([1, 2], [0, 3, 4]) == (pytest.approx(0.8), 3)
    assert f1_max([0.1, 0.2], [0.3, 0.4]) == (1, pytest.approx(0.3))


def test_an_interval_holds_its_figure_and_narrows_with_more_images():
    rng = np.random.default_rng(0)
    few = measured(auroc, rng.normal(0, 1, 20), rng.normal(1.5, 1, 20))
    many = measured(auroc, rng.normal(0, 1, 400), rng.normal(1.5, 1, 400))
    assert few is not None
    assert many is not None
    assert few.low < few.value < few.high
    assert many.high - many.low < (few.high - few.low) / 2
    # Phi(1.5 / sqrt(2)), as both are normal.
    assert many.low < 0.8556 < many.high


def test_without_good_or_bad_there_is_no_figure():
    assert measured(auroc, [], [1]) is None
    assert measured(auroc, [1], []) is None


def test_average_precision_is_that_of_scikit_learn_also_with_ties():
    rng = np.random.default_rng(3)
    good, bad = rng.integers(0, 20, 300) / 20, rng.integers(5, 25, 100) / 20
    truth = np.repeat([0, 1], [300, 100])
    scores = np.concatenate([good, bad])
    assert aupr_out(good, bad) == pytest.approx(average_precision_score(truth, scores))
    assert aupr_in(good, bad) == pytest.approx(average_precision_score(1 - truth, -scores))


def test_average_precision_without_meaning_is_the_share():
    assert aupr_out([1, 1, 1], [1]) == pytest.approx(0.25)
    assert aupr_in([1, 1, 1], [1]) == pytest.approx(0.75)


def test_fpr95_takes_either_side_as_what_95_of_100_are_found_of():
    good = np.arange(100)
    # 95 of the good lie up to 94: there 2 of the bad are accepted, equal ones among them.
    assert fpr_at_id95(good, [90, 94, 94.5, 200]) == pytest.approx(0.5)
    # Of 20 bad 19 must be found: from 50.5 on, where 49 of the good are refused.
    bad = np.concatenate([[0.5], np.full(19, 50.5)])
    assert fpr_at_ood95(good, bad) == pytest.approx(0.49)
    assert fpr_at_ood95(good, np.full(3, 98)) == pytest.approx(0.02)


def test_fpr95_is_read_off_the_curve_of_scikit_learn():
    rng = np.random.default_rng(4)
    good, bad = rng.normal(size=500), rng.normal(1.5, 1, 200)
    truth = np.repeat([0, 1], [500, 200])
    false, true, _ = roc_curve(truth, np.concatenate([good, bad]), drop_intermediate=False)
    assert fpr_at_ood95(good, bad) == pytest.approx(false[np.flatnonzero(true >= 0.95)[0]])
    assert fpr_at_id95(good, bad) == pytest.approx(1 - true[np.flatnonzero(false <= 0.05)[-1]])


@pytest.mark.parametrize("figure", [aupr_out, aupr_in, fpr_at_id95, fpr_at_ood95])
def test_each_figure_has_an_interval(figure: Measure):
    rng = np.random.default_rng(0)
    found = measured(figure, rng.normal(size=200), rng.normal(1.5, 1, 100))
    assert found is not None
    assert found.low < found.value < found.high
