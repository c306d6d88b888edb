"""What probabilities are worth."""

import numpy as np
import pytest

from calibration.reliability import bins, ece, risk_coverage


def test_bins_hold_equal_numbers_and_their_shares():
    p, right = np.repeat([0.2, 0.8], 50), np.r_[np.repeat([0, 1], [40, 10]), np.ones(50)]
    found = bins(p, right, 2)
    assert [(one.p, one.right, one.count) for one in found] == [
        (pytest.approx(0.2), pytest.approx(0.2), 50),
        (pytest.approx(0.8), pytest.approx(1.0), 50),
    ]
    assert ece(p, right, 2) == pytest.approx(0.1)


def test_risk_rises_with_what_is_told():
    coverage, risk = risk_coverage([0.9, 0.8, 0.8, 0.1], [1, 1, 0, 0])
    assert coverage.tolist() == [0.25, 0.75, 1.0]
    assert risk.tolist() == [0.0, pytest.approx(1 / 3), 0.5]


def test_nothing_has_no_figures():
    assert bins([], []) == []
    assert len(risk_coverage([], [])[0]) == 0


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="one truth for each"):
        ece([0.5], [])
    for wrong in (1.5, -0.1, float("nan")):
        with pytest.raises(ValueError, match="from 0 to 1"):
            ece([wrong], [1])
