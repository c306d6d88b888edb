"""TagOOD's score against numpy, under the one protocol of scores."""

import subprocess
import sys

import numpy as np
import pytest

from calibration.scores.protocol import Pictures, ScoreError
from calibration.tagood import TagOod, class_centres, pattern_cosines

RNG = np.random.default_rng(0)
VECTORS, CENTRES = RNG.standard_normal((7, 12)), RNG.standard_normal((3, 4, 3))
CHANCES = RNG.uniform(size=7)


def cosine(one: np.ndarray, two: np.ndarray) -> float:
    return float(one @ two / np.sqrt(one @ one) / np.sqrt(two @ two))


def test_it_is_the_best_mean_cosine_of_the_patterns_times_the_tag():
    expected = []
    for vector, chance in zip(VECTORS, CHANCES, strict=True):
        likeness = [
            np.mean([cosine(vector[3 * p : 3 * p + 3], centre[p]) for p in range(4)])
            for centre in CENTRES
        ]
        expected.append(-max(likeness) * chance)
    fitted = TagOod(CENTRES).fit(Pictures())
    found = fitted.score(Pictures(projected=VECTORS, tag_p=CHANCES))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    alone = fitted.score(Pictures(projected=VECTORS))
    np.testing.assert_allclose(alone * CHANCES, expected, atol=1e-12)


def test_a_picture_without_a_tag_scores_0_on_either_side():
    found = TagOod(CENTRES).fit(Pictures()).score(Pictures(projected=VECTORS, tag_p=0 * CHANCES))
    assert not found.any()


def test_what_is_at_a_centre_is_as_known_as_can_be():
    fitted = TagOod(CENTRES).fit(Pictures())
    found = fitted.score(Pictures(projected=3 * CENTRES.reshape(3, 12), tag_p=np.ones(3)))
    np.testing.assert_allclose(found, -1)
    other = fitted.score(Pictures(projected=VECTORS, tag_p=np.ones(7)))
    assert (other > -1).all()


def test_without_trained_centres_the_means_of_the_classes_are_taken():
    labels = np.array([4, 4, 9, 9, 9, 4, 9])
    fitted = TagOod().fit(Pictures(projected=VECTORS, labels=labels))
    means = np.stack([VECTORS[labels == one].mean(axis=0) for one in (4, 9)]).reshape(2, 4, 3)
    np.testing.assert_allclose(fitted.centres, means)
    np.testing.assert_allclose(class_centres(VECTORS, labels), means)


def test_patterns_of_zeros_count_nothing():
    vectors = VECTORS.copy()
    vectors[0, :3] = 0
    found = pattern_cosines(vectors, CENTRES)
    expected = [
        sum(cosine(vectors[0, 3 * p : 3 * p + 3], c[p]) for p in (1, 2, 3)) / 4 for c in CENTRES
    ]
    np.testing.assert_allclose(found[0], expected)


def test_what_it_cannot_read_is_told():
    fitted = TagOod(CENTRES).fit(Pictures())
    with pytest.raises(ScoreError, match="tagood: needs vectors of a trained TagOOD"):
        fitted.score(Pictures(VECTORS))
    with pytest.raises(ScoreError, match="have 6 columns where it learned 12"):
        fitted.score(Pictures(projected=VECTORS[:, :6]))
    with pytest.raises(ScoreError, match="needs a probability of the tag, 0 to 1, for each of 7"):
        fitted.score(Pictures(projected=VECTORS, tag_p=CHANCES + 1))
    with pytest.raises(ScoreError, match=r"centres must be finite \[C, P, W / P\]"):
        TagOod(CENTRES[0]).fit(Pictures())
    with pytest.raises(ScoreError, match="cannot be parted into 5 patterns"):
        class_centres(VECTORS, np.zeros(7), 5)


def test_the_room_needs_no_torch():
    code = "import sys, calibration.tagood; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
