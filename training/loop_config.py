"""What a training run is given: how it trains, what it learns, and how it reports and stops.

`TrainConfig` and `TrainingData` decide the weights that come out, `RunOptions` does not. The run
itself is `training.loop`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from novic.errors import UsageError
from novic.tokens import NounTokens
from training.batches import BatchSource
from training.noise import UPSTREAM, NoiseConfig

CHECKPOINT_EVERY_S = 600.0
"""Pause between checkpoints. A multiple of what writing one takes, and what a kill costs at most;
upstream's pause, 12 to 48 chunks (novic_spec §7.4), is hours."""

type Report = Callable[[str, int, int, str], None]
"""Told of progress: the stage, what is done of how much, and figures to show."""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How a decoder is trained; the defaults are those of upstream's released models."""

    epochs: int = 18
    batch_size: int = 512
    accumulate: int = 16
    """Batches whose losses are averaged into one step."""
    learning_rate: float = 1.5e-3
    """In the first chunk; falls as a cosine."""
    final_rate: float = 0.0
    """In the last chunk."""
    warmup_chunks: int = 0
    chunk_scale: int = 50
    """Samples for every noun in a chunk, in which the rate stands still."""
    weight_decay: float = 0.1
    gradient_clip: float = 1.0
    noise: NoiseConfig = UPSTREAM
    multi_target: bool = True
    """Train all targets of a sample; otherwise its first."""
    use_weights: bool = True
    """Weigh targets as the cache says; otherwise all alike."""
    held_out: float = 0.005
    """Share of the distinct vectors that are only measured."""
    seed: int = 0
    bfloat16: bool = False
    """Multiply matrices in bfloat16; weights, sums and the optimiser stay in float32."""
    tf32: bool = True
    """Multiply float32 matrices in TF32 on CUDA."""
    compile: bool = False
    """Compile the decoder's layers; worth its minute on long runs."""
    deterministic: bool = False
    """Refuse operations whose result depends on their order, which CUDA has."""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing.

        Raises:
            UsageError: If one is out of its range.
        """
        for name in ("epochs", "batch_size", "accumulate", "chunk_scale"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("learning_rate", "gradient_clip"):
            if not 0 < getattr(self, name) < math.inf:
                raise UsageError(f"{name} must be above 0, got {getattr(self, name)}")
        for name in ("final_rate", "weight_decay", "warmup_chunks"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UsageError(f"{name} must be 0 or more, got {getattr(self, name)}")
        if not 0 <= self.held_out < 1:
            raise UsageError(f"held_out must be from 0 to below 1, got {self.held_out}")


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """What is learnt."""

    source: BatchSource
    tokens: NounTokens
    """Of the source's nouns."""
    embedder: str
    """Spec of the embedder that made the vectors."""
    cache: str
    """What tells this cache from any other, for example a SHA-256."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What does not change the result of a run."""

    report: Report = lambda *_: None
    """Told of progress."""
    stopping: Callable[[], bool] = lambda: False
    """Asked between steps; if true, the run ends after a checkpoint."""
    tensorboard: bool = False
    """Also write metrics for TensorBoard."""
    checkpoint_every_s: float = CHECKPOINT_EVERY_S
    """Pause between checkpoints, seconds."""
    command: str = ""
    """What was typed, for the bundle's provenance."""
