"""CLIPN's scores on vectors whose answers are known."""

import subprocess
import sys

import numpy as np
import pytest

from calibration.clipn import unknown_scores
from tests.novic.clipn.known import fixed_vectors

CTW = {
    1: (0.764680, 0.691905, 0.626305),
    10: (0.999992, 0.999694, 0.994314),
    100: (1, 1, 1),
}
"""q of the best text for three images, by scale."""
ATD = {
    1: (0.614682, 0.596830, 0.503604),
    10: (0.996241, 0.986979, 0.909773),
    100: (1, 1, 1),
}
"""Sum of p q."""


@pytest.mark.parametrize("scale", [1, 10, 100])
def test_known_scores(scale: int):
    images, texts, no_texts = fixed_vectors()
    yes, no = scale * images @ texts.T, scale * images @ no_texts.T
    found = unknown_scores(yes, no)
    np.testing.assert_allclose(1 - found.ctw, CTW[scale], atol=6e-7)
    np.testing.assert_allclose(1 - found.atd, ATD[scale], atol=6e-7)


def test_known_decisions():
    images, texts, no_texts = fixed_vectors()
    found = unknown_scores(images @ texts.T, images @ no_texts.T)
    assert found.unknown_by_ctw.tolist() == [False, False, False]
    assert found.unknown_by_atd.tolist() == [False, False, True]
    np.testing.assert_allclose(found.atd, (0.385318, 0.403170, 0.496396), atol=6e-7)


def test_where_no_is_the_text_itself_nothing_is_known():
    logits = np.random.default_rng(0).normal(size=(20, 7)) * 50
    found = unknown_scores(logits, logits)
    np.testing.assert_allclose(found.ctw, 0.5)
    np.testing.assert_allclose(found.atd, 0.5)
    assert not found.unknown_by_ctw.any()


def test_scores_stay_in_their_range_and_rise_with_the_no():
    rng = np.random.default_rng(1)
    yes, no = rng.normal(size=(2, 50, 9)) * 300
    found, more = unknown_scores(yes, no), unknown_scores(yes, no + 5)
    for low, high in ((found.ctw, more.ctw), (found.atd, more.atd)):
        assert ((low >= 0) & (low <= 1)).all()
        assert (high >= low).all()
    np.testing.assert_allclose(unknown_scores(yes + 40, no + 40).atd, found.atd)


def test_the_choice_among_known_things_may_have_a_scale_of_its_own():
    yes, no = np.array([[2.0, 1.0]]), np.array([[1.0, 3.0]])
    sharp = unknown_scores(yes, no, 100 * yes)
    assert sharp.atd[0] == pytest.approx(sharp.ctw[0])
    assert unknown_scores(yes, no, -100 * yes).ctw[0] == pytest.approx(1 / (1 + np.exp(-2)))


def test_logits_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"must all be \[N, C\] with C at least 1"):
        unknown_scores(np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(ValueError, match="C at least 1"):
        unknown_scores(np.zeros((2, 0)), np.zeros((2, 0)))


def test_it_needs_no_torch():
    code = "import sys, calibration.clipn; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
