"""What every score must do, whatever it reads."""

import logging
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from calibration.ranking import auroc
from calibration.scores.features import CentreCosine, Knn, Vim
from calibration.scores.fusion import FisherFusion, LogisticFusion
from calibration.scores.gaussians import MahalanobisPP, Rmd
from calibration.scores.logits import LOGIT_SCORES
from calibration.scores.protocol import Pictures, Score, ScoreError
from calibration.scores.texts import DictionaryMass, GlMcm, Mcm, NegLabel
from tests.calibration.scores.samples import cloud, elsewhere

WIDTH = 8


def seen(pictures: Pictures) -> Pictures:
    """With everything that any score reads, made of the vectors alone."""
    vectors = np.asarray(pictures.vectors)
    p = np.exp(4 * vectors)
    log_p = np.log(p / p.sum(axis=1, keepdims=True))
    inside = np.arange(WIDTH) < 3
    return Pictures(
        vectors,
        pictures.labels,
        patches=np.stack([vectors, np.roll(vectors, 1, axis=1)], axis=1),
        log_p=log_p,
        inside=np.tile(inside, (len(vectors), 1)),
    )


KNOWN, NEW, FOREIGN = seen(cloud(300, 0)), seen(cloud(60, 1)), seen(elsewhere(60, 2))
POSITIVE, NEGATIVE = np.eye(WIDTH)[:3], np.eye(WIDTH)[3:]
SCORES: tuple[Score, ...] = (
    *LOGIT_SCORES,
    Mcm(POSITIVE),
    GlMcm(POSITIVE),
    NegLabel(POSITIVE, NEGATIVE),
    DictionaryMass(),
    Knn(),
    MahalanobisPP(),
    Rmd(),
    Vim(axes=4),
    CentreCosine(),
    FisherFusion((NegLabel(POSITIVE, NEGATIVE), MahalanobisPP())),
    LogisticFusion((Knn(), CentreCosine()), seen(elsewhere(30, 3))),
)


@dataclass(frozen=True)
class Bent:
    """Pictures with a fault, and what is said of it."""

    pictures: Pictures
    said: str


every_score = pytest.mark.parametrize("score", SCORES, ids=lambda score: score.name)


@every_score
def test_scores_are_numbers_and_higher_for_the_unknown(score: Score):
    fitted = score.fit(KNOWN)
    new, foreign = fitted.score(NEW), fitted.score(FOREIGN)
    assert new.dtype == foreign.dtype == np.float64
    assert new.shape == foreign.shape == (60,)
    assert np.isfinite([new, foreign]).all()
    assert auroc(new, foreign) > 0.8


@every_score
def test_a_picture_scores_alone_as_among_others(score: Score):
    fitted = score.fit(KNOWN)
    together = fitted.score(FOREIGN)
    for number in range(0, 60, 7):
        alone = fitted.score(FOREIGN.part(np.array([number])))
        assert alone == pytest.approx(together[[number]], abs=1e-6)


@every_score
def test_the_same_pictures_give_the_same_scores(score: Score):
    assert np.array_equal(score.fit(KNOWN).score(NEW), score.fit(KNOWN).score(NEW))


@every_score
def test_no_pictures_have_no_scores(score: Score):
    assert score.fit(KNOWN).score(NEW.part(np.array([], np.int64))).shape == (0,)


BROKEN = [
    Bent(Pictures(np.full((3, WIDTH), np.nan)), "not a finite number"),
    Bent(Pictures(np.array([[np.inf] + [0.0] * (WIDTH - 1)])), "not a finite number"),
    Bent(Pictures(np.ones((3, WIDTH - 1))), "columns where it learned"),
    Bent(Pictures(np.ones(WIDTH)), r"must be \[N, width\]"),
    Bent(Pictures(np.zeros((1, WIDTH))), "row 0 of the vectors is zero"),
    Bent(Pictures(), "needs"),
]


READS_VECTORS = tuple(s for s in SCORES if not isinstance(s, DictionaryMass | GlMcm))
"""The two others' own tests say what they refuse."""


@pytest.mark.parametrize("bent", BROKEN, ids=lambda bent: bent.said)
@pytest.mark.parametrize("score", READS_VECTORS, ids=lambda score: score.name)
def test_broken_pictures_are_told(score: Score, bent: Bent):
    with pytest.raises(ScoreError, match=bent.said):
        score.fit(KNOWN).score(bent.pictures)


LABELLED = tuple(score for score in SCORES if score in LOGIT_SCORES or score.name in {"rmd", "vim"})


@pytest.mark.parametrize("score", LABELLED, ids=lambda score: score.name)
def test_what_needs_labels_says_so(score: Score):
    with pytest.raises(ScoreError, match=f"{score.name}: needs labels"):
        score.fit(Pictures(KNOWN.vectors))
    with pytest.raises(ScoreError, match=f"{score.name}: needs labels of two classes"):
        score.fit(Pictures(KNOWN.vectors, np.ones(300, np.int64)))


@every_score
def test_nothing_is_too_little_to_learn_from(score: Score):
    nothing = KNOWN.part(np.array([], np.int64))
    if isinstance(score, Mcm | GlMcm | NegLabel | DictionaryMass):
        # They learn nothing of pictures.
        score.fit(nothing)
        return
    with pytest.raises(ScoreError, match="needs"):
        score.fit(nothing)


def test_vectors_that_are_no_unit_vectors_are_made_so_and_counted(
    caplog: pytest.LogCaptureFixture,
):
    fitted = Knn().fit(KNOWN)
    with caplog.at_level(logging.WARNING):
        longer = fitted.score(Pictures(3 * np.asarray(NEW.vectors)))
    assert longer == pytest.approx(fitted.score(NEW))
    assert "knn: 60 of 60 vectors are no unit vectors" in caplog.text


def test_float32_vectors_are_as_good():
    fitted = MahalanobisPP().fit(KNOWN)
    small = Pictures(np.asarray(NEW.vectors, np.float32))
    assert fitted.score(small) == pytest.approx(fitted.score(NEW), rel=1e-4)


def test_calibration_is_imported_without_torch_and_scikit_learn():
    code = (
        "import sys, pkgutil, importlib, calibration\n"
        "for found in pkgutil.walk_packages(calibration.__path__, 'calibration.'):\n"
        "    importlib.import_module(found.name)\n"
        "print(sorted({'torch', 'sklearn', 'pytorch_ood'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
