"""What TagOOD is trained by (Li et al. 2024; tagood_spec §4)."""

from torch import Tensor
from torch.nn import functional

LEAST, MOST = 1e-5, 1e3
"""Between which the total is clamped."""


def centre_loss(features: Tensor, centres: Tensor) -> Tensor:
    """How far vectors are from the centres of their classes.

    About 8 at first for 4 patterns: the last norm gives vectors a variance of 1, and centres are
    drawn with the same.

    Args:
        features: z [B, W].
        centres: Of each one's class [B, P, W / P].

    Returns:
        Mean over the pictures of the sum over the patterns of the mean square, a scalar.
    """
    parted = features.view(centres.shape)
    return (parted - centres).square().mean(dim=2).sum(dim=1).mean()


def total_loss(logits: Tensor, labels: Tensor, centre: Tensor, weight: float) -> Tensor:
    """What is minimised: cross-entropy and the weighted loss of the centres, clamped.

    Args:
        logits: Of the classes [B, C].
        labels: Of the pictures [B].
        centre: The loss of the centres.
        weight: Of it.
    """
    return (weight * centre + functional.cross_entropy(logits, labels)).clamp(LEAST, MOST)
