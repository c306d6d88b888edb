"""Any image model of anomalib as a detector: trained by its Engine, asked as a torch module.

It sees square pictures, as anomalib's models expect, and its raw map is taken, not what anomalib's
post-processor makes of it (detectors_spec §1). What was trained is saved as tensors with their
names, never as a checkpoint.
"""

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from detectors.base import DetectorError
from detectors.configs import AnomalibConfig
from detectors.models.pictures import PictureDetector, Plain
from detectors.models.view_detector import Lesson, Look, Told
from detectors.scaling import input_size

if TYPE_CHECKING:
    from detectors.models.anomalib_models import AnomalibModule

STRIDE = 8
"""Pixels of the square picture per cell of the maps, along the longer side."""
_AGREE = 1e-3
"""Largest difference of a saved model's map over that map's largest value."""


class TrainedModel:
    """A model of anomalib that was trained."""

    def __init__(self, module: "AnomalibModule", look: Plain) -> None:
        """Keep the module, and which maps are wanted of it."""
        self.module = module.eval()
        self._look = look

    @torch.inference_mode()
    def distances(self, features: torch.Tensor) -> torch.Tensor:
        """Its raw map over the cells [B, h, w], of pictures uint8 [B, H, W, 3]."""
        from detectors.models.anomalib_models import raw_maps  # noqa: PLC0415

        maps = raw_maps(self.module, features)
        return functional.interpolate(maps[:, None], size=self._look.grid, mode="area")[:, 0]

    def tensors(self) -> dict[str, torch.Tensor]:
        """The torch module's state, its names after `model.`."""
        state = self.module.model.state_dict()
        return {f"model.{name}": tensor.detach().cpu().clone() for name, tensor in state.items()}


class AnomalibDetector(PictureDetector[AnomalibConfig, TrainedModel]):
    """Learns as anomalib's own Engine lets it."""

    def _open(self, frame_size: tuple[int, int]) -> Plain:
        side = self.config.longer_side // self.config.step * self.config.step
        rows, columns = input_size((frame_size[0] * 64, frame_size[1] * 64), side, STRIDE)
        return Plain((side, side), (rows // STRIDE, columns // STRIDE))

    def _facts(self) -> dict[str, Any]:
        return {"anomalib": version("anomalib")}

    def restore(self, facts: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> None:
        """See `Detector.restore`."""
        if facts["anomalib"] != (ours := version("anomalib")):
            raise DetectorError(
                f"the detector was fitted with anomalib {facts['anomalib']}, this is {ours}; fit "
                "it again"
            )
        super().restore(facts, tensors)

    def _lesson(self, look: Look) -> Lesson[TrainedModel]:
        config = self.config
        plain = Plain(look.size, look.grid)

        def learn(batches: Iterable[torch.Tensor], told: Told) -> TrainedModel:
            from detectors.models.anomalib_models import build_model, train  # noqa: PLC0415

            pictures = torch.cat(list(batches))
            module = build_model(config.model, config.backbone, plain.size[0])
            train(module, pictures.numpy(), config, self.device)
            told(config.steps)
            model = TrainedModel(module.to(self.device), plain)
            self._check_saving(model, plain, pictures[:1])
            return model

        return Lesson(learn, config.steps)

    def _check_saving(self, model: TrainedModel, look: Plain, picture: torch.Tensor) -> None:
        """Refuse a model that keeps part of what it learned outside of its tensors."""
        expected = model.distances(picture)
        if not torch.isfinite(expected).all():
            raise DetectorError(
                f"anomalib's {self.config.model} gives maps that are no finite numbers"
            )
        found = self._pictured(model.tensors(), look).distances(picture)
        if (found - expected).abs().max() > _AGREE * expected.abs().max().clamp_min(1e-6):
            raise DetectorError(
                f"anomalib's {self.config.model} cannot be saved: it keeps part of what it learned "
                "outside of its tensors"
            )

    def _pictured(self, tensors: Mapping[str, torch.Tensor], look: Plain) -> TrainedModel:
        from detectors.models.anomalib_models import build_model  # noqa: PLC0415

        module = build_model(self.config.model, self.config.backbone, look.size[0])
        own = {
            name.removeprefix("model."): tensor
            for name, tensor in tensors.items()
            if name.startswith("model.")
        }
        for name, tensor in own.items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise ValueError(f"{name} holds values that are not finite numbers")
        module.model.load_state_dict(own)
        return TrainedModel(module.to(self.device), look)
