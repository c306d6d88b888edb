"""Scores by texts and nouns against plain Python, and what pytorch-ood 0.4.0 gives."""

import math
import tracemalloc

import numpy as np
import pytest

from calibration.scores.protocol import Pictures, ScoreError
from calibration.scores.texts import (
    DictionaryMass,
    GlMcm,
    Mcm,
    NegLabel,
    dictionary_mass,
    gl_mcm,
    mcm,
    neglabel,
    neglabel_odds,
)
from tests.calibration.scores.samples import QUERIES, TEXTS, Rows, sines, unit

OTHERS = sines(7, 6, 0.47)


def plain_share(vector: Rows, positive: Rows, negative: Rows, tau: float) -> float:
    near = [math.exp(float(vector @ text) / tau) for text in positive]
    far = [math.exp(float(vector @ text) / tau) for text in negative]
    return sum(near) / (sum(near) + sum(far))


def test_mcm_is_that_of_pytorch_ood():
    assert mcm(QUERIES, TEXTS) == pytest.approx([-0.328603, -0.287417, -0.303793], abs=1e-6)
    assert mcm(QUERIES, TEXTS, 0.01) == pytest.approx([-1, -0.99911, -1], abs=1e-5)


def test_mcm_is_that_of_plain_python():
    for vector, found in zip(QUERIES, mcm(QUERIES, TEXTS, 0.5), strict=True):
        parts = [math.exp(float(vector @ text) / 0.5) for text in TEXTS]
        assert found == pytest.approx(-max(parts) / sum(parts))


def test_gl_mcm_adds_the_best_patch():
    patches = sines(15, 6, 1.1).reshape(3, 5, 6)
    found = gl_mcm(QUERIES, patches, TEXTS, tau=0.5, weight=2.0)
    for number in range(3):
        best = max(-float(mcm(patches[number, at : at + 1], TEXTS, 0.5)[0]) for at in range(5))
        assert found[number] == pytest.approx(float(mcm(QUERIES, TEXTS, 0.5)[number]) - 2 * best)
    # It learns nothing from patches, so none have to be in memory for it.
    fitted = GlMcm(TEXTS, 0.5, 2.0).fit(Pictures(QUERIES))
    assert fitted.score(Pictures(QUERIES, patches=patches)) == pytest.approx(found)


def test_neglabel_is_the_share_of_the_positive_texts():
    found = neglabel(QUERIES, TEXTS, OTHERS, tau=0.2)
    for vector, score in zip(QUERIES, found, strict=True):
        assert score == pytest.approx(-plain_share(vector, TEXTS, OTHERS, 0.2))


def test_neglabel_averages_over_groups_and_leaves_the_remainder_out():
    many = sines(1003, 6, 0.71)
    found = neglabel(QUERIES, TEXTS, many, tau=0.2, groups=100, seed=5)
    order = np.random.default_rng(5).permutation(1003)[:1000].reshape(100, 10)
    for vector, score in zip(QUERIES, found, strict=True):
        shares = [plain_share(vector, TEXTS, many[group], 0.2) for group in order]
        assert score == pytest.approx(-sum(shares) / 100)
    assert neglabel(QUERIES, TEXTS, many, seed=5).tolist() != found.tolist()


def test_few_negatives_are_one_group_in_any_order():
    assert neglabel(QUERIES, TEXTS, OTHERS[::-1]) == pytest.approx(neglabel(QUERIES, TEXTS, OTHERS))
    assert neglabel(QUERIES, TEXTS, OTHERS, seed=3) == pytest.approx(
        neglabel(QUERIES, TEXTS, OTHERS, seed=4)
    )


def test_without_negatives_everything_is_known():
    assert neglabel(QUERIES, TEXTS, OTHERS[:0]).tolist() == [-1, -1, -1]


def test_neglabel_falls_with_each_positive_and_rises_with_each_negative_similarity():
    vector = np.eye(6)[:1]
    toward = np.array([[0.6, 0.8, 0, 0, 0, 0]])
    more = np.array([[0.8, 0.6, 0, 0, 0, 0]])
    negative = np.array([[0.7, 0, 0, math.sqrt(0.51), 0, 0]])
    assert neglabel(vector, more, negative) < neglabel(vector, toward, negative)
    assert neglabel(vector, negative, more) > neglabel(vector, negative, toward)


def test_far_groups_do_not_end_in_nothing_by_nothing():
    far = np.repeat(-np.eye(6)[:1], 1000, axis=0)
    assert np.isfinite(neglabel(np.eye(6)[:1], -np.eye(6)[:1], far, tau=1e-3)).all()


@pytest.mark.parametrize("count", [7, 1003])
def test_the_odds_rank_as_the_share_does_and_still_tell_where_that_is_one(count: int):
    others = sines(count, 6, 0.47)
    share = -neglabel(QUERIES, TEXTS, others, tau=0.2)
    odds = neglabel_odds(QUERIES, TEXTS, others, tau=0.2)
    assert odds == pytest.approx(np.log((1 - share) / share))
    near = unit(np.eye(6)[:1] + np.array([[0, 0.1, 0, 0, 0, 0], [0, 0.2, 0, 0, 0, 0]]))
    positive, negative = np.eye(6)[:1], np.eye(6)[1:]
    assert neglabel(near, positive, negative).tolist() == [-1, -1]
    odds = NegLabel(positive, negative).fit(Pictures(near)).score(Pictures(near))
    assert odds[0] < odds[1] - 9
    with pytest.raises(ScoreError, match="needs one negative text or more"):
        neglabel_odds(near, positive, negative[:0])


def test_dictionary_mass_is_a_logit():
    p = np.array([[0.5, 0.2, 0.1], [0.25, 0.25, 0.0]])
    inside = np.array([[True, False, True], [False, True, True]])
    with np.errstate(divide="ignore"):
        log_p = np.log(p)
    found = dictionary_mass(log_p, inside)
    assert found == pytest.approx([-math.log(0.6 / 0.4), -math.log(0.25 / 0.75)])
    shared = dictionary_mass(log_p, inside, renormalise=True)
    assert shared == pytest.approx([-math.log(0.75 / 0.25), 0])


def test_no_and_all_mass_are_still_finite():
    found = dictionary_mass(np.array([[0.0], [-1e9]]), np.array([[True], [True]]))
    assert found == pytest.approx([-math.log(1e6), math.log(1e6)], rel=1e-5)


def test_dictionary_mass_compares_equal_beams_alone():
    log_p, inside = np.log([[0.5, 0.2]]), np.array([[True, False]])
    fitted = DictionaryMass().fit(Pictures(log_p=log_p, inside=inside))
    assert fitted.score(Pictures(log_p=log_p, inside=inside)) == pytest.approx([0], abs=1e-12)
    with pytest.raises(ScoreError, match="fitted on 2 nouns a picture and cannot be compared"):
        fitted.score(Pictures(log_p=log_p[:, :1], inside=inside[:, :1]))
    with pytest.raises(ScoreError, match="needs a dictionary of the site's nouns"):
        fitted.score(Pictures(log_p=log_p))


@pytest.mark.parametrize("value", [0.1, np.nan, np.inf])
def test_what_is_no_log_probability_is_refused(value: float):
    with pytest.raises(ScoreError, match="is no log-probability"):
        dictionary_mass(np.array([[value]]), np.array([[True]]))


def test_misuse_is_told():
    with pytest.raises(ScoreError, match="mcm: needs 2 texts or more, these are 1"):
        mcm(QUERIES, TEXTS[:1])
    with pytest.raises(ScoreError, match="mcm: vectors have 6 columns where it learned 5"):
        Mcm(TEXTS[:, :5]).fit(Pictures(QUERIES))
    with pytest.raises(ScoreError, match="row 1 of the texts is zero"):
        NegLabel(TEXTS * [[1], [0], [1], [1]], OTHERS).fit(Pictures(QUERIES))
    with pytest.raises(ScoreError, match="neglabel: needs one group or more, got 0"):
        neglabel(QUERIES, TEXTS, OTHERS, groups=0)
    with pytest.raises(ScoreError, match="gl_mcm: needs vectors of patches"):
        GlMcm(TEXTS).fit(Pictures(QUERIES)).score(Pictures(QUERIES))
    with pytest.raises(ScoreError, match=r"patches must be \[N, P, F\] for 3 pictures"):
        gl_mcm(QUERIES, QUERIES, TEXTS)
    with pytest.raises(ScoreError, match=r"must both be \[N, K\], these are \[3, 6\] and \[3, 2\]"):
        dictionary_mass(-abs(QUERIES), np.ones((3, 2), bool))


def test_patches_are_never_in_memory_as_float64_all_at_once(monkeypatch: pytest.MonkeyPatch):
    vectors, texts = sines(600, 64, 0.7), sines(2, 64, 0.31)
    patches = sines(600 * 50, 64, 1.1).astype(np.float32).reshape(600, 50, 64)
    whole = gl_mcm(vectors, patches, texts)
    monkeypatch.setattr("calibration.scores.texts.NUMBERS_AT_ONCE", 50 * 64 * 20)
    tracemalloc.start()
    try:
        found = gl_mcm(vectors, patches, texts)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < patches.nbytes / 2
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-12)
