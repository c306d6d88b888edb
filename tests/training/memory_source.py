"""A small data set in memory for tests of training, and a run of it that a test can kill."""

from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from novic.decoder import DecoderConfig
from tests.novic.builders import random_nouns
from training.batches import NO_TARGET, Batch
from training.loop import train
from training.loop_config import RunOptions, TrainConfig, TrainingData
from training.noise import NoiseConfig

NOUNS, TEXTS, WIDTH = 24, 20, 24


@dataclass
class MemorySource:
    """Samples in an order of the seed and the epoch."""

    samples: Batch
    nouns: tuple[str, ...]
    width: int = WIDTH

    def __len__(self) -> int:
        return len(self.samples.vectors)

    def batches(self, batch_size: int, *, seed: int, epoch: int, first: int = 0) -> Iterator[Batch]:
        chance = torch.Generator().manual_seed(1000 * seed + epoch)
        order = torch.randperm(len(self), generator=chance)
        for at in range(first * batch_size, len(self) - batch_size + 1, batch_size):
            rows = order[at : at + batch_size]
            yield Batch(*(table[rows] for table in self._tables()))

    def _tables(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.samples.vectors, self.samples.targets, self.samples.weights


def small_data(cache: str = "memory", embedder: str = "starter") -> TrainingData:
    """Twenty texts of each noun, near the noun's own vector; some name a second noun."""
    chance = torch.Generator().manual_seed(0)
    tokens = random_nouns(NOUNS, 30, 5)
    own = functional.normalize(torch.randn(NOUNS, WIDTH, generator=chance), dim=1)
    first = torch.arange(NOUNS).repeat_interleave(TEXTS)
    second = torch.randint(NOUNS, (len(first),), generator=chance)
    alone = torch.rand(len(first), generator=chance) < 0.7
    mixed = own[first] + 0.9 * own[second] * (~alone)[:, None]
    mixed += 0.05 * torch.randn(len(first), WIDTH, generator=chance)
    targets = torch.stack([first, second.masked_fill(alone, NO_TARGET)], dim=1)
    real = targets != NO_TARGET
    weights = real / real.sum(dim=1, keepdim=True)
    samples = Batch(functional.normalize(mixed, dim=1), targets, weights)
    return TrainingData(MemorySource(samples, tokens.nouns), tokens, embedder, cache)


def small_sizes(data: TrainingData) -> DecoderConfig:
    tokens = data.tokens
    return DecoderConfig(WIDTH, tokens.vocabulary, tokens.max_tokens, 48, 48, 2, 4, prefix=2)


CONFIG = TrainConfig(
    epochs=5,
    batch_size=32,
    accumulate=2,
    learning_rate=3e-3,
    chunk_scale=8,
    noise=NoiseConfig("GaussElemUniformAngle", norm=0.3, least_deg=5, most_deg=20, mix=0.2),
    held_out=0.08,
    seed=3,
)


def train_aloud(out: Path, steps: Connection) -> None:
    """Train, with a checkpoint after every few steps; send the number of each step."""

    def told(_: str, done: int, *__: object) -> None:
        steps.send(done)

    data = small_data()
    options = RunOptions(report=told, checkpoint_every_s=0.02)
    train(data, small_sizes(data), CONFIG, out, options=options)
