"""Distances of features to one Gaussian per cell, fused for speed."""

from collections.abc import Mapping
from copy import copy

import numpy as np
import torch
from torch.nn.functional import pad

_ROUNDS = torch.backends.cpu.get_cpu_capability() == "AVX512"
"""Whether torch multiplies in bfloat16 quickly: with AVX-512 in half of float32's time, which is
that of reading from memory, without it in three times as much."""


BLOCK = 32
"""Columns of a whitening matrix that are kept together. Above its diagonal there is nothing, and of
blocks so wide a third less has to be read than of the whole."""


class CellGaussians:
    """A mean and a whitening matrix for every cell of a map."""

    def __init__(self, mean: torch.Tensor, whitening: torch.Tensor, grid: tuple[int, int]) -> None:
        """Keep what `distances` needs.

        Args:
            mean: Per cell, rows first [h * w, D], float32.
            whitening: Per cell the lower Cholesky factor of the inverse covariance
                [h * w, D, D], float32 or bfloat16.
            grid: (h, w).
        """
        depth = mean.shape[1]
        starts = range(0, max(1, depth - BLOCK // 2), BLOCK)
        self.grid = grid
        self._mean = mean.T.contiguous()  # [D, h * w], as features come
        self._blocks = [
            whitening[:, start:, start:end].contiguous()
            for start, end in zip(starts, [*starts[1:], depth], strict=True)
        ]

    @property
    def mean(self) -> torch.Tensor:
        """Per cell, rows first [h * w, D], float32."""
        return self._mean.T

    @property
    def whitening(self) -> torch.Tensor:
        """Per cell the lower Cholesky factor of the inverse covariance [h * w, D, D]."""
        depth = len(self._mean)
        whole = [pad(block, (0, 0, depth - block.shape[1], 0)) for block in self._blocks]
        return torch.cat(whole, dim=2)

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self._mean.nbytes + sum(block.nbytes for block in self._blocks)

    @property
    def rounded(self) -> "CellGaussians":
        """With its whitening in bfloat16: half the memory, which is what a frame has to read.

        Distances then differ by .3% at most (two scenes).
        """
        other = copy(self)
        other._blocks = [block.bfloat16() for block in self._blocks]
        return other

    @classmethod
    def from_inverse(
        cls, mean: torch.Tensor, inverse: torch.Tensor, grid: tuple[int, int]
    ) -> "CellGaussians":
        """From what anomalib's MultiVariateGaussian holds.

        Args:
            mean: [D, h * w].
            inverse: Inverse covariances [h * w, D, D].
            grid: (h, w).
        """
        lower = torch.linalg.cholesky((inverse + inverse.mT) / 2)
        # Kept in half precision on disk: rounded now, so that a loaded detector is the same.
        whitening = lower.contiguous().half().float()
        return cls(mean.T.contiguous(), whitening, grid)

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, torch.Tensor], grid: tuple[int, int]
    ) -> "CellGaussians":
        """What `tensors` gave.

        Args:
            tensors: `mean` [h * w, D], and `whitening` [h * w, D * (D + 1) / 2], the lower
                triangles row by row; any floating type; bfloat16 stays where that is quick.
            grid: (h, w).

        Raises:
            KeyError: If one is missing.
            ValueError: If their shapes do not fit the grid or each other, or they hold values that
                are not finite numbers.
        """
        mean, packed = tensors["mean"], tensors["whitening"]
        cells, depth = mean.shape
        # Before anything of these sizes is made.
        if cells != grid[0] * grid[1] or packed.shape != (cells, depth * (depth + 1) // 2):
            raise ValueError(
                f"mean {tuple(mean.shape)} and whitening {tuple(packed.shape)} do not fit a grid "
                f"of {grid[0]}x{grid[1]} cells"
            )
        for name in ("mean", "whitening"):
            values = tensors[name]
            if not values.is_floating_point() or not torch.isfinite(values.float()).all():
                raise ValueError(f"{name} holds values that are not finite numbers")
        rows, columns = torch.tril_indices(depth, depth)
        kept = torch.bfloat16 if packed.dtype == torch.bfloat16 and _ROUNDS else torch.float32
        whitening = torch.zeros(cells, depth, depth, dtype=kept)
        whitening[:, rows, columns] = packed.to(kept)
        return cls(mean.float(), whitening, grid)

    def tensors(self) -> dict[str, torch.Tensor]:
        """Everything as tensors on the CPU.

        Returns:
            `mean` [h * w, D], float32, and `whitening` [h * w, D * (D + 1) / 2], the triangles row
            by row, float16, or bfloat16 if it is.
        """
        depth = len(self._mean)
        rows, columns = torch.tril_indices(depth, depth)
        packed = self.whitening.cpu()[:, rows, columns]
        exact = packed if packed.dtype == torch.bfloat16 else packed.half()
        return {"mean": self.mean.cpu().contiguous(), "whitening": exact}

    def distances(self, features: torch.Tensor) -> torch.Tensor:
        """Mahalanobis distance of every cell.

        Args:
            features: [B, D, h, w], float32.

        Returns:
            Distances [B, h, w], float32.
        """
        batch, depth, height, width = features.shape
        apart = features.reshape(batch, depth, height * width) - self._mean
        cells = apart.to(self._blocks[0].dtype).permute(2, 0, 1)  # [h * w, B, D]
        squares = torch.zeros(height * width, batch, device=features.device)
        for block in self._blocks:
            below = cells[:, :, depth - block.shape[1] :].contiguous()
            squares += _multiply(below, block).float().square_().sum(dim=2)
        return squares.sqrt_().T.reshape(batch, height, width)

    def to(self, device: torch.device) -> "CellGaussians":
        """The same on another device."""
        other = copy(self)
        other._mean = self._mean.to(device)
        other._blocks = [block.to(device) for block in self._blocks]
        return other


def _multiply(rows: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    """Products [n, B, k] of [n, B, d] and [n, d, k]."""
    if matrices.dtype == torch.bfloat16 or rows.device.type != "cpu":
        return torch.bmm(rows, matrices)
    # In float32 torch.bmm takes ten times as long as numpy for thousands of such small products.
    return torch.from_numpy(np.matmul(rows.numpy(), matrices.numpy()))
