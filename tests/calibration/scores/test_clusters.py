"""The energy of clusters, against that of classes where both are the same."""

from dataclasses import replace

import numpy as np
import pytest

from calibration.ranking import auroc
from calibration.scores.clusters import ClusterEnergy, clustered
from calibration.scores.logits import LOGIT_SCORES
from calibration.scores.protocol import Pictures, ScoreError, vectors_of
from tests.calibration.scores.samples import QUERIES, cloud, elsewhere, unit

KNOWN = cloud(300, 0)


def test_clusters_that_are_the_classes_give_the_energy_of_the_classes():
    labelled = next(score for score in LOGIT_SCORES if score.name == "energy").fit(KNOWN)
    fitted = ClusterEnergy(clusters=(3,)).fit(Pictures(KNOWN.vectors))
    asked = Pictures(
        np.vstack([np.asarray(KNOWN.vectors)[:5], unit(np.pad(QUERIES, ((0, 0), (0, 2))))])
    )
    np.testing.assert_allclose(fitted.score(asked), labelled.score(asked), atol=1e-4)


def test_what_lies_in_no_cluster_is_unknown_without_any_label():
    fitted = ClusterEnergy(clusters=(3,)).fit(replace(KNOWN, labels=None))
    assert auroc(fitted.score(cloud(60, 1)), fitted.score(elsewhere(40, 2))) > 0.95


def test_numbers_of_clusters_that_are_too_large_for_the_pictures_are_left_out():
    assert len(ClusterEnergy().fit(cloud(250, 0)).heads) == 2
    few, six = cloud(239, 0), ClusterEnergy(clusters=(6,))
    asked = cloud(20, 1)
    np.testing.assert_array_equal(ClusterEnergy().fit(few).score(asked), six.fit(few).score(asked))


def test_labels_and_the_other_pictures_of_a_batch_change_nothing():
    fitted, plain = (ClusterEnergy(seed=3).fit(of) for of in (KNOWN, Pictures(KNOWN.vectors)))
    scores = fitted.score(cloud(20, 1))
    np.testing.assert_array_equal(plain.score(cloud(20, 1)), scores)
    alone = [fitted.score(cloud(20, 1).part(np.array([row])))[0] for row in range(20)]
    np.testing.assert_allclose(alone, scores, atol=1e-12)


def test_clusters_are_numbered_from_0_without_gaps():
    vectors = vectors_of("it", KNOWN)
    for wanted in (2, 3, 40):
        numbers = np.unique(clustered(vectors, wanted, 0))
        assert numbers.tolist() == list(range(len(numbers)))
        assert 1 < len(numbers) <= wanted


def test_few_or_equal_pictures_are_refused():
    with pytest.raises(ScoreError, match="cluster_energy: needs 120 pictures or more to learn"):
        ClusterEnergy().fit(cloud(119, 0))
    with pytest.raises(ScoreError, match="needs two clusters or more, got "):
        ClusterEnergy(clusters=(1,)).fit(KNOWN)
    with pytest.raises(ScoreError, match="the known pictures are nearly all alike; give others"):
        ClusterEnergy(clusters=(2,)).fit(Pictures(np.tile(np.eye(8)[:1], (50, 1))))
