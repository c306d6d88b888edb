"""Scores of vectors against scikit-learn, plain loops, and what pytorch-ood 0.4.0 gives."""

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from scipy.stats import ortho_group
from sklearn.covariance import LedoitWolf
from sklearn.neighbors import NearestNeighbors

from calibration.ranking import auroc
from calibration.scores.features import CentreCosine, Knn, Vim
from calibration.scores.gaussians import (
    MahalanobisPP,
    Rmd,
    Shrinkage,
    class_means,
    distances,
    ledoit_wolf,
    shrunk,
    whitening,
)
from calibration.scores.heads import LinearHead
from calibration.scores.protocol import Pictures, Score, ScoreError
from tests.calibration.scores.samples import QUERIES, cloud, elsewhere, sines, two_kinds, unit

VECTORS, CLASSES = two_kinds()
MEANS = np.stack([VECTORS[::2].mean(axis=0), VECTORS[1::2].mean(axis=0)])
KNOWN = Pictures(VECTORS, CLASSES)
ASKED = Pictures(QUERIES)


def test_knn_is_that_of_pytorch_ood_and_of_scikit_learn():
    assert Knn(1).fit(KNOWN).score(ASKED) == pytest.approx([0.887285, 0.613401, 0.717304], abs=1e-6)
    assert Knn(5).fit(KNOWN).score(ASKED) == pytest.approx([0.990921, 1.080277, 1.165704], abs=1e-6)
    other = NearestNeighbors(n_neighbors=7).fit(VECTORS).kneighbors(QUERIES)[0][:, 6]
    assert Knn(7).fit(KNOWN).score(ASKED) == pytest.approx(other)


def test_a_known_picture_has_no_distance_to_itself():
    assert Knn(1).fit(KNOWN).score(KNOWN) == pytest.approx(np.zeros(40), abs=1e-7)


def test_a_small_bank_is_asked_for_the_nearest_alone():
    assert Knn().fit(KNOWN).neighbours == 1
    assert Knn().fit(cloud(100, 0)).neighbours == 10


@pytest.mark.parametrize(("count", "width"), [(40, 6), (9, 30), (30, 30), (300, 4)])
def test_the_shrinkage_is_that_of_scikit_learn(count: int, width: int):
    rows = sines(count, width, 0.37)
    centred = rows - rows.mean(axis=0)
    other = LedoitWolf(assume_centered=True).fit(centred)
    how = ledoit_wolf(centred)
    assert how.share == pytest.approx(float(other.shrinkage_))
    assert shrunk(centred, how) == pytest.approx(other.covariance_)


def test_mahalanobis_is_the_distance_to_the_nearest_class():
    residuals = VECTORS - MEANS[CLASSES]
    precision = np.linalg.inv(LedoitWolf(assume_centered=True).fit(residuals).covariance_)
    wanted = [min(mahalanobis(q, mean, precision) ** 2 for mean in MEANS) for q in QUERIES]
    assert MahalanobisPP().fit(KNOWN).score(ASKED) == pytest.approx(wanted)


def test_without_labels_there_is_one_gaussian():
    precision = np.linalg.inv(LedoitWolf().fit(VECTORS).covariance_)
    wanted = [mahalanobis(q, VECTORS.mean(axis=0), precision) ** 2 for q in QUERIES]
    assert MahalanobisPP().fit(Pictures(VECTORS)).score(ASKED) == pytest.approx(wanted)


def test_unshrunk_it_is_that_of_pytorch_ood():
    # Which does not divide its covariances by the number of pictures, and halves the first.
    none = Shrinkage(0.0, 1.0)
    means, residuals = class_means("", VECTORS, CLASSES)
    near = distances(QUERIES, means, whitening("", shrunk(residuals, none))).min(axis=1)
    assert near / 80 == pytest.approx([0.117474, 0.196053, 0.18215], rel=1e-4)
    middle = VECTORS.mean(axis=0)
    whole = whitening("", shrunk(VECTORS - middle, none))
    relative = near - distances(QUERIES, middle[None], whole)[:, 0]
    assert relative / 40 == pytest.approx([0.045795, 0.104365, 0.087944], rel=1e-3)


def test_rmd_is_the_difference_of_two_distances_that_are_shrunk_alike():
    residuals = VECTORS - MEANS[CLASSES]
    lw = LedoitWolf(assume_centered=True).fit(residuals)
    share, variance = float(lw.shrinkage_), float((residuals**2).mean())
    middle = VECTORS.mean(axis=0)
    whole = np.cov(VECTORS.T, bias=True) * (1 - share) + share * variance * np.eye(6)
    precisions = [np.linalg.inv(lw.covariance_), np.linalg.inv(whole)]
    wanted = [
        min(mahalanobis(q, mean, precisions[0]) ** 2 for mean in MEANS)
        - mahalanobis(q, middle, precisions[1]) ** 2
        for q in QUERIES
    ]
    assert Rmd().fit(KNOWN).score(ASKED) == pytest.approx(wanted)


def test_rmd_is_not_turned_round_where_there_are_fewer_pictures_than_components():
    known, new = cloud(60, 1, width=200), cloud(60, 2, width=200)
    fitted = Rmd().fit(known)
    foreign = elsewhere(60, 4, width=200)
    assert auroc(fitted.score(new), fitted.score(foreign)) > 0.9


def test_centre_cosine_is_that_to_the_nearest_mean():
    centres = unit(MEANS)
    wanted = [-max(float(q @ c) for c in centres) for q in QUERIES]
    assert CentreCosine().fit(KNOWN).score(ASKED) == pytest.approx(wanted)


def test_vim_is_that_of_pytorch_ood():
    head = LinearHead(sines(2, 6, 0.77) * 3, np.array([0.3, -0.2]))
    found = Vim(axes=3).fit_with(KNOWN, head).score(ASKED)
    assert found == pytest.approx([-0.002859, 2.046508, 0.078178], abs=2e-5)


def test_vim_leaves_out_as_many_axes_as_its_paper():
    assert Vim().fit(KNOWN).rest.shape == (6, 3)
    assert Vim(axes=5).fit(KNOWN).rest.shape == (6, 1)


@pytest.mark.parametrize("score", [Knn(3), MahalanobisPP(), CentreCosine()])
def test_it_does_not_matter_how_the_space_is_turned(score: Score):
    turned = ortho_group.rvs(6, random_state=0)
    other = score.fit(Pictures(VECTORS @ turned, CLASSES)).score(Pictures(QUERIES @ turned))
    assert other == pytest.approx(score.fit(KNOWN).score(ASKED))


def test_misuse_is_told():
    with pytest.raises(ScoreError, match="knn: needs 41 pictures or more to learn from, these are"):
        Knn(41).fit(KNOWN)
    with pytest.raises(ScoreError, match="knn: needs one neighbour or more, got 0"):
        Knn(0).fit(KNOWN)
    with pytest.raises(ScoreError, match="rmd: needs labels of two classes or more"):
        Rmd().fit(Pictures(VECTORS, np.zeros(40, np.int64)))
    with pytest.raises(ScoreError, match="mahalanobis_pp: the known pictures of a class are all"):
        MahalanobisPP().fit(Pictures(np.ones((5, 6)) / np.sqrt(6)))
    with pytest.raises(ScoreError, match="centre_cosine: the pictures of a class point in no"):
        CentreCosine().fit(Pictures(np.array([[1.0, 0], [-1, 0]])))
    with pytest.raises(ScoreError, match="vim: needs 1 to 5 principal axes, got 6"):
        Vim(6).fit(KNOWN)
    with pytest.raises(ScoreError, match="whole number as label for each of 40 pictures"):
        MahalanobisPP().fit(Pictures(VECTORS, CLASSES[:3]))
    flat = np.concatenate([VECTORS[:, :2], np.zeros((40, 4))], axis=1)
    with pytest.raises(ScoreError, match="vim: the known pictures use no more than 3 directions"):
        Vim().fit_with(Pictures(flat), LinearHead(np.eye(6)[:2], np.zeros(2)))
