"""Figures of scores against values worked out by hand."""

import numpy as np
import pytest

from calibration.ranking import auroc, f1_max, measured


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
