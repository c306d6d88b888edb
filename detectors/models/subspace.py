"""One subspace that the features of all normal cells lie near: what sticks out of it is unusual.

SubspaceAD (arXiv 2602.23013): principal axes of patch tokens of DINOv2 that hold 99% of their
variance, and the length of the residual. There is nothing to train, and few frames are enough; but
it does not know where in the view a cell is.
"""

from collections.abc import Iterable, Mapping

import torch

from detectors.configs import SubspaceConfig
from detectors.models.cells import CellDetector
from detectors.models.moments import Moments, as_maps, as_vectors
from detectors.models.tensors import checked_tensor
from detectors.models.view_detector import Lesson, Look, Told


class Subspace:
    """A mean and orthonormal axes through it."""

    def __init__(self, mean: torch.Tensor, axes: torch.Tensor) -> None:
        """Keep what `distances` needs: `mean` [D] and `axes` [D, k], float32."""
        self.mean = mean
        self.axes = axes

    def distances(self, features: torch.Tensor) -> torch.Tensor:
        """Length of what sticks out [B, h, w], of features [B, D, h, w]."""
        apart = as_vectors(features) - self.mean
        along = apart @ self.axes
        return as_maps(torch.linalg.vector_norm(apart - along @ self.axes.T, dim=1), features)

    def tensors(self) -> dict[str, torch.Tensor]:
        """`mean` [D] and `axes` [D, k], float32."""
        return {"mean": self.mean.cpu(), "axes": self.axes.cpu()}


class SubspaceDetector(CellDetector[SubspaceConfig, Subspace]):
    """Learns the subspace of all cells' features together."""

    def _lesson(self, look: Look) -> Lesson[Subspace]:
        def learn(batches: Iterable[torch.Tensor], told: Told) -> Subspace:
            moments = Moments()
            for batch in batches:
                moments.add(as_vectors(batch))
            axes, _ = moments.axes(self.config.variance)
            told(1)
            return Subspace(moments.mean.to(self.device), axes.to(self.device))

        return Lesson(learn)

    def _cells(
        self, tensors: Mapping[str, torch.Tensor], grid: tuple[int, int], depth: int
    ) -> Subspace:
        mean = checked_tensor(tensors, "mean", (depth,))
        axes = checked_tensor(tensors, "axes", (depth, None))
        return Subspace(mean.to(self.device), axes.to(self.device))
