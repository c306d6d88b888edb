"""PatchCore (Roth et al. 2022): a bank of normal patch features, and the distance to the nearest.

It does not know where in the view a cell is, so whatever is normal somewhere is normal everywhere:
for parts that lie anyhow, not for a fixed camera (detectors_spec §3, §4).
"""

from collections.abc import Iterable, Mapping

import torch
from torch.nn import functional

from detectors.configs import PatchCoreConfig
from detectors.models.cells import CellDetector
from detectors.models.memory import Bank, Sample, k_centre
from detectors.models.moments import as_maps, as_vectors
from detectors.models.tensors import checked_tensor
from detectors.models.view_detector import Lesson, Look, Told

PICKS = 25
"""Vectors that are picked in the time of a picture."""


class PatchBank:
    """A bank of features that were averaged over their neighbours."""

    def __init__(self, bank: Bank) -> None:
        """Keep the bank; its vectors are [m, D]."""
        self.bank = bank

    def distances(self, features: torch.Tensor) -> torch.Tensor:
        """Distance to the nearest normal patch [B, h, w], of features [B, D, h, w]."""
        return as_maps(self.bank.distances(as_vectors(patches(features))), features)

    def tensors(self) -> dict[str, torch.Tensor]:
        """`bank` [m, D], float32."""
        return {"bank": self.bank.vectors.cpu()}


def patches(features: torch.Tensor) -> torch.Tensor:
    """Features [B, D, h, w] averaged over 3 x 3 cells (Roth et al. 2022, section 3.1)."""
    return functional.avg_pool2d(features, 3, stride=1, padding=1, count_include_pad=False)


class PatchCoreDetector(CellDetector[PatchCoreConfig, PatchBank]):
    """Learns a bank of the features of all cells."""

    def _lesson(self, look: Look) -> Lesson[PatchBank]:
        config = self.config

        def learn(batches: Iterable[torch.Tensor], told: Told) -> PatchBank:
            sample = Sample(config.candidates, config.passes, config.seed)
            for batch in batches:
                sample.add(as_vectors(patches(batch)), len(batch))
            candidates = sample.vectors
            picked = k_centre(candidates, config.vectors, first=0)
            told(steps)
            return PatchBank(Bank(candidates[picked].to(self.device)))

        steps = max(1, config.vectors // PICKS)
        return Lesson(learn, steps)

    def _cells(
        self, tensors: Mapping[str, torch.Tensor], grid: tuple[int, int], depth: int
    ) -> PatchBank:
        return PatchBank(Bank(checked_tensor(tensors, "bank", (None, depth)).to(self.device)))
