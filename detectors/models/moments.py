"""Mean and covariance of vectors that pass by, and what is made of them."""

import torch


class Moments:
    """Mean and covariance of vectors that come in batches; the vectors are not kept."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = torch.zeros(0, dtype=torch.float64)
        self._products = torch.zeros(0, dtype=torch.float64)
        self._origin = torch.zeros(0)

    def add(self, vectors: torch.Tensor) -> None:
        """Count vectors [n, D], float32, n at least 1."""
        if not self._count:
            # Near the mean, so that single precision is enough within a batch.
            self._origin = vectors.mean(dim=0)
            depth = len(self._origin)
            self._sum = torch.zeros(depth, dtype=torch.float64)
            self._products = torch.zeros(depth, depth, dtype=torch.float64)
        apart = vectors - self._origin
        self._count += len(vectors)
        self._sum += apart.sum(dim=0).double().cpu()
        self._products += (apart.T @ apart).double().cpu()

    @property
    def mean(self) -> torch.Tensor:
        """[D], float32."""
        return self._origin.cpu() + (self._sum / self._count).float()

    def axes(self, share: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Principal axes that hold a share of the variance, at least one.

        Args:
            share: Above 0, at most 1.

        Returns:
            Axes [D, k] and the variances along them [k], the largest first, float32.
        """
        mean = self._sum / self._count
        covariance = self._products / self._count - torch.outer(mean, mean)
        variances, axes = torch.linalg.eigh((covariance + covariance.T) / 2)
        variances, axes = variances.flip(0).clamp_min(0), axes.flip(1)
        wanted = share * variances.sum()
        kept = min(int((variances.cumsum(0) < wanted).sum()) + 1, len(variances))
        return axes[:, :kept].float().contiguous(), variances[:kept].float()


def as_vectors(features: torch.Tensor) -> torch.Tensor:
    """Cells [B * h * w, D] of features [B, D, h, w], rows first."""
    return features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])


def as_maps(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Values [B * h * w] of the cells of features [B, D, h, w], as maps [B, h, w]."""
    return values.reshape(like.shape[0], *like.shape[2:])
