"""Detectors that judge every cell of a view by features of a pretrained network."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch

from detectors.base import DetectorError
from detectors.configs import CellConfig
from detectors.features.backbones import checked_channels, choose_channels
from detectors.features.extractors import ExtractorKey, Extractors, FeatureExtractor
from detectors.models.view_detector import ViewDetector, ViewModel
from detectors.scaling import input_size
from detectors.views import FeatureDetector


class CellDetector[C: CellConfig, M: ViewModel](ViewDetector[C, M], FeatureDetector):
    """Learns from features [B, D, h, w]; its network is shared with other views."""

    def __init__(self, config: C, device: torch.device, extractors: Extractors) -> None:
        """Prepare an unfitted detector.

        Args:
            config: How it is made.
            device: Where the backbone and the distances are computed.
            extractors: Where it shares its network with other views.

        Raises:
            DetectorError: If the backbone's weights are not installed or damaged.
        """
        super().__init__(config, device)
        self._extractors = extractors
        self._backbone = extractors.backbone(config.backbone)
        self._chosen = choose_channels(self._backbone.channels, config.channels, config.seed)
        self._extractor: FeatureExtractor | None = None

    @property
    def extractor(self) -> FeatureExtractor:
        """See `FeatureDetector.extractor`; compiled when it is asked for first."""
        frame_size = self._fitted().frame_size
        if self._extractor is None or self._extractor.key != self._key(frame_size):
            self._extractor = self._open(frame_size)
        return self._extractor

    def restore(self, facts: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> None:
        """See `Detector.restore`."""
        if facts["backbone_sha256"] != self._backbone.sha256:
            raise DetectorError(
                "the detector was fitted with other backbone weights than this nomaly's; fit again"
            )
        chosen = checked_channels(self._backbone.channels, tensors["chosen"])
        super().restore(facts, tensors)
        self._chosen = chosen

    @abstractmethod
    def _cells(self, tensors: Mapping[str, torch.Tensor], grid: tuple[int, int], depth: int) -> M:
        """The model of a grid (h, w) of cells of `depth` channels whose tensors were saved."""

    def _model(self, tensors: Mapping[str, torch.Tensor], frame_size: tuple[int, int]) -> M:
        height, width = self._input_size(frame_size)
        stride = self._backbone.stride
        return self._cells(tensors, (height // stride, width // stride), len(tensors["chosen"]))

    def _facts(self) -> dict[str, Any]:
        return {"backbone_sha256": self._backbone.sha256}

    def _own_tensors(self) -> dict[str, torch.Tensor]:
        return {"chosen": self._chosen}

    def _open(self, frame_size: tuple[int, int]) -> FeatureExtractor:
        # Kept even if the fit then fails: `extractor` sees whether it is the right one.
        self._extractor = self._extractors.extractor(self._key(frame_size))
        return self._extractor

    def _key(self, frame_size: tuple[int, int]) -> ExtractorKey:
        size, channels = self._input_size(frame_size), tuple(self._chosen.tolist())
        return ExtractorKey(self.config.backbone, channels, size, self.device)

    def _input_size(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        return input_size(frame_size, self.config.longer_side, self._backbone.step)
