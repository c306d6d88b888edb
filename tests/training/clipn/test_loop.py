"""Training lowers every loss, with images and without, and goes on where it was stopped."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from novic.clipn.head import HeadSizes, NoHead
from novic.clipn.tower import NoTextTower
from novic.embedders.openclip import OpenClipEmbedder
from novic.errors import UsageError
from tests.novic.clipn.known import small_openclip
from tests.training.hashed import HashedEmbedder
from training.clipn.config import ClipnConfig
from training.clipn.loop import ClipnData, train_clipn
from training.clipn.sides import CaptionSide, HeadSide, TemplateSide
from training.distilling.distil import TrainingStopped
from training.loop_config import RunOptions
from training.step import TrainingError

NOUNS = tuple(f"thing {number}" for number in range(60))
SHORT = ClipnConfig(scale=10, steps=40, batch_size=32, learning_rate=3e-3, most_noise=0.5)
IDENTITY = {"embedder": "hashed"}


def head_side(seed: int = 0) -> HeadSide:
    torch.manual_seed(seed)
    vectors = torch.from_numpy(HashedEmbedder(width=24).embed_texts(NOUNS))
    return HeadSide(NoHead(HeadSizes(24, hidden=48)), vectors)


def run(
    out: Path,
    config: ClipnConfig = SHORT,
    data: ClipnData | None = None,
    options: RunOptions | None = None,
) -> tuple[dict[str, float], dict[str, Tensor]]:
    side = head_side()
    told = train_clipn(
        side, data or ClipnData(NOUNS), config, out, identity=IDENTITY, options=options
    )
    assert not side.module.training
    return told, side.module.state_dict()


def lines(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def lowered(out: Path) -> None:
    first, *_, last = lines(out)
    for name in ("loss", "loss_yes", "loss_no", "loss_opposite"):
        assert last[name] < first[name]


def test_on_texts_alone_every_loss_falls(tmp_path: Path):
    told, _ = run(tmp_path)
    lowered(tmp_path)
    assert told["first_loss"] == pytest.approx(1.688147, abs=1e-5)
    assert told["loss_yes"] < np.log(2)
    assert told["loss_no"] < np.log(2)


def test_with_images_every_loss_falls(tmp_path: Path):
    texts = head_side().vectors
    owners = torch.arange(len(NOUNS)).repeat(2)
    noise = 0.1 * torch.randn(120, 24, generator=torch.Generator().manual_seed(1))
    images = torch.nn.functional.normalize(texts[owners] + noise)
    data = ClipnData(NOUNS, images=images, owners=owners)
    told, weights = run(tmp_path / "pairs", replace(SHORT, most_noise=0), data)
    lowered(tmp_path / "pairs")
    assert told["first_loss"] == pytest.approx(1.688147, abs=1e-5)
    _, others = run(tmp_path / "texts", replace(SHORT, most_noise=0))
    assert not torch.equal(weights["outer.weight"], others["outer.weight"])


def test_a_run_that_was_stopped_ends_with_the_same_weights(tmp_path: Path):
    told, whole = run(tmp_path / "whole")
    asked = iter([False] * 7 + [True] * 100)
    with pytest.raises(TrainingStopped, match="stopped after step 8 of 40; the same command"):
        run(tmp_path / "stopped", options=RunOptions(stopping=lambda: next(asked)))
    again, weights = run(tmp_path / "stopped")
    assert again == told
    assert all(torch.equal(weights[name], whole[name]) for name in whole)
    assert lines(tmp_path / "stopped") == lines(tmp_path / "whole")
    done, _ = run(tmp_path / "stopped")
    assert done == told


def test_another_run_is_not_gone_on_with(tmp_path: Path):
    run(tmp_path, replace(SHORT, steps=2))
    with pytest.raises(TrainingError, match=r"training\.scale was 10 and is now 20"):
        run(tmp_path, replace(SHORT, steps=2, scale=20))
    with pytest.raises(TrainingError, match="data_sha256 was"):
        run(tmp_path, replace(SHORT, steps=2), ClipnData((*NOUNS[:-1], "other")))


def test_related_texts_are_part_of_the_run(tmp_path: Path):
    _, alone = run(tmp_path / "alone", replace(SHORT, steps=3))
    pairs = [(one, two) for one in range(30) for two in range(30, 60)]
    data = ClipnData(NOUNS, related=pairs)
    _, related = run(tmp_path / "related", replace(SHORT, steps=3), data)
    assert not torch.equal(alone["outer.weight"], related["outer.weight"])


def test_what_cannot_be_trained_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="two pairs at least, got 1"):
        run(tmp_path, data=ClipnData(NOUNS[:1]))
    with pytest.raises(TrainingError, match="loss of step 1 is not finite"):
        run(tmp_path, data=ClipnData(NOUNS, images=torch.full((4, 24), torch.nan), owners=OWNERS))


OWNERS = torch.tensor([0, 1, 2, 3])


@pytest.mark.parametrize(
    "changed",
    [{"steps": 0}, {"batch_size": 1}, {"scale": 0}, {"most_noise": -1}, {"learning_rate": np.inf}],
    ids=str,
)
def test_settings_that_mean_nothing_are_refused(changed: dict[str, float]):
    with pytest.raises(UsageError):
        ClipnConfig(**{"scale": 10, **changed})  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> OpenClipEmbedder:
    return small_openclip(tmp_path_factory.mktemp("clip"))


CAPTIONS = tuple(f"a photo of a {word}" for word in ("cat", "dog", "bus", "cup", "key", "hat"))
TOWERS = replace(SHORT, scale=14.3, steps=6, batch_size=6, learning_rate=1e-3)


def test_a_tower_learns_captions_with_images(embedder: OpenClipEmbedder, tmp_path: Path):
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (len(CAPTIONS), 3), dtype=np.uint8)
    pictures = [np.full((30, 30, 3), colour) for colour in colours]
    images = torch.from_numpy(embedder.embed_images(pictures))
    side = CaptionSide(NoTextTower(embedder.clip), embedder, CAPTIONS)
    data = ClipnData(CAPTIONS, images=images, owners=torch.arange(len(CAPTIONS)))
    before = {name: one.clone() for name, one in embedder.clip.state_dict().items()}
    config = replace(TOWERS, steps=25, most_noise=0, close=1.1)
    told = train_clipn(side, data, config, tmp_path, identity={})
    assert told["first_loss"] == pytest.approx(1.688147, abs=1e-4)
    lowered(tmp_path)
    after = embedder.clip.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_tower_learns_captions_alone(embedder: OpenClipEmbedder, tmp_path: Path):
    side = CaptionSide(NoTextTower(embedder.clip), embedder, CAPTIONS)
    config = replace(TOWERS, close=1.1)
    told = train_clipn(side, ClipnData(CAPTIONS), config, tmp_path, identity={})
    assert told["first_loss"] == pytest.approx(1.688147, abs=1e-4)
    lowered(tmp_path)


def test_a_tower_without_prompts_learns_pairs_of_templates(
    embedder: OpenClipEmbedder, tmp_path: Path
):
    tower = NoTextTower(embedder.clip, learnable=False)
    side = TemplateSide(tower, embedder, [caption.split()[-1] for caption in CAPTIONS])
    rows = torch.arange(len(CAPTIONS))
    texts, no_texts = side.both(rows, torch.Generator().manual_seed(0))
    assert not torch.allclose(texts, no_texts, atol=1e-3)
    assert not texts.requires_grad
    data = ClipnData([caption.split()[-1] for caption in CAPTIONS])
    train_clipn(side, data, replace(TOWERS, steps=25, close=1.1), tmp_path, identity={})
    first, *_, last = lines(tmp_path)
    assert last["loss"] < first["loss"]
