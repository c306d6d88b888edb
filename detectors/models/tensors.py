"""What models do alike with what they learn and what they saved."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch

SMALLEST_VARIANCE = 1e-4
"""Of a channel over time; a black view would otherwise get infinite distances."""


def channel_variance(features: torch.Tensor) -> torch.Tensor:
    """Mean variance over time of each channel [D], above 0, of features [N, D, h, w]."""
    return features.var(dim=0).mean(dim=(1, 2)).clamp_min(SMALLEST_VARIANCE)


def checked_tensor(
    tensors: Mapping[str, torch.Tensor],
    name: str,
    shape: tuple[int | None, ...],
    above: float = -torch.inf,
) -> torch.Tensor:
    """A saved tensor in float32 on the CPU.

    Args:
        tensors: All that were saved.
        name: Which.
        shape: What it must have; None where any length from 1 on will do.
        above: All values must be.

    Raises:
        KeyError: If it is missing.
        ValueError: If it has another shape or holds values that are not finite numbers.
    """
    found = tensors[name]
    fits = found.ndim == len(shape) and all(
        length == wanted or (wanted is None and length > 0)
        for wanted, length in zip(shape, found.shape, strict=True)
    )
    if not fits:
        wanted = "x".join("any" if length is None else str(length) for length in shape)
        raise ValueError(f"{name} {tuple(found.shape)} does not fit this view: {wanted} is needed")
    if not found.is_floating_point() or not torch.isfinite(found.float()).all():
        raise ValueError(f"{name} holds values that are not finite numbers")
    if (found <= above).any():
        raise ValueError(f"{name} holds values that are not above {above:g}")
    return found.float()


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch from sharing out thousands of tiny matrices.

    Threads that wait for each other took ten times the processor time here, and more than that on
    a busy machine.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
