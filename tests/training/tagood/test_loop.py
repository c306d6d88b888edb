"""Training a TagOOD lowers its loss, and goes on where it was stopped."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from calibration.scores.protocol import Pictures
from calibration.tagood import TagOod
from novic.errors import UsageError
from novic.tagood.model import features_of
from novic.tagood.projector import Projector
from novic.tagood.tokens import TaggedTokens
from tests.novic.tagood.samples import SIZES, pictures
from training.distilling.distil import TrainingStopped
from training.loop_config import RunOptions
from training.step import TrainingError
from training.tagood.config import TagoodConfig
from training.tagood.loop import TagoodData, train_tagood

SHORT = TagoodConfig(epochs=8, batch_size=16, learning_rate=3e-3)


def data(count: int = 48) -> TagoodData:
    return TagoodData(*pictures(count))


def run(
    out: Path, config: TagoodConfig = SHORT, options: RunOptions | None = None
) -> tuple[dict[str, float], dict[str, Tensor], np.ndarray, Projector]:
    torch.manual_seed(7)
    projector = Projector(SIZES)
    centres, told = train_tagood(projector, data(), config, out, identity={}, options=options)
    assert not projector.training
    return told, projector.state_dict(), centres, projector


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple:
    folder = tmp_path_factory.mktemp("trained")
    return folder, *run(folder)


def test_the_losses_fall_and_the_classes_are_learnt(trained: tuple):
    folder, told, *_ = trained
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert lines[-1]["loss_centre"] < lines[0]["loss_centre"]
    assert told["loss"] < told["first_loss"]
    assert told["first_centre"] == pytest.approx(8, abs=2)
    assert told["right"] > 0.9


def test_new_pictures_of_the_classes_score_lower_than_others(trained: tuple):
    *_, centres, projector = trained
    rng = np.random.default_rng(5)
    others = [
        TaggedTokens(
            (0,), (1,), np.ones(6, np.float32), rng.normal(size=(4, 16)).astype(np.float32)
        )
        for _ in range(30)
    ]
    fitted = TagOod(centres).fit(Pictures())
    known = fitted.score(Pictures(projected=features_of(projector, pictures(30, seed=2)[0])))
    unknown = fitted.score(Pictures(projected=features_of(projector, others)))
    assert np.median(known) < np.quantile(unknown, 0.1)


def test_a_run_that_was_stopped_ends_with_the_same_weights_and_centres(
    trained: tuple, tmp_path: Path
):
    folder, told, whole, centres, _ = trained
    asked = iter([False] * 6 + [True] * 100)
    with pytest.raises(TrainingStopped, match="stopped after step 7 of 24; the same command"):
        run(tmp_path, options=RunOptions(stopping=lambda: next(asked)))
    again, weights, others, _ = run(tmp_path)
    assert again == told
    assert all(torch.equal(weights[name], whole[name]) for name in whole)
    np.testing.assert_array_equal(others, centres)
    assert (tmp_path / "metrics.jsonl").read_text() == (folder / "metrics.jsonl").read_text()


def test_torch_draws_as_before_when_it_is_done(tmp_path: Path):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    projector = Projector(SIZES)
    torch.manual_seed(3)
    train_tagood(projector, data(6), replace(SHORT, epochs=1), tmp_path, identity={})
    assert torch.equal(torch.rand(2), expected)


def test_one_pass_is_another_training_than_two(trained: tuple, tmp_path: Path):
    _, one, _, _ = run(tmp_path, replace(SHORT, epochs=2, two_passes=False))
    _, two, _, _ = run(tmp_path / "two", replace(SHORT, epochs=2))
    assert not torch.equal(one["cls_token"], two["cls_token"])


def test_means_are_those_of_all_pictures_in_the_end(tmp_path: Path):
    _, _, centres, projector = run(tmp_path, replace(SHORT, epochs=2, centres="means"))
    some, labels = pictures(48)
    features = features_of(projector, some)
    for label in range(3):
        mean = features[labels == label].mean(axis=0).reshape(4, 4)
        np.testing.assert_allclose(centres[label], mean, atol=1e-6)


def test_another_run_is_not_gone_on_with(trained: tuple):
    folder = trained[0]
    with pytest.raises(TrainingError, match=r"training\.learning_rate was 0.003 and is now 0.1"):
        run(folder, replace(SHORT, learning_rate=0.1))


def test_what_cannot_be_trained_is_refused(tmp_path: Path):
    some, labels = pictures(6)
    for wrong in (TagoodData([], labels[:0]), TagoodData(some, labels + 1)):
        with pytest.raises(UsageError, match="needs pictures of its 3 classes, and of no others"):
            train_tagood(Projector(SIZES), wrong, SHORT, tmp_path, identity={})
    nan = [replace(one, tokens=one.tokens * np.float32(np.nan)) for one in some]
    with pytest.raises(TrainingError, match="the loss of step 1 is not finite"):
        train_tagood(Projector(SIZES), TagoodData(nan, labels), SHORT, tmp_path, identity={})
