"""What is done to maps of distances before they are judged."""

import math

import torch
from torch.nn import functional


def blur(maps: torch.Tensor, spread: float) -> torch.Tensor:
    """Gaussian blur at the map's own resolution, edges mirrored.

    Args:
        maps: [B, h, w].
        spread: Standard deviation in cells; 0 leaves the maps as they are.
    """
    if spread <= 0:
        return maps
    reach = min(math.ceil(3 * spread), maps.shape[1] - 1, maps.shape[2] - 1)
    steps = torch.arange(-reach, reach + 1, device=maps.device, dtype=maps.dtype)
    kernel = torch.exp(-0.5 * (steps / spread) ** 2)
    kernel = kernel / kernel.sum()
    padded = functional.pad(maps[:, None], (reach, reach, reach, reach), mode="reflect")
    rows = functional.conv2d(padded, kernel[None, None, None, :])
    return functional.conv2d(rows, kernel[None, None, :, None])[:, 0]
