"""anomalib's own PaDiM on the same network, the same channels and the same normal pictures."""

import tempfile
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from detectors.frames import stacked
from detectors.models.padim import PadimDetector
from detectors.normal import split_normal
from detectors.scaling import resized
from detectors.types import Pixels
from novic.openvino_core import import_openvino

LAYERS = ["blocks.2", "blocks.3"]


class AnomalibPadim:
    """The torch module, fitted as its own `fit` does, and its OpenVINO inferencer."""

    def __init__(self, detector: PadimDetector, frames: Sequence[Pixels]) -> None:
        """Teach the module what a detector learned from.

        Args:
            detector: Fitted; its network, channels and settings are taken.
            frames: The normal frames that it was fitted to, RGB uint8 [H, W, 3].
        """
        from anomalib.models.image.padim.torch_model import PadimModel

        extractor, config = detector.extractor, detector.config
        self._size = extractor.size
        network = cast(Any, extractor.backbone.network)
        count = len(extractor.key.channels)
        self.module = PadimModel(network, LAYERS, pre_trained=False, n_features=count).eval()
        self.module.idx = torch.tensor(extractor.key.channels)
        first, _ = split_normal(
            frames,
            most=config.largest_fit,
            held_out=config.held_out,
            passes=config.passes,
            held_out_passes=config.held_out_passes,
        )
        pictures = first.pictures(self._size, np.random.default_rng(config.seed))
        with torch.inference_mode():
            for batch in stacked(pictures):
                features = self.module.feature_extractor(_scaled(batch))
                self.module.memory_bank.append(self.module.generate_embedding(features))
            self.module.fit()
        self._inferencer: Any = None

    def scores(self, frames: Sequence[Pixels]) -> NDArray[np.float32]:
        """The highest value of the map of each frame [B], by the module."""
        images = _scaled(np.stack([resized(frame, self._size) for frame in frames]))
        with torch.inference_mode():
            return cast(Any, self.module(images)).pred_score.numpy()

    def inferred(self, frame: Pixels) -> float:
        """The highest value of the map of one frame, by the inferencer."""
        if self._inferencer is None:
            self._inferencer = self._exported()
        image = np.moveaxis((resized(frame, self._size).astype(np.float32) - 127.5) / 127.5, 2, 0)
        return float(np.max(self._inferencer.predict(image[None]).anomaly_map))

    def _exported(self) -> Any:  # noqa: ANN401  # anomalib's
        """Read by OpenVINO itself: anomalib exports through ONNX, which is not installed."""
        openvino = import_openvino()
        from anomalib.deploy import OpenVINOInferencer

        example = torch.zeros(1, 3, *self._size)
        traced = torch.jit.trace(_Named(self.module), example, check_trace=False)
        model = openvino.convert_model(traced, input=[1, 3, *self._size])

        class Inferencer(OpenVINOInferencer):
            """Knows its outputs by their order: the tracer gives them several names."""

            @staticmethod
            def post_process(predictions: Any) -> dict[str, Any]:  # noqa: ANN401  # openvino's
                names = ("pred_score", "anomaly_map")
                return dict(zip(names, predictions.to_tuple(), strict=True))

        with tempfile.TemporaryDirectory() as folder:
            openvino.save_model(model, str(Path(folder) / "model.xml"), compress_to_fp16=False)
            with chdir(folder):  # where it keeps a cache
                return Inferencer("model.xml", device="CPU")


class _Named(nn.Module):
    """Gives score and map as a tuple, which can be traced."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self._module = module.requires_grad_(requires_grad=False)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = self._module(images)
        return found.pred_score, found.anomaly_map


def _scaled(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """As the network wants them, float32 [B, 3, H, W]."""
    return (torch.from_numpy(pictures).permute(0, 3, 1, 2).float() - 127.5) / 127.5
