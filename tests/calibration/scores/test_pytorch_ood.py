"""The scores that pytorch-ood computes, against formulas of their papers."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest
from scipy.special import logsumexp

from calibration.ranking import auroc
from calibration.scores.heads import LinearHead, fit_head, labelled
from calibration.scores.protocol import Pictures, ScoreError
from calibration.scores.pytorch_ood import CLASSES, KINDS, Kind, PytorchOod
from novic.extras import MissingPackageError
from tests.calibration.scores.samples import Rows, cloud, elsewhere

KNOWN, NEW, FOREIGN = cloud(300, 0), cloud(60, 1), elsewhere(60, 2)

needs_it = pytest.mark.skipif(
    find_spec("pytorch_ood") is None, reason="pytorch-ood (extra ood) is not installed"
)
each = pytest.mark.parametrize("kind", KINDS)


def head_of(pictures: Pictures) -> tuple[Rows, LinearHead]:
    vectors, classes = labelled("", pictures)
    return vectors, fit_head(vectors, classes)


def energies(logits: Rows) -> Rows:
    return np.asarray(logsumexp(logits, axis=1))


@needs_it
@each
def test_the_unknown_scores_higher_and_alone_as_among_others(kind: Kind):
    fitted = PytorchOod(kind).fit(KNOWN)
    new, foreign = fitted.score(NEW), fitted.score(FOREIGN)
    assert new.dtype == np.float64
    assert auroc(new, foreign) > 0.8
    alone = fitted.score(FOREIGN.part(np.array([7])))
    assert alone == pytest.approx(foreign[[7]], rel=1e-4)
    assert fitted.score(FOREIGN.part(np.array([], np.int64))).shape == (0,)
    with pytest.raises(ScoreError, match=f"{kind}: vectors have 3 columns where it learned 8"):
        fitted.score(Pictures(np.ones((1, 3))))


@needs_it
def test_nnguide_is_energy_times_the_ten_likest_energies():
    bank, head = head_of(KNOWN)
    asked = np.asarray(NEW.vectors)
    scaled = bank * energies(head.logits(bank))[:, None]
    guidance = np.sort(asked @ scaled.T, axis=1)[:, -10:].mean(axis=1)
    wanted = -guidance * energies(head.logits(asked))
    assert PytorchOod("nnguide").fit(KNOWN).score(NEW) == pytest.approx(wanted, rel=1e-4)


@needs_it
def test_fdbd_is_the_mean_distance_to_the_borders_by_that_to_the_middle():
    bank, head = head_of(KNOWN)
    asked = np.asarray(NEW.vectors)
    wanted = []
    for vector, logits in zip(asked, head.logits(asked), strict=True):
        best = int(logits.argmax())
        borders = [
            (logits[best] - logits[other])
            / np.linalg.norm(head.weights[best] - head.weights[other])
            for other in range(3)
            if other != best
        ]
        wanted.append(-np.mean(borders) / np.linalg.norm(vector - bank.mean(axis=0)))
    found = PytorchOod("fdbd").fit(KNOWN).score(NEW)
    assert found / found[0] == pytest.approx(np.array(wanted) / wanted[0], rel=1e-4)


@each
def test_without_the_package_it_says_how_to_get_it(kind: Kind, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pytorch_ood", None)
    monkeypatch.delitem(sys.modules, "pytorch_ood.detector", raising=False)
    with pytest.raises(MissingPackageError, match="this score needs the package pytorch_ood"):
        PytorchOod(kind).fit(KNOWN)


@each
def test_without_labels_it_says_so_before_anything_is_imported(kind: Kind):
    with pytest.raises(ScoreError, match=f"{kind}: needs labels"):
        PytorchOod(kind).fit(Pictures(KNOWN.vectors))


def test_what_is_offered_is_told_to_be_there():
    assert set(CLASSES) == set(KINDS)
