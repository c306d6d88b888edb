"""What training reads: vectors with the nouns that they may be decoded to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

NO_TARGET = -1
"""Fills the targets of a sample that has fewer than M."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Samples of one training step, on the CPU and free to be written to."""

    vectors: Tensor
    """Unit vectors of texts [B, F], float32."""
    targets: Tensor
    """Numbers of nouns from 0, or NO_TARGET behind the last [B, M], int64; the first is real."""
    weights: Tensor
    """Of the targets [B, M], float32; positive for real targets and 0 for the others."""


class BatchSource(Protocol):
    """A data set of samples in an order that the seed and the epoch decide."""

    nouns: tuple[str, ...]
    """Target nouns in the order of their numbers."""
    width: int
    """F."""

    def __len__(self) -> int:
        """Samples in an epoch, repeats counted."""
        ...

    def batches(self, batch_size: int, *, seed: int, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Full batches of one epoch; an incomplete last one is dropped.

        Args:
            batch_size: Samples in a batch.
            seed: Of the order.
            epoch: From 0; another epoch, another order.
            first: Batches to skip, cheaply; a resumed run gets what it had not seen.
        """
        ...
