import math

import numpy as np
import pytest

from training.distilling.taxonomy import CLASS_UNDER, distances, simulated_answers

# 5 is a thing; animals (0) and the cup (6) are things; dogs (1) and the frog (4) are animals;
# the poodle (2) and the husky (3) are dogs.
ANCESTORS = {0: [5], 1: [0, 5], 2: [1, 0, 5], 3: [1, 0, 5], 4: [0, 5], 5: [], 6: [5]}
MEANINGS = [0, 1, 2, 3, 4, 5, 6]
CLASSES = [2, 3, 4, 6]
# Meanings under each node, itself included: animal 5, dog 3, thing 7, all others 1.
ANIMAL, DOG, LEAF = math.log(7 / 5), math.log(7 / 3), math.log(7)


@pytest.mark.parametrize(
    ("meaning", "classes"),
    [
        pytest.param(2, [0, 2 * LEAF - 2 * DOG, 2 * LEAF - 2 * ANIMAL, 2 * LEAF], id="poodle"),
        pytest.param(
            1,
            [
                CLASS_UNDER * (LEAF - DOG),
                CLASS_UNDER * (LEAF - DOG),
                DOG + LEAF - 2 * ANIMAL,
                DOG + LEAF,
            ],
            id="dog, over two classes",
        ),
        pytest.param(5, [CLASS_UNDER * LEAF] * 4, id="thing, over all"),
    ],
)
def test_distances_by_hand(meaning: int, classes: list[float]):
    found = distances(ANCESTORS, MEANINGS, CLASSES)[MEANINGS.index(meaning)]
    np.testing.assert_allclose(found, classes, atol=1e-6)


def test_answers_sum_to_one_and_prefer_what_is_near():
    answers = simulated_answers(distances(ANCESTORS, MEANINGS, CLASSES))
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-6)
    poodle = answers[MEANINGS.index(2)]
    assert list(np.argsort(-poodle)) == [0, 1, 2, 3]
    dog = answers[MEANINGS.index(1)]
    assert dog[0] == pytest.approx(dog[1])
