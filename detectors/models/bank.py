"""A small bank of whitened features: PatchCore in two megabytes.

The recipe of MH-PatchCore (arXiv 2605.27748): principal axes that hold 99% of the variance, a
covariance that is shrunk by 7% to whiten them, at most 1,000 vectors. Along the axes the covariance
is diagonal, so that mean and covariance of one pass give both.
"""

from collections.abc import Iterable, Mapping

import torch

from detectors.configs import BankConfig
from detectors.models.cells import CellDetector
from detectors.models.memory import Bank, Sample, k_centre
from detectors.models.moments import Moments, as_maps, as_vectors
from detectors.models.patchcore import PICKS, patches
from detectors.models.tensors import checked_tensor
from detectors.models.view_detector import Lesson, Look, Told


class WhiteBank:
    """A bank of vectors behind a whitening matrix."""

    def __init__(self, mean: torch.Tensor, whitening: torch.Tensor, bank: Bank) -> None:
        """Keep what `distances` needs.

        Args:
            mean: [D], float32.
            whitening: Axes over the spread along them [D, k], float32.
            bank: Of white vectors [m, k].
        """
        self.mean = mean
        self.whitening = whitening
        self.bank = bank

    def distances(self, features: torch.Tensor) -> torch.Tensor:
        """Distance to the nearest normal patch [B, h, w], of features [B, D, h, w]."""
        white = (as_vectors(patches(features)) - self.mean) @ self.whitening
        return as_maps(self.bank.distances(white), features)

    def tensors(self) -> dict[str, torch.Tensor]:
        """`mean` [D], `whitening` [D, k] and `bank` [m, k], float32."""
        parts = {"mean": self.mean, "whitening": self.whitening, "bank": self.bank.vectors}
        return {name: part.cpu() for name, part in parts.items()}


class BankDetector(CellDetector[BankConfig, WhiteBank]):
    """Learns how to whiten features, and a bank of white ones."""

    def _lesson(self, look: Look) -> Lesson[WhiteBank]:
        config = self.config

        def learn(batches: Iterable[torch.Tensor], told: Told) -> WhiteBank:
            sample = Sample(config.candidates, config.passes, config.seed)
            moments = Moments()
            for batch in batches:
                vectors = as_vectors(patches(batch))
                moments.add(vectors)
                sample.add(vectors, len(batch))
            whitening = white_axes(moments, config.variance, config.shrinkage)
            white = (sample.vectors - moments.mean) @ whitening
            vectors = white[k_centre(white, config.vectors, first=0)]
            told(steps)
            mean, whitening, vectors = (
                part.to(self.device) for part in (moments.mean, whitening, vectors)
            )
            return WhiteBank(mean, whitening, Bank(vectors))

        steps = max(1, config.vectors // PICKS)
        return Lesson(learn, steps)

    def _cells(
        self, tensors: Mapping[str, torch.Tensor], grid: tuple[int, int], depth: int
    ) -> WhiteBank:
        mean = checked_tensor(tensors, "mean", (depth,)).to(self.device)
        whitening = checked_tensor(tensors, "whitening", (depth, None)).to(self.device)
        vectors = checked_tensor(tensors, "bank", (None, whitening.shape[1]))
        return WhiteBank(mean, whitening, Bank(vectors.to(self.device)))


def white_axes(moments: Moments, share: float, shrinkage: float) -> torch.Tensor:
    """Principal axes over the spread along them [D, k], of a covariance that is shrunk.

    Args:
        moments: Of the vectors.
        share: Of the variance that the axes hold.
        shrinkage: Part of the mean variance in each, 0 to 1.
    """
    axes, variances = moments.axes(share)
    shrunk = (1 - shrinkage) * variances + shrinkage * variances.mean()
    return axes / shrunk.clamp_min(1e-12).sqrt()
