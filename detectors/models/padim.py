"""PaDiM for a fixed camera: one Gaussian of pretrained features per cell of the view."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from threading import Thread

import torch

from detectors.base import DetectorError
from detectors.configs import PadimConfig
from detectors.models.cells import CellDetector
from detectors.models.gaussians import CellGaussians
from detectors.models.merging import merged, nearer
from detectors.models.view_detector import Learned, Lesson, Look, Told

ROW_STEPS = 1
"""Pictures in whose time the Gaussians of a row of cells are fitted."""
IMPORT_STEPS = 40
"""Pictures in whose time one waits for anomalib."""
MODULES = 3900
"""That importing anomalib brings, so that one sees how far it is."""


class PadimDetector(CellDetector[PadimConfig, CellGaussians]):
    """Learns every cell's normal features; scores by Mahalanobis distance (Defard et al. 2021)."""

    def _lesson(self, look: Look) -> Lesson[CellGaussians]:
        library = _Anomalib()

        def learn(batches: Iterable[torch.Tensor], told: Told) -> CellGaussians:
            # Thousands of small matrices: the CPU is no slower than a GPU, and the same anywhere.
            features = torch.cat([batch.cpu() for batch in batches])
            for more in library.wait(IMPORT_STEPS):
                told(more)
            return self._kept(_gaussians(features, self.config.shrinkage, told))

        return Lesson(learn, IMPORT_STEPS + look.grid[0] * ROW_STEPS)

    def _more(self, before: Learned[CellGaussians]) -> Lesson[CellGaussians]:
        if before.pictures < 2:
            raise DetectorError(
                "the detector does not say from how many pictures it learned, since an earlier "
                "Nomaly fitted it; fit a new one from the old and the new footage together"
            )

        def learn(batches: Iterable[torch.Tensor], told: Told) -> CellGaussians:
            features = torch.cat([batch.cpu() for batch in batches])
            model = merged(before.model, before.pictures, features, self.config.shrinkage)
            told(IMPORT_STEPS)
            return self._kept(model)

        return Lesson(learn, IMPORT_STEPS)

    def _kept(self, model: CellGaussians) -> CellGaussians:
        """As it is used: in the precision of the features, where they come out."""
        return (model.rounded if self.precision == "bfloat16" else model).to(self.device)

    def _nearer(self, before: CellGaussians, after: CellGaussians) -> float:
        return nearer(before, after)

    def _cells(
        self, tensors: Mapping[str, torch.Tensor], grid: tuple[int, int], depth: int
    ) -> CellGaussians:
        if tensors["mean"].shape[1:] != (depth,):
            raise ValueError(f"mean and chosen are not of the same {depth} channels")
        return CellGaussians.from_tensors(tensors, grid).to(self.device)


def _gaussians(features: torch.Tensor, shrinkage: float, told: Told) -> CellGaussians:
    """Fit the Gaussian of every cell to features [N, D, h, w]."""
    # A detector that was loaded never needs it.
    from detectors.models.anomalib_models import fit_gaussians  # noqa: PLC0415

    mean, inverse = fit_gaussians(features, shrinkage, lambda: told(ROW_STEPS))
    return CellGaussians.from_inverse(mean, inverse, (features.shape[2], features.shape[3]))


class _Anomalib:
    """anomalib, which takes 4 to 24 s to import, meanwhile the network is busy with pictures."""

    def __init__(self) -> None:
        self._before = len(sys.modules)
        module = "detectors.models.anomalib_models"
        self._thread = Thread(target=import_module, args=(module,), name="anomalib", daemon=True)
        self._thread.start()

    def wait(self, steps: int) -> Iterator[int]:
        """Wait for it; yields now and then how many of the steps are new, of `steps` in all."""
        told = 0
        while self._thread.is_alive():
            self._thread.join(0.2)
            share = min(1.0, (len(sys.modules) - self._before) / MODULES)
            yield int(share * steps) - told
            told = int(share * steps)
        yield steps - told
