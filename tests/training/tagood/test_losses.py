"""TagOOD's losses and running centres against numpy, and what they begin with."""

import numpy as np
import pytest
import torch

from novic.tagood.projector import Projector, ProjectorSizes
from training.tagood.centres import Centres
from training.tagood.config import PUBLISHED, TagoodConfig
from training.tagood.losses import LEAST, MOST, centre_loss, total_loss

RNG = np.random.default_rng(0)
FEATURES, CENTRES = RNG.standard_normal((6, 12)), RNG.standard_normal((3, 4, 3))
LABELS = np.array([0, 1, 1, 2, 0, 0])


def test_the_loss_of_the_centres_is_that_of_numpy():
    own = CENTRES[LABELS]
    expected = np.mean(
        [
            ((z.reshape(4, 3) - c) ** 2).mean(axis=1).sum()
            for z, c in zip(FEATURES, own, strict=True)
        ]
    )
    found = centre_loss(torch.from_numpy(FEATURES), torch.from_numpy(own))
    assert float(found) == pytest.approx(expected)


def test_the_total_is_the_cross_entropy_and_a_tenth_of_it():
    logits = RNG.standard_normal((6, 3))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    entropy = -np.log(shares[np.arange(6), LABELS]).mean()
    given = torch.from_numpy(logits), torch.from_numpy(LABELS)
    found = total_loss(*given, torch.tensor(8.0), 0.1)
    assert float(found) == pytest.approx(0.8 + entropy)
    assert float(total_loss(*given, torch.tensor(1e6), 0.1)) == MOST
    sure = 1e4 * torch.eye(3)[given[1]]
    assert float(total_loss(sure, given[1], torch.tensor(0.0), 0.1)) == pytest.approx(LEAST)


def test_the_first_loss_of_the_centres_is_about_8():
    torch.manual_seed(0)
    projector = Projector(ProjectorSizes(classes=50)).eval()
    centres = Centres((50, 4, 128), "published", 0.999, seed=0)
    with torch.inference_mode():
        found = projector(torch.randn(50, 9, 512), torch.zeros(50, 9, dtype=torch.bool))
    assert float(centre_loss(found.features, centres.values)) == pytest.approx(8, abs=0.3)


def test_of_the_published_centres_the_last_picture_of_a_batch_moves_its_class():
    centres = Centres((3, 4, 3), "published", 0.999, seed=5)
    start = centres.values.numpy().copy()
    centres.update(torch.from_numpy(FEATURES[:5].astype(np.float32)), torch.from_numpy(LABELS[:5]))
    expected = start.copy()
    for label, row in ((0, 4), (1, 2), (2, 3)):
        expected[label] = 0.999 * start[label] + 0.001 * FEATURES[row].reshape(4, 3)
    np.testing.assert_allclose(centres.values, expected, atol=1e-6)


def test_of_the_published_centres_much_of_the_start_is_left():
    centres = Centres((1, 1, 2), "published", 0.999, seed=1)
    start = centres.values.clone()
    for _ in range(870):
        centres.update(torch.zeros(1, 2), torch.zeros(1, dtype=torch.long))
    np.testing.assert_allclose(centres.values / start, 0.4188, atol=1e-3)


def test_corrected_centres_are_the_running_mean_without_the_start():
    centres = Centres((3, 4, 3), "corrected", 0.9, seed=5)
    start = centres.values.clone()
    rows = torch.from_numpy(FEATURES.astype(np.float32))
    labels = torch.from_numpy(np.array([0, 1, 1, 1, 0, 0]))
    centres.update(rows[:3], labels[:3])
    centres.update(rows[3:], labels[3:])
    for label, members in ((0, [0, 4, 5]), (1, [1, 2, 3])):
        weights = 0.9 ** np.arange(len(members))[::-1]
        mean = (weights[:, None] * FEATURES[members]).sum(axis=0) / weights.sum()
        np.testing.assert_allclose(centres.values[label], mean.reshape(4, 3), atol=1e-5)
    assert torch.equal(centres.values[2], start[2])
    share = 1 - 0.9**3
    np.testing.assert_allclose(centres.tensors["shares"][:2], share, atol=1e-6)


@pytest.mark.parametrize(
    "changed",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": 0},
        {"weight_decay": -1},
        {"momentum": 1},
        {"centres": "none"},
    ],
    ids=str,
)
def test_settings_that_mean_nothing_are_refused(changed: dict):
    from novic.errors import UsageError

    with pytest.raises(UsageError):
        TagoodConfig(**changed)


def test_the_published_settings_are_those_of_the_authors():
    config = TagoodConfig(**PUBLISHED)
    assert (config.epochs, config.batch_size, config.learning_rate) == (99, 256, 0.01)
    assert (config.weight_decay, config.final_rate, config.momentum) == (5e-4, 1e-5, 0.999)
    assert (config.centres, config.centre_weight, config.two_passes) == ("published", 0.1, True)
