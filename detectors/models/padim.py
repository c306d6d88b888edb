"""PaDiM for a fixed camera: one Gaussian of pretrained features per cell of the view."""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any, Self

import numpy as np
import torch

from detectors.base import NOT_LEARNED, DetectorError, Progress
from detectors.configs import PadimConfig
from detectors.features.backbones import (
    STRIDE,
    checked_channels,
    choose_channels,
    find_spec,
)
from detectors.features.extractors import ExtractorKey, Extractors, FeatureExtractor
from detectors.files import write_folder
from detectors.frames import check_view, checked_size, input_size, resized, stacked
from detectors.maps import blur
from detectors.models.gaussians import CellGaussians
from detectors.normal import Part, normal_size, split_normal
from detectors.tails import checked_threshold, held_out_threshold
from detectors.types import Pixels
from detectors.views import FeatureDetector

ROW_STEPS = 1
"""Pictures in whose time the Gaussians of a row of cells are fitted."""
IMPORT_STEPS = 40
"""Pictures in whose time one waits for anomalib."""
MODULES = 3900
"""That importing anomalib brings, so that one sees how far it is."""


@dataclass(frozen=True, slots=True, eq=False)
class _Learned:
    """What one view taught."""

    frame_size: tuple[int, int]
    """(height, width) of its frames."""
    gaussians: CellGaussians
    threshold: float
    """Raw map value that counts as 1.0."""


class _Steps:
    """How far a fit is."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total = total
        self._done = 0
        self._progress = progress

    def add(self, steps: int) -> None:
        """Count steps, and tell."""
        self._done += steps
        if self._progress is not None:
            self._progress(self._done, self._total)


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


class PadimDetector(FeatureDetector):
    """Learns every cell's normal features; scores by Mahalanobis distance (Defard et al. 2021).

    The model never changes while it looks: an object left behind stays unusual for as long as it
    lies there.
    """

    def __init__(self, config: PadimConfig, device: torch.device, extractors: Extractors) -> None:
        """Prepare an unfitted detector.

        Args:
            config: How it is made.
            device: Where the backbone and the distances are computed.
            extractors: Where it shares its network with other views.

        Raises:
            DetectorError: If the backbone's weights are not installed or damaged.
        """
        self.config = config
        self.device = device
        self._extractors = extractors
        self._spec = find_spec(config.backbone)
        self._network = extractors.network(config.backbone)
        self._chosen = choose_channels(self._spec, config.channels, config.seed)
        self._extractor: FeatureExtractor | None = None
        self._learned: _Learned | None = None

    @property
    def threshold(self) -> float:
        """Raw map value that counts as 1.0; NaN before the fit."""
        return math.nan if self._learned is None else self._learned.threshold

    @property
    def frame_size(self) -> tuple[int, int] | None:
        """(height, width) of the frames it was fitted on; None before the fit."""
        return None if self._learned is None else self._learned.frame_size

    @property
    def extractor(self) -> FeatureExtractor:
        """See `FeatureDetector.extractor`; compiled when it is asked for first."""
        if self._extractor is None:
            self._extractor = self._open_extractor(self._view().frame_size)
        return self._extractor

    def fit(self, frames: Sequence[Pixels], progress: Progress | None = None) -> None:
        """Learn from normal frames; see `Detector.fit` and `split_normal`.

        Args:
            frames: N images, RGB uint8 [H, W, 3], in the order they were taken.
            progress: Told how many pictures were looked at, of how many; a row of Gaussians counts
                as `ROW_STEPS` of them, waiting for anomalib as `IMPORT_STEPS`.

        Raises:
            DetectorError: If there are fewer than 8 frames, their sizes differ or one is not
                [H, W, 3]. What was learned before stays.
        """
        frame_size = normal_size(frames)
        config = self.config
        extractor = self._open_extractor(frame_size)
        rng = np.random.default_rng(config.seed)
        first, second = split_normal(
            frames,
            most=config.largest_fit,
            held_out=config.held_out,
            passes=config.passes,
            held_out_passes=config.held_out_passes,
        )
        rows = extractor.key.size[0] // STRIDE
        library = _Anomalib()
        steps = _Steps(first.count + IMPORT_STEPS + rows * ROW_STEPS + second.count, progress)

        def features(part: Part) -> Iterator[torch.Tensor]:
            for batch in stacked(part.pictures(extractor.key.size, rng)):
                yield extractor.features(batch)
                steps.add(len(batch))

        learned_from = torch.cat(list(features(first)))
        for more in library.wait(IMPORT_STEPS):
            steps.add(more)
        gaussians = self._gaussians(learned_from, lambda: steps.add(ROW_STEPS))
        scores = [self._raw_maps(some, gaussians).amax(dim=(1, 2)) for some in features(second)]
        threshold = held_out_threshold(torch.cat(scores).cpu().numpy(), config.false_rate)
        self._learned = _Learned(frame_size, gaussians, threshold)
        self._extractor = extractor

    def pictures(self, frames: Sequence[Pixels]) -> Iterator[Pixels]:
        """See `FeatureDetector.pictures`."""
        learned = self._view()
        check_view(frames, learned.frame_size)
        size = self._input_size(learned.frame_size)
        return (resized(frame, size) for frame in frames)

    def judged(self, features: torch.Tensor) -> torch.Tensor:
        """See `FeatureDetector.judged`."""
        learned = self._view()
        return self._raw_maps(features, learned.gaussians) / learned.threshold

    def with_threshold(self, threshold: float) -> Self:
        """See `Detector.with_threshold`."""
        other = copy(self)
        other._learned = replace(self._view(), threshold=checked_threshold(threshold))
        return other

    def save(self, path: Path) -> None:
        """Write the fitted detector into a new folder; see `Detector.save`."""
        if self._learned is None:
            raise DetectorError(f"{NOT_LEARNED}: nothing to save")
        facts = {
            "kind": self.config.kind,
            "settings": self.config.model_dump(exclude={"kind"}),
            "backbone_sha256": self._spec.weights.sha256,
            "frame_size": self._learned.frame_size,
            "threshold": self._learned.threshold,
        }
        write_folder(path, facts, self._learned.gaussians.tensors() | {"chosen": self._chosen})

    def restore(self, facts: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> None:
        """See `Detector.restore`."""
        if facts["backbone_sha256"] != self._spec.weights.sha256:
            raise DetectorError(
                "the detector was fitted with other backbone weights than this nomaly's; fit again"
            )
        frame_size = checked_size(facts["frame_size"])
        rows, columns = self._input_size(frame_size)
        grid = (rows // STRIDE, columns // STRIDE)
        chosen = checked_channels(self._spec, tensors["chosen"])
        if tensors["mean"].shape[1:] != chosen.shape:
            raise ValueError(f"mean and chosen are not of the same {len(chosen)} channels")
        gaussians = CellGaussians.from_tensors(tensors, grid).to(self.device)
        threshold = checked_threshold(float(facts["threshold"]))
        self._chosen = chosen
        self._learned = _Learned(frame_size, gaussians, threshold)
        self._extractor = None

    def _view(self) -> _Learned:
        if self._learned is None:
            raise DetectorError(f"{NOT_LEARNED}: call fit or load one")
        return self._learned

    def _open_extractor(self, frame_size: tuple[int, int]) -> FeatureExtractor:
        size, channels = self._input_size(frame_size), tuple(self._chosen.tolist())
        key = ExtractorKey(self.config.backbone, channels, size, self.device)
        return self._extractors.extractor(key)

    def _input_size(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        return input_size(frame_size, self.config.longer_side, step=2 * STRIDE)

    def _gaussians(self, features: torch.Tensor, row_done: Callable[[], None]) -> CellGaussians:
        """Fit the Gaussian of every cell to features [N, D, h, w]."""
        # A detector that was loaded never needs it.
        from detectors.models.anomalib_models import build_padim, fit_padim  # noqa: PLC0415

        layers = [f"blocks.{block}" for block in self._spec.blocks]
        model = build_padim(self._network, layers, self._chosen)
        # Thousands of small matrices: the CPU is no slower than a GPU, and gives the same anywhere.
        fit_padim(model, features.cpu(), self.config.shrinkage, row_done)
        grid = (features.shape[2], features.shape[3])
        gaussian = model.gaussian
        fitted = CellGaussians.from_inverse(gaussian.mean, gaussian.inv_covariance, grid)
        return fitted.to(self.device)

    def _raw_maps(self, features: torch.Tensor, gaussians: CellGaussians) -> torch.Tensor:
        """Maps [B, h, w] before the threshold, of features [B, D, h, w]."""
        return blur(gaussians.distances(features), self.config.blur)
