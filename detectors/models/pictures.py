"""Detectors that judge pictures themselves, not features that other views share."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from detectors.base import AnomalyMaps
from detectors.configs import ViewConfig
from detectors.frames import stacked
from detectors.models.view_detector import ViewDetector, ViewModel
from detectors.types import Pixels


@dataclass(frozen=True, slots=True)
class Plain:
    """Gives the pictures as they are."""

    size: tuple[int, int]
    """(H, W) of the pictures."""
    grid: tuple[int, int]
    """(h, w) of the maps."""

    def features(self, pictures: NDArray[np.uint8]) -> torch.Tensor:
        """The pictures, uint8 [B, H, W, 3]."""
        return torch.from_numpy(np.ascontiguousarray(pictures))


class PictureDetector[C: ViewConfig, M: ViewModel](ViewDetector[C, M]):
    """A detector whose model is given pictures, uint8 [B, H, W, 3]."""

    def detect(self, frames: Sequence[Pixels], *, features: bool = False) -> AnomalyMaps:
        """Map what is unusual in each frame; see `Detector.detect`. There are no features."""
        pictures = self.pictures(frames)
        maps = [self.judged(torch.from_numpy(batch)).cpu().numpy() for batch in stacked(pictures)]
        if not maps:
            grid = self._open(self._fitted().frame_size).grid
            return AnomalyMaps(np.zeros((0, *grid), np.float32), np.zeros(0, np.float32))
        every = np.concatenate(maps)
        return AnomalyMaps(every, every.max(axis=(1, 2)))

    @abstractmethod
    def _pictured(self, tensors: Mapping[str, torch.Tensor], look: Plain) -> M:
        """The model for pictures of a size whose tensors were saved."""

    def _model(self, tensors: Mapping[str, torch.Tensor], frame_size: tuple[int, int]) -> M:
        return self._pictured(tensors, self._open(frame_size))

    @abstractmethod
    def _open(self, frame_size: tuple[int, int]) -> Plain:
        """See `ViewDetector`."""

    def _input_size(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        return self._open(frame_size).size
