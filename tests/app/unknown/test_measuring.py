"""Which scores pictures allow, and what is measured of them."""

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from app.unknown.measuring import (
    FIGURES,
    NO_NOUNS,
    ByTexts,
    Inputs,
    halves,
    measure_all,
    measure_fitted,
)
from calibration.kept import Kept
from calibration.scores.features import Knn
from calibration.scores.fusion import FittedFisher
from calibration.scores.protocol import Pictures
from calibration.scores.pytorch_ood import KINDS
from calibration.scores.texts import NegLabel
from tests.calibration.scores.samples import cloud, elsewhere

KNOWN, NEW, OTHERS = cloud(300, 0), cloud(60, 1), {"it": elsewhere(40, 2)}
TEXTS = ByTexts(np.eye(8)[:3], np.eye(8)[3:])
NO_TEXTS = ByTexts(why_not="no text model")

BY_LOGITS = ("msp", "max_logit", "energy", "entropy", "gen")
BY_VECTORS = ("knn", "mahalanobis_pp", "rmd", "centre_cosine", "vim", "cluster_energy")
WITH_LABELS = (*BY_LOGITS, *BY_VECTORS)
FUSIONS = ("fisher", "fisher_clusters", "logistic")


def quiet(done: int, total: int, name: str) -> None:
    del done, total, name


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch):
    from calibration import ranking

    short = ranking.measured_all
    monkeypatch.setattr("app.unknown.measuring.measured_all", lambda *of: short(*of, resamples=30))


def test_every_score_that_the_pictures_allow_is_measured():
    told: list[tuple[int, int, str]] = []
    inputs = Inputs(KNOWN, NEW, OTHERS, elsewhere(20, 3))
    done = measure_all(inputs, TEXTS, 0, lambda *now: told.append(now))
    names = [row.score for row in done.rows]
    optional = KINDS if find_spec("pytorch_ood") else ()
    assert names == [*WITH_LABELS, *optional, "mcm", "neglabel", *FUSIONS]
    assert set(done.left_out) - set(KINDS) == {"gl_mcm", "dictionary_mass"}
    assert done.left_out["dictionary_mass"] == NO_NOUNS
    assert {name for _, _, name in told[:-1]} == {*names, *done.left_out}
    assert told[-1] == (22, 22, "")
    for row in done.rows:
        assert set(row.figures["it"]) == set(FIGURES)
        # Three kinds that are cut into 24 clusters say little.
        assert row.score == "cluster_energy" or row.figures["it"]["auroc"].value > 0.8
        assert row.known.shape == (60,)
        assert row.others["it"].shape == (40,)


def test_without_labels_texts_and_foreign_pictures_those_scores_are_left_out_with_the_reason():
    inputs = Inputs(Pictures(KNOWN.vectors), NEW, OTHERS)
    done = measure_all(inputs, NO_TEXTS, 0, quiet)
    measured = [row.score for row in done.rows]
    alone = ["knn", "mahalanobis_pp", "centre_cosine", "cluster_energy"]
    assert measured == [*alone, "fisher", "fisher_clusters"]
    assert done.left_out["energy"].startswith("needs labels")
    assert done.left_out["rmd"].startswith("needs labels")
    assert done.left_out["mcm"] == done.left_out["neglabel"] == "no text model"
    assert done.left_out["logistic"].endswith("(--foreign FOLDER)")


def test_too_few_pictures_leave_out_what_needs_more():
    done = measure_all(Inputs(cloud(12, 0), NEW, OTHERS), NO_TEXTS, 0, quiet)
    assert done.left_out["cluster_energy"].startswith("needs 120 pictures or more")
    assert done.left_out["fisher"] == "needs 100 pictures or more to learn from, these are 12"
    assert done.left_out["fisher_clusters"] == done.left_out["fisher"]
    assert "vim" in [row.score for row in done.rows]


def test_every_part_of_a_fusion_draws_with_the_seed_that_was_asked_for():
    fitted = measure_all(Inputs(KNOWN, NEW, OTHERS), TEXTS, 7, quiet).fitted
    for name in ("fisher", "fisher_clusters"):
        fusion = fitted[name]
        assert isinstance(fusion, FittedFisher)
        (by_texts,) = [part for part, _ in fusion.parts if isinstance(part, NegLabel)]
        assert by_texts.seed == 7


def test_patches_are_asked_of_what_is_measured_alone():
    rng = np.random.default_rng(0)

    def with_patches(pictures: Pictures) -> Pictures:
        return replace(pictures, patches=rng.normal(size=(len(pictures), 2, 8)))

    others = {name: with_patches(pictures) for name, pictures in OTHERS.items()}
    done = measure_all(Inputs(KNOWN, with_patches(NEW), others), TEXTS, 0, quiet)
    assert "gl_mcm" in done.fitted


def test_kept_scores_that_cannot_be_used_here_are_told_as_left_out():
    kept = Kept({"knn": Knn().fit(KNOWN)}, {}, left_out={"nci": "needs a package"})
    done = measure_fitted(kept, Inputs(KNOWN, NEW, OTHERS), 0, quiet)
    assert [row.score for row in done.rows] == ["knn"]
    assert done.left_out == {"nci": "needs a package"}


def test_half_of_each_class_is_fitted_on():
    labels = np.array([0] * 5 + [1] * 4 + [2])
    fit, new = halves(10, labels, 0)
    assert np.bincount(labels[fit]).tolist() == [3, 2, 1]
    assert sorted([*fit, *new]) == list(range(10))
    assert [part.tolist() for part in halves(10, labels, 0)] == [fit.tolist(), new.tolist()]
    assert halves(100, None, 0)[0].tolist() != halves(100, None, 1)[0].tolist()
    assert len(halves(7, None, 0)[0]) == 4
