"""Trains a CLIPN's "no" side, on pairs of image and text or on texts alone (Wang et al. 2023).

Where there are no images, a text's own vector with noise stands for its image, as NOVIC's decoder
is trained (novic_spec §6). All chance of a step comes from the run's seed and the step's number, so
that a run that goes on from its checkpoint ends with the same weights, bit for bit, as one that
was never stopped (same machine, same number of threads).
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

from novic.errors import UsageError
from training.checkpoint import load_tensors, save_checkpoint
from training.clipn.config import ClipnConfig
from training.clipn.losses import Losses, clipn_losses
from training.clipn.relatives import Relatives
from training.clipn.sides import Side
from training.loop_config import RunOptions
from training.metrics_log import MetricsLog
from training.noise import gauss_elem
from training.schedule import learning_rate
from training.step import TrainingError
from training.steps import WORK, make_steps, same_run

BETAS, EPSILON = (0.9, 0.98), 1e-6
"""Of AdamW, as in the released models."""
SEED_STRIDE = 1_000_000_007
"""Keeps the steps of neighbouring seeds apart."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipnData:
    """What is learnt."""

    texts: Sequence[str]
    """M of them."""
    related: Iterable[tuple[int, int]] = ()
    """Numbers of texts that one image may show at once."""
    images: Tensor | None = None
    """Unit vectors [K, F] on the device, in the space of the texts' vectors; None to train on the
    texts alone."""
    owners: Tensor | None = None
    """Number of each image's text [K]."""

    @property
    def pairs(self) -> int:
        """How many there are to draw from."""
        return len(self.texts) if self.images is None else len(self.images)


@dataclass(slots=True)
class _Sums:
    """Of the steps since the last line."""

    steps: int = 0
    yes: float = 0.0
    no: float = 0.0
    opposite: float = 0.0

    def add(self, losses: Losses) -> None:
        self.steps += 1
        self.yes += float(losses.yes.detach())
        self.no += float(losses.no.detach())
        self.opposite += float(losses.opposite.detach())

    def means(self) -> dict[str, float]:
        """Of each loss and the total."""
        yes, no, opposite = (value / self.steps for value in (self.yes, self.no, self.opposite))
        total = (yes + no + opposite) / 2
        return {"loss": total, "loss_yes": yes, "loss_no": no, "loss_opposite": opposite}


def train_clipn(
    side: Side,
    data: ClipnData,
    config: ClipnConfig,
    out: Path,
    *,
    identity: dict[str, Any],
    options: RunOptions | None = None,
) -> dict[str, float]:
    """Train the "no" side; goes on from the folder's checkpoint if there is one.

    Args:
        side: What is trained; in training mode while it is, in eval mode afterwards.
        data: Texts, and images if there are any.
        config: How.
        out: Gets `metrics.jsonl` and, in `work`, the checkpoint.
        identity: What else must be the same for a run to go on: the embedder, for example.
        options: Progress, stopping, checkpoints.

    Returns:
        Mean losses of the first step and of the last ones.

    Raises:
        UsageError: If there are fewer than two pairs.
        TrainingError: If the folder holds the checkpoint of another run, a loss is not finite, or a
            checkpoint cannot be written.
        TrainingStopped: If `options.stopping` said so.
    """
    if data.pairs < 2:
        raise UsageError(f"a CLIPN is trained on two pairs at least, got {data.pairs}")
    options = options or RunOptions()
    whole = {**identity, "data_sha256": _data_sha256(data), "training": asdict(config)}
    run = _Run(side, data, config, whole)
    run.resume(out / WORK)
    log = MetricsLog(out, run.done, tensorboard=options.tensorboard)
    try:
        side.module.train()
        make_steps(run, out / WORK, log, options)
    finally:
        side.module.eval()
        log.close()
    return {**log.last(), "first_loss": run.first}


class _Run:
    """A run under way."""

    def __init__(
        self, side: Side, data: ClipnData, config: ClipnConfig, identity: dict[str, Any]
    ) -> None:
        self.side, self.data, self.config, self.identity = side, data, config, identity
        self.done = 0
        self.first = 0.0
        self.sums = _Sums()
        self._relatives = Relatives(side.vectors, data.related, config.close)
        weights = list(side.module.parameters())
        groups = [
            {"params": [w for w in weights if w.ndim >= 2], "weight_decay": config.weight_decay},
            {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0},
        ]
        rate = config.learning_rate
        self.optimiser = torch.optim.AdamW(groups, lr=rate, betas=BETAS, eps=EPSILON)

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
        load_tensors(folder, self.done, self.side.module, self.optimiser)

    def save(self, work: Path) -> None:
        """Write a checkpoint."""
        state = {"run": self.identity, "first": self.first, "sums": asdict(self.sums)}
        save_checkpoint(work, self.done, state, self.side.module, self.optimiser)

    @property
    def steps(self) -> int:
        """Of the whole run."""
        return self.config.steps

    def means(self) -> dict[str, float]:
        """Of the steps since the last line; the next begin anew."""
        means, self.sums = self.sums.means(), _Sums()
        return means

    def step(self) -> float:
        """Make a step and give its total loss.

        Raises:
            TrainingError: If it is not finite.
        """
        config = self.config
        generator = Generator().manual_seed(config.seed * SEED_STRIDE + self.done)
        images, rows = self._drawn(generator)
        texts, no_texts = self.side.both(rows, generator)
        images = texts if images is None else images
        images = _noised(images, config.most_noise, generator)
        related = self._relatives.among(rows).to(texts.device)
        losses = clipn_losses(images, texts, no_texts, config.scale, related)
        total = float(losses.total.detach())
        if not torch.isfinite(losses.total):
            raise TrainingError(f"the loss of step {self.done + 1} is not finite; lower --lr")
        losses.total.backward()
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.done, config.steps, config.learning_rate)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.first = self.first if self.done else total
        self.sums.add(losses)
        self.done += 1
        return total

    def _drawn(self, generator: Generator) -> tuple[Tensor | None, Tensor]:
        """Images of a batch, if there are any, and the numbers of their texts."""
        size = min(self.config.batch_size, self.data.pairs)
        # Without repetition within a step; which ones were seen before does not matter.
        chosen = torch.randperm(self.data.pairs, generator=generator)[:size]
        if self.data.images is None or self.data.owners is None:
            return None, chosen
        return self.data.images[chosen.to(self.data.images.device)], self.data.owners[chosen]


def _noised(vectors: Tensor, most: float, generator: Generator) -> Tensor:
    """Vectors moved by noise of a length drawn for each; the generator is on the CPU."""
    if not most:
        return vectors
    lengths = most * torch.rand(len(vectors), 1, generator=generator)
    return gauss_elem(vectors.cpu(), lengths, generator).to(vectors.device)


def _data_sha256(data: ClipnData) -> str:
    """Of the texts, and of the images where there are any."""
    digest = hashlib.sha256(json.dumps(list(data.texts)).encode())
    if data.images is not None and data.owners is not None:
        digest.update(data.images.detach().cpu().numpy().tobytes())
        digest.update(data.owners.numpy().tobytes())
    return digest.hexdigest()
