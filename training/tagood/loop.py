"""Trains a TagOOD's projector and centres on the kept tokens of pictures of known classes.

All chance of a step, dropout too, comes from the run's seed and the step's number: a run that goes
on from its checkpoint ends with the same weights, bit for bit, as one that was never stopped (same
machine, same number of threads).
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator

from novic.errors import UsageError
from novic.tagood.model import features_of
from novic.tagood.projector import Projector
from novic.tagood.tokens import TaggedTokens, padded
from training.checkpoint import load_tensors, save_checkpoint
from training.loop_config import RunOptions
from training.metrics_log import MetricsLog
from training.schedule import learning_rate
from training.step import TrainingError
from training.steps import WORK, make_steps, same_run
from training.tagood.centres import Centres
from training.tagood.config import TagoodConfig
from training.tagood.losses import centre_loss, total_loss

SEED_STRIDE = 1_000_000_007
"""Keeps the steps of neighbouring seeds apart."""


@dataclass(frozen=True, slots=True, eq=False)
class TagoodData:
    """What is learnt."""

    pictures: Sequence[TaggedTokens]
    """Of known classes."""
    labels: NDArray[np.int64]
    """Class of each, 0 to C - 1 [N]."""


@dataclass(slots=True)
class _Sums:
    """Of the steps since the last line."""

    steps: int = 0
    total: float = 0.0
    centre: float = 0.0
    right: float = 0.0


def train_tagood(
    projector: Projector,
    data: TagoodData,
    config: TagoodConfig,
    out: Path,
    *,
    identity: dict[str, Any],
    options: RunOptions | None = None,
) -> tuple[NDArray[np.float32], dict[str, float]]:
    """Train a projector; goes on from the folder's checkpoint if there is one.

    Args:
        projector: What is trained; in training mode while it is, in eval mode afterwards.
        data: Kept tokens.
        config: How.
        out: Gets `metrics.jsonl` and, in `work`, the checkpoint.
        identity: What else must be the same for a run to go on.
        options: Progress, stopping, checkpoints.

    Returns:
        Centres [C, P, W / P], and mean losses of the first step and of the last ones.

    Raises:
        UsageError: If there are no pictures, or a label is none of the projector's classes.
        TrainingError: If the folder holds the checkpoint of another run, a loss is not finite, or a
            checkpoint cannot be written.
        TrainingStopped: If `options.stopping` said so.
    """
    classes = projector.sizes.classes
    if not len(data.pictures) or not set(data.labels.tolist()) <= set(range(classes)):
        raise UsageError(f"a TagOOD needs pictures of its {classes} classes, and of no others")
    options = options or RunOptions()
    whole = {**identity, "data_sha256": _data_sha256(data), "training": asdict(config)}
    run = _Run(projector, data, config, whole)
    run.resume(out / WORK)
    log = MetricsLog(out, run.done, tensorboard=options.tensorboard)
    try:
        projector.train()
        make_steps(run, out / WORK, log, options)
    finally:
        projector.eval()
        log.close()
    told = {**log.last(), "first_loss": run.first["loss"], "first_centre": run.first["centre"]}
    return run.centres_at_end(), told


class _Run:
    """A run under way."""

    def __init__(
        self,
        projector: Projector,
        data: TagoodData,
        config: TagoodConfig,
        identity: dict[str, Any],
    ) -> None:
        self.projector, self.data, self.config, self.identity = projector, data, config, identity
        sizes = projector.sizes
        shape = sizes.classes, sizes.patterns, sizes.width // sizes.patterns
        self.centres = Centres(shape, config.centres, config.momentum, config.seed)
        self.done = 0
        self.first = {"loss": 0.0, "centre": 0.0}
        self.sums = _Sums()
        self._device = projector.cls_token.device
        self._a_pass = ceil(len(data.pictures) / config.batch_size)
        self.optimiser = torch.optim.AdamW(
            projector.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )

    @property
    def steps(self) -> int:
        """Of the whole run."""
        return self.config.epochs * self._a_pass

    def resume(self, work: Path) -> None:
        """Go on from a checkpoint, if there is one.

        Raises:
            TrainingError: If it is of another run.
        """
        found = same_run(work, self.identity)
        if found is None:
            return
        folder, state = found
        self.done, self.first = state["step"], state["first"]
        self.sums = _Sums(**state["sums"])
        besides = self.centres.tensors
        load_tensors(folder, self.done, self.projector, self.optimiser, besides)

    def save(self, work: Path) -> None:
        """Write a checkpoint."""
        state = {"run": self.identity, "first": self.first, "sums": asdict(self.sums)}
        besides = self.centres.tensors
        save_checkpoint(work, self.done, state, self.projector, self.optimiser, besides)

    def means(self) -> dict[str, float]:
        """Of the steps since the last line; the next begin anew."""
        sums, self.sums = self.sums, _Sums()
        named = {"loss": sums.total, "loss_centre": sums.centre, "right": sums.right}
        return {name: value / sums.steps for name, value in named.items()}

    def step(self) -> float:
        """Make a step and give its total loss.

        Raises:
            TrainingError: If it is not finite.
        """
        config = self.config
        rows = self._rows()
        labels = torch.from_numpy(self.data.labels[rows])
        width = self.projector.sizes.width
        batch = padded([self.data.pictures[row].tokens for row in rows], width)
        tokens, padding = (one.to(self._device) for one in batch)
        there = labels.to(self._device)
        own = self.centres.values[labels].to(self._device)
        with _seeded(config.seed * SEED_STRIDE + self.done, self._device):
            first = self.projector(tokens, padding)
            second = self.projector(tokens, padding) if config.two_passes else first
        centre = centre_loss(second.features, own)
        loss = total_loss(first.logits, there, centre, config.centre_weight)
        if not torch.isfinite(loss):
            raise TrainingError(f"the loss of step {self.done + 1} is not finite; lower --lr")
        loss.backward()
        rate = learning_rate(self.done, self.steps, config.learning_rate, config.final_rate)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.centres.update(second.features, labels)
        right = (first.logits.argmax(dim=1) == there).float().mean()
        return self._count(float(loss.detach()), float(centre.detach()), float(right))

    def centres_at_end(self) -> NDArray[np.float32]:
        """The centres [C, P, W / P]; a class without pictures keeps its draw."""
        values = self.centres.values.numpy().copy()
        if self.config.centres == "means":
            features = features_of(self.projector, self.data.pictures)
            for label in np.unique(self.data.labels):
                mean = features[self.data.labels == label].mean(axis=0)
                values[label] = mean.reshape(values.shape[1:])
        return values

    def _count(self, loss: float, centre: float, right: float) -> float:
        if not self.done:
            self.first = {"loss": loss, "centre": centre}
        self.sums.steps += 1
        self.sums.total += loss
        self.sums.centre += centre
        self.sums.right += right
        self.done += 1
        return loss

    def _rows(self) -> NDArray[np.int64]:
        """Numbers of the pictures of this step; every picture once in an epoch."""
        epoch, place = divmod(self.done, self._a_pass)
        generator = Generator().manual_seed(self.config.seed * SEED_STRIDE + epoch)
        order = torch.randperm(len(self.data.pictures), generator=generator).numpy()
        return order[place * self.config.batch_size :][: self.config.batch_size]


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Let torch draw from a seed inside, and as before outside."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def _data_sha256(data: TagoodData) -> str:
    digest = hashlib.sha256(data.labels.tobytes())
    for picture in data.pictures:
        digest.update(picture.tokens.tobytes())
    return digest.hexdigest()
