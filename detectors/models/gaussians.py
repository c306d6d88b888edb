"""Distances of features to one Gaussian per cell, fused for speed."""

from collections.abc import Mapping

import numpy as np
import torch

_ROUNDS = torch.backends.cpu.get_cpu_capability() == "AVX512"
"""Whether torch multiplies in bfloat16 quickly: with AVX-512 in half of float32's time, which is
that of reading from memory, without it in three times as much."""


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
        self.mean = mean
        self.whitening = whitening
        self.grid = grid

    @property
    def rounded(self) -> "CellGaussians":
        """With its whitening in bfloat16: half the memory, which is what a frame has to read.

        Distances then differ by .3% at most (two scenes).
        """
        return CellGaussians(self.mean, self.whitening.bfloat16(), self.grid)

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
        depth = self.mean.shape[1]
        rows, columns = torch.tril_indices(depth, depth)
        packed = self.whitening.cpu()[:, rows, columns]
        exact = packed if packed.dtype == torch.bfloat16 else packed.half()
        return {"mean": self.mean.cpu(), "whitening": exact}

    def distances(self, features: torch.Tensor) -> torch.Tensor:
        """Mahalanobis distance of every cell.

        Args:
            features: [B, D, h, w], float32.

        Returns:
            Distances [B, h, w], float32.
        """
        batch, depth, height, width = features.shape
        cells = features.permute(2, 3, 0, 1).reshape(height * width, batch, depth)
        white = _multiply(cells - self.mean[:, None], self.whitening)
        return torch.linalg.vector_norm(white, dim=2).T.reshape(batch, height, width)

    def to(self, device: torch.device) -> "CellGaussians":
        """The same on another device."""
        return CellGaussians(self.mean.to(device), self.whitening.to(device), self.grid)


def _multiply(rows: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    """Products of [n, B, D], float32, and [n, D, D], float32 again."""
    if matrices.dtype == torch.bfloat16:
        return torch.bmm(rows.bfloat16(), matrices).float()
    if rows.device.type != "cpu":
        return torch.bmm(rows, matrices)
    # In float32 torch.bmm takes ten times as long as numpy for thousands of such small products.
    return torch.from_numpy(np.matmul(rows.numpy(), matrices.numpy()))
