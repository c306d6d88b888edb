"""Detectors that judge every cell of a view by features of a pretrained network."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from detectors.base import DetectorError, Progress
from detectors.configs import CellConfig
from detectors.features.backbones import checked_channels, choose_channels
from detectors.features.extractors import ExtractorKey, Extractors, FeatureExtractor
from detectors.learned import LearnedView
from detectors.models.probes import check_agreement, checked_probe, probe_pictures
from detectors.models.view_detector import ViewDetector, ViewModel
from detectors.normal import normal_size
from detectors.scaling import input_size
from detectors.types import Pixels
from detectors.views import FeatureDetector
from novic.runtime import Precision, native_precision


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
        self.precision: Precision = "float32"
        """What its features are computed in, since the fit."""
        self._probe: NDArray[np.float32] | None = None
        self._agrees = True

    @property
    def extractor(self) -> FeatureExtractor:
        """See `FeatureDetector.extractor`; compiled when it is asked for first.

        Raises:
            DetectorError: If this machine judges the probe otherwise than the one that fitted it.
        """
        learned = self._fitted()
        if self._extractor is None or self._extractor.key != self._key(learned.frame_size):
            self._extractor = self._open(learned.frame_size)
        if not self._agrees and self._probe is not None and learned.view is not None:
            runtime = self._extractor.runtime
            here = f"{runtime.name} computes it in {runtime.precision} here"
            borne = learned.threshold * learned.tolerance
            check_agreement(self._probe, self._probed(learned.view), borne, self.precision, here)
        self._agrees = True
        return self._extractor

    def fit(self, frames: Sequence[Pixels], progress: Progress | None = None) -> None:
        """Learn from normal frames, in the precision that is kept ever after."""
        before = self.precision
        try:
            self.precision = self._computed(normal_size(frames))
            super().fit(frames, progress)
        except BaseException:
            self.precision = before
            raise
        self._keep_probe()

    def learn_more(self, frames: Sequence[Pixels], progress: Progress | None = None) -> None:
        """Add more normal frames of the view; see `detectors.base.LearnsMore`."""
        if self._learned is not None:
            _ = self.extractor  # what computes otherwise must not take part
        super().learn_more(frames, progress)
        self._keep_probe()

    def restore(self, facts: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> None:
        """See `Detector.restore`."""
        if facts["backbone_sha256"] != self._backbone.sha256:
            raise DetectorError(
                "the detector was fitted with other backbone weights than this nomaly's; fit again"
            )
        chosen = checked_channels(self._backbone.channels, tensors["chosen"])
        # Before there was a choice, a GPU computed in half precision and a CPU did not.
        usual = "float32" if self.device.type == "cpu" else "float16"
        precision = facts.get("precision", usual)
        if precision not in get_args(Precision.__value__):
            raise ValueError(f"precision {precision!r}: there is none of that name")
        super().restore(facts, tensors)
        self._chosen, self.precision = chosen, precision
        self._probe = checked_probe(tensors.get("probe"), self._grid(self._fitted().frame_size))
        self._agrees = False

    @abstractmethod
    def _cells(self, tensors: Mapping[str, torch.Tensor], grid: tuple[int, int], depth: int) -> M:
        """The model of a grid (h, w) of cells of `depth` channels whose tensors were saved."""

    def _model(self, tensors: Mapping[str, torch.Tensor], frame_size: tuple[int, int]) -> M:
        return self._cells(tensors, self._grid(frame_size), len(tensors["chosen"]))

    def _facts(self) -> dict[str, Any]:
        return {"backbone_sha256": self._backbone.sha256, "precision": self.precision}

    def _own_tensors(self) -> dict[str, torch.Tensor]:
        probe = {} if self._probe is None else {"probe": torch.from_numpy(self._probe)}
        return {"chosen": self._chosen, **probe}

    def _computed(self, frame_size: tuple[int, int]) -> Precision:
        """The precision in which frames of a size will really be looked at."""
        asked = self.config.precision
        self.precision = native_precision(self.device) if asked == "auto" else asked
        return self._open(frame_size).runtime.precision

    def _keep_probe(self) -> None:
        view = self._fitted().view
        self._probe, self._agrees = None if view is None else self._probed(view), True

    def _probed(self, view: LearnedView) -> NDArray[np.float32]:
        """Maps of the probe before the threshold [2, h, w]."""
        learned = self._fitted()
        look = self._open(learned.frame_size)
        features = look.features(probe_pictures(view, look.size))
        return self._raw_maps(features, learned.model).cpu().numpy()

    def _open(self, frame_size: tuple[int, int]) -> FeatureExtractor:
        # Kept even if the fit then fails: `extractor` sees whether it is the right one.
        self._extractor = self._extractors.extractor(self._key(frame_size))
        return self._extractor

    def _key(self, frame_size: tuple[int, int]) -> ExtractorKey:
        size, channels = self._input_size(frame_size), tuple(self._chosen.tolist())
        return ExtractorKey(self.config.backbone, channels, size, self.device, self.precision)

    def _grid(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        height, width = self._input_size(frame_size)
        return height // self._backbone.stride, width // self._backbone.stride

    def _input_size(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        return input_size(frame_size, self.config.longer_side, self._backbone.step)
