"""Scores of logits against plain Python and what pytorch-ood 0.4.0 gives."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import logsumexp, softmax
from scipy.stats import entropy as scipy_entropy
from sklearn.linear_model import LogisticRegression

from calibration.scores.heads import fit_head
from calibration.scores.logits import (
    LOGIT_SCORES,
    OnLogits,
    energy,
    entropy,
    gen,
    max_logit,
    msp,
)
from calibration.scores.protocol import Pictures, ScoreError
from tests.calibration.scores.samples import LOGITS, Rows, cloud, two_kinds

SOME = arrays(np.float64, (3, 5), elements=st.floats(-30, 30))


def test_they_give_what_pytorch_ood_gives():
    assert msp(LOGITS) == pytest.approx([-0.536805, -0.75541, -0.529064, -0.551295], abs=1e-6)
    assert max_logit(LOGITS) == pytest.approx([-2.974994, -2.577485, -2.999379, -2.956801])
    assert energy(LOGITS) == pytest.approx([-3.597115, -2.85798, -3.636025, -3.552286])
    assert entropy(LOGITS) == pytest.approx([1.115449, 0.74344, 1.012011, 1.045823], abs=1e-6)
    # Its GEN is the mean of the four likeliest, the paper's the sum.
    mean = [0.805171, 0.753262, 0.793549, 0.793488]
    assert gen(LOGITS, top=4) / 4 == pytest.approx(mean, abs=1e-6)


def test_they_give_what_plain_python_gives():
    for row in LOGITS.tolist():
        parts = [math.exp(value / 2) for value in row]
        p = sorted(part / sum(parts) for part in parts)
        one = np.array([row])
        assert msp(one, 2) == pytest.approx([-p[-1]])
        assert max_logit(one) == pytest.approx([-max(row)])
        assert energy(one, 2) == pytest.approx([-2 * math.log(sum(parts))])
        assert entropy(one, 2) == pytest.approx([-sum(v * math.log(v) for v in p)])
        p = sorted(math.exp(v) / sum(map(math.exp, row)) for v in row)[-3:]
        assert gen(one, 0.3, 3) == pytest.approx([sum((v * (1 - v)) ** 0.3 for v in p)])


def test_they_bear_huge_logits():
    huge = np.array([[1e4, -1e4, 0.0], [1e4, 1e4, 1e4]])
    for score in LOGIT_SCORES:
        assert np.isfinite(score.function(huge)).all()
    assert energy(huge) == pytest.approx(-logsumexp(huge, axis=1))
    assert entropy(huge) == pytest.approx(scipy_entropy(softmax(huge, axis=1), axis=1))


@given(SOME, st.floats(-20, 20))
def test_what_is_added_to_all_logits_matters_to_those_that_are_no_probabilities(
    logits: Rows, more: float
):
    assert msp(logits + more) == pytest.approx(msp(logits), abs=1e-9)
    assert entropy(logits + more) == pytest.approx(entropy(logits), abs=1e-7)
    assert gen(logits + more) == pytest.approx(gen(logits), abs=1e-4)
    assert energy(logits + more) == pytest.approx(energy(logits) - more, abs=1e-9)


@given(SOME)
def test_energy_lies_just_below_the_largest_logit(logits: Rows):
    found, top = energy(logits), max_logit(logits)
    assert (found <= top).all()
    assert (top <= found + math.log(5) + 1e-9).all()


def test_a_head_is_that_of_scikit_learn():
    vectors, classes = two_kinds()
    classes = classes + 2 * (np.arange(40) % 4 == 0)
    head = fit_head(vectors, np.unique(classes, return_inverse=True)[1], strength=3.0)
    other = LogisticRegression(C=3.0, tol=1e-10, max_iter=10_000).fit(vectors, classes)
    mine = softmax(head.logits(vectors), axis=1)
    assert mine == pytest.approx(other.predict_proba(vectors), abs=1e-4)


def test_own_logits_go_before_a_head():
    known = cloud(30, 0)
    fitted = OnLogits("energy", energy).fit(Pictures(known.vectors, None, LOGITS[:, :3]))
    assert fitted.score(Pictures(logits=LOGITS[:, 3:])) == pytest.approx(energy(LOGITS[:, 3:]))
    with pytest.raises(ScoreError, match="energy: needs logits"):
        fitted.score(known)
    with pytest.raises(ScoreError, match="have 6 columns where it learned 3"):
        fitted.score(Pictures(logits=LOGITS))


def test_misuse_is_told():
    with pytest.raises(ScoreError, match=r"msp: the temperature must be above 0, got 0"):
        msp(LOGITS, 0)
    with pytest.raises(ScoreError, match="gen: needs logits of two classes or more"):
        gen(LOGITS[:, :1])
    with pytest.raises(ScoreError, match=r"energy: logits must be \[N, width\]"):
        energy(LOGITS[0])
    with pytest.raises(ScoreError, match=r"row 0 of the logits holds .* \(1 of 4 rows do\)"):
        entropy(np.where(np.eye(4, 6) * [1, 0, 0, 0, 0, 0] > 0, np.nan, LOGITS))
