"""What is asked of a pretrained network that describes the cells of a picture."""

from abc import ABC, abstractmethod

import torch
from torch import nn

from detectors.base import DetectorError


class BackboneError(DetectorError):
    """A detector's weights are not installed or not the tested ones; the text says what to do."""

    exit_code = 4


class Backbone(ABC):
    """A pretrained network and how it is read out."""

    name: str
    network: nn.Module
    """In evaluation mode on the CPU; its parameters need no gradient."""
    sha256: str
    """Of its weights: a detector that was fitted with others is refused."""
    channels: int
    """Channels that come out."""
    stride: int
    """Pixels of a picture per cell of its features, in both directions."""
    step: int
    """Sides of a picture are multiples of this."""
    made_of: str = ""
    """All that `net` depends on but its arguments; empty if that is not known."""

    @abstractmethod
    def net(self, chosen: torch.Tensor, size: tuple[int, int]) -> nn.Module:
        """From pictures to features.

        Args:
            chosen: Indices of the channels kept [D], int64, below `channels`.
            size: (H, W) of the pictures, multiples of `step`.

        Returns:
            A module from RGB uint8 [B, H, W, 3] to features [B, D, H / stride, W / stride].
        """


def choose_channels(most: int, count: int, seed: int) -> torch.Tensor:
    """Draw the channels that the detector looks at (PaDiM, Defard et al. 2021, section III-B).

    Args:
        most: How many there are.
        count: How many are wanted, at most all.
        seed: Same seed, same channels.

    Returns:
        Sorted indices [count], int64.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(most, generator=generator)
    return order[:count].sort().values


def checked_channels(most: int, chosen: torch.Tensor) -> torch.Tensor:
    """Channels that a saved detector looked at.

    Raises:
        ValueError: If they are not what `choose_channels` could have drawn.
    """
    if chosen.dtype != torch.int64 or chosen.ndim != 1 or not 1 <= len(chosen) <= most:
        raise ValueError(f"chosen {chosen.dtype} {tuple(chosen.shape)}: must list channels")
    if chosen.min() < 0 or chosen.max() >= most or (chosen.diff() <= 0).any():
        raise ValueError(f"chosen: must be channels below {most}, each once and ascending")
    return chosen
