"""Noise on unit vectors, after NOVIC (arXiv 2407.11211; novic_spec §6).

`n(x)` is x scaled to length 1. All functions draw from the generator they are given, so that a run
can be repeated.
"""

import torch
from torch import Generator, Tensor
from torch.nn import functional


def gauss_elem(vectors: Tensor, norm: Tensor | float, generator: Generator) -> Tensor:
    """n(e + g) with independent normal elements.

    Args:
        vectors: Unit vectors [B, F].
        norm: Root mean square length of g, one for all or one per row [B, 1].
        generator: Source of chance, on the device of the vectors.
    """
    chance = torch.randn(vectors.shape, generator=generator, device=vectors.device)
    return functional.normalize(vectors + norm * chance / vectors.shape[1] ** 0.5, dim=1)


def uniform_angle(
    vectors: Tensor, least_deg: float, most_deg: float, generator: Generator
) -> Tensor:
    """Turn each vector by an angle drawn from least_deg to most_deg, in a random direction.

    Args:
        vectors: Unit vectors [B, F].
        least_deg: Smallest angle, degrees.
        most_deg: Largest angle, degrees.
        generator: Source of chance, on the device of the vectors.
    """
    device = vectors.device
    share = torch.rand(len(vectors), 1, generator=generator, device=device)
    angle = torch.deg2rad(least_deg + (most_deg - least_deg) * share)
    chance = torch.randn(vectors.shape, generator=generator, device=device)
    across = chance - (chance * vectors).sum(dim=1, keepdim=True) * vectors
    return torch.cos(angle) * vectors + torch.sin(angle) * functional.normalize(across, dim=1)
