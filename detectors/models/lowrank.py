"""A few principal axes per cell instead of a covariance: PaDiM without its squares.

A Gaussian of low rank (probabilistic PCA, Tipping and Bishop 1999): along the axes a cell's own
variances, across them one variance. Each gets a ridge.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import torch

from detectors.configs import LowRankConfig
from detectors.models.cells import CellDetector
from detectors.models.tensors import channel_variance, checked_tensor, one_thread
from detectors.models.view_detector import Lesson, Look, Told


class CellSubspaces:
    """A mean, and axes with a weight each, for every cell of a map."""

    def __init__(self, mean: torch.Tensor, axes: torch.Tensor, across: torch.Tensor) -> None:
        """Keep what `distances` needs.

        Args:
            mean: Over the channels' scale [h * w, D], float32.
            axes: Axes times the square root of what a square along them weighs less than one
                across them [h * w, D, k], float32.
            across: Weight of a square across them [h, w], float32, above 0.
        """
        self.mean = mean
        self.axes = axes
        self.across = across

    def distances(self, scaled: torch.Tensor) -> torch.Tensor:
        """Mahalanobis distance [B, h, w], of features [B, D, h, w] over the channels' scale."""
        batch, depth, height, width = scaled.shape
        apart = scaled.permute(2, 3, 0, 1).reshape(height * width, batch, depth)
        apart = apart - self.mean[:, None]
        if apart.device.type == "cpu":  # torch.bmm takes long for thousands of small products
            along = torch.from_numpy(np.matmul(apart.numpy(), self.axes.numpy()))
        else:
            along = torch.bmm(apart, self.axes)
        squares = apart.square().sum(2) - along.square().sum(2)  # [h * w, B]
        return squares.T.reshape(batch, height, width).mul(self.across).clamp_min(0).sqrt()


class LowRankModel:
    """Cells' axes, and the scale of the channels."""

    def __init__(self, cells: CellSubspaces, scale: torch.Tensor) -> None:
        """Keep what `distances` needs; `scale` is [D], float32, above 0."""
        self.cells = cells
        self.scale = scale

    @classmethod
    def fitted(
        cls, features: torch.Tensor, rank: int, shrinkage: float, told: Told
    ) -> "LowRankModel":
        """Learn from normal features [N, D, h, w]; `told` hears of each of the h rows."""
        scale = channel_variance(features).sqrt()
        depth = features.shape[1]
        kept = min(rank, depth - 1, len(features) - 1)
        means, axes, across = [], [], []
        with one_thread():
            for row in features.unbind(2):
                cells = (row / scale[:, None]).permute(2, 0, 1)  # [w, N, D]
                mean = cells.mean(dim=1, keepdim=True)
                apart = (cells - mean).contiguous().numpy()
                products = np.matmul(apart.transpose(0, 2, 1), apart) / (len(features) - 1)
                variances, vectors = torch.linalg.eigh(torch.from_numpy(products))
                outside = variances[:, : depth - kept].mean(dim=1) + shrinkage
                weight = 1 - outside[:, None] / (variances[:, depth - kept :] + shrinkage)
                means.append(mean[:, 0])
                axes.append(vectors[:, :, depth - kept :] * weight.clamp_min(0).sqrt()[:, None])
                across.append(1 / outside)
                told(1)
        # Kept in half precision on disk: rounded now, so that a loaded detector is the same.
        rounded = torch.cat(axes).half().float()
        return cls(CellSubspaces(torch.cat(means), rounded, torch.stack(across)), scale)

    def distances(self, features: torch.Tensor) -> torch.Tensor:
        """Mahalanobis distance [B, h, w] of every cell, of features [B, D, h, w]."""
        return self.cells.distances(features / self.scale[:, None, None])

    def tensors(self) -> dict[str, torch.Tensor]:
        """`mean` [h * w, D], `axes` [h * w, D, k] (float16), `across` [h, w] and `scale` [D]."""
        cells = self.cells
        kept = {"mean": cells.mean, "axes": cells.axes.half(), "across": cells.across}
        return {name: tensor.cpu() for name, tensor in {**kept, "scale": self.scale}.items()}

    def to(self, device: torch.device) -> "LowRankModel":
        """The same on another device."""
        cells = self.cells
        parts = (part.to(device) for part in (cells.mean, cells.axes, cells.across))
        return LowRankModel(CellSubspaces(*parts), self.scale.to(device))


class LowRankDetector(CellDetector[LowRankConfig, LowRankModel]):
    """Learns the axes along which each cell's features usually vary."""

    def _lesson(self, look: Look) -> Lesson[LowRankModel]:
        def learn(batches: Iterable[torch.Tensor], told: Told) -> LowRankModel:
            features = torch.cat([batch.cpu() for batch in batches])
            config = self.config
            model = LowRankModel.fitted(features, config.rank, config.shrinkage, told)
            return model.to(self.device)

        return Lesson(learn, look.grid[0])

    def _cells(
        self, tensors: Mapping[str, torch.Tensor], grid: tuple[int, int], depth: int
    ) -> LowRankModel:
        cells = grid[0] * grid[1]
        mean = checked_tensor(tensors, "mean", (cells, depth))
        axes = checked_tensor(tensors, "axes", (cells, depth, None))
        across = checked_tensor(tensors, "across", grid, above=0.0)
        scale = checked_tensor(tensors, "scale", (depth,), above=0.0)
        return LowRankModel(CellSubspaces(mean, axes, across), scale).to(self.device)
