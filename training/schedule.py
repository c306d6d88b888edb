"""How long a run is and how fast it learns, in upstream's chunks (novic_spec §7.2, §7.3).

A chunk is the time in which the decoder sees about `scale` samples for every noun. The rate stands
still within a chunk and falls as a cosine from chunk to chunk.
"""

import math
from dataclasses import dataclass

from novic.errors import UsageError


@dataclass(frozen=True, slots=True)
class Length:
    """The length of a run, counted in batches and in steps of the optimiser."""

    epoch_batches: int
    """Batches of an epoch, a whole number of steps."""
    chunk_batches: int
    chunks: int
    accumulate: int
    """Batches of a step."""

    @property
    def steps(self) -> int:
        """Steps of the optimiser; a last one that has not all of its batches is not made."""
        return self.chunks * self.chunk_batches // self.accumulate

    def chunk(self, step: int) -> int:
        """The chunk, from 0, in which a step, from 0, is made: that of its last batch."""
        return ((step + 1) * self.accumulate - 1) // self.chunk_batches


def run_length(
    *,
    samples: int,
    nouns: int,
    batch_size: int,
    accumulate: int = 1,
    epochs: int = 18,
    scale: int = 50,
) -> Length:
    """How many batches, chunks and steps a run has.

    A run is a whole number of chunks and may so end a little before its last epoch does. Where not
    even one chunk fits into the epochs, the whole run is one.

    Args:
        samples: In an epoch.
        nouns: To be learnt.
        batch_size: Samples of a batch.
        accumulate: Batches of a step.
        epochs: Passes through the samples at most.
        scale: Samples for every noun in a chunk.

    Raises:
        UsageError: If there are fewer samples than one step takes.
    """
    epoch_batches = samples // batch_size // accumulate * accumulate
    if not epoch_batches:
        raise UsageError(
            f"{samples} samples are fewer than the {batch_size * accumulate} of one step; "
            "lower --batch or --accumulate"
        )
    chunk_batches = max(math.ceil(scale * nouns / batch_size), accumulate, 1)
    chunk_batches = min(chunk_batches, epochs * epoch_batches)
    return Length(epoch_batches, chunk_batches, epochs * epoch_batches // chunk_batches, accumulate)


def learning_rate(
    chunk: int, chunks: int, highest: float, final: float = 0.0, warmup: int = 0
) -> float:
    """Rate in a chunk.

    Args:
        chunk: From 0.
        chunks: Of the whole run.
        highest: At the top of the cosine.
        final: In the last chunk. With 0 the cosine would arrive there one chunk behind the end,
            so that no chunk is wasted.
        warmup: Chunks in which the rate first rises evenly to the highest.
    """
    if chunk < warmup:
        return highest * (chunk + 1) / (warmup + 1)
    period = chunks - warmup - (1 if final > 0 else 0)
    share = (chunk - warmup) / max(period, 1)
    return final + (highest - final) * (1 + math.cos(math.pi * share)) / 2
