"""Backbones out of timm: from its hub, out of a folder, or built by hand."""

import hashlib
from copy import deepcopy
from pathlib import Path
from typing import Any

import timm
import torch
from timm.data.config import resolve_model_data_config
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.nn import functional

from detectors.base import DetectorError
from detectors.features.backbones import Backbone, BackboneError
from detectors.features.lite import fix_padding

STRIDES = (8, 16)
"""Stages of a convolutional network that are read out, the last of each stride."""
DEPTHS = (5 / 12, 8 / 12)
"""Blocks of a transformer whose mean is read out. Middle blocks find more than the last
(detectors_spec §3)."""
FILES = ("config.json", "model.safetensors")
"""What a folder has to hold; `timm.models.save_for_hf` writes it."""


class TimmBackbone(Backbone):
    """A network of timm's, read out at two depths."""

    def __init__(self, name: str, network: nn.Module, sha256: str | None = None) -> None:
        """Wrap a network.

        Args:
            name: What it is called.
            network: A convolutional network or a vision transformer of timm's, with its weights.
            sha256: Of its weights; by default it is taken of the tensors.

        Raises:
            DetectorError: If it cannot be read out.
        """
        self.name = name
        self.network: Any = network.eval()
        self.sha256 = sha256 or _tensors_sha256(network)
        self._is_transformer = isinstance(network, VisionTransformer)
        self._levels, widths, self.stride, self.step = self._read()
        self.channels = widths[0] if self._is_transformer else sum(widths)
        self._scaling = resolve_model_data_config(network)
        self.network.prune_intermediate_layers(list(self._levels), prune_norm=True, prune_head=True)
        fix_padding(self.network)
        self.network.requires_grad_(requires_grad=False)

    def net(self, chosen: torch.Tensor, size: tuple[int, int]) -> nn.Module:
        """See `Backbone.net`."""
        network = self.network
        if self._is_transformer:
            network = deepcopy(network)  # position embeddings have a size
            network.set_input_size(img_size=size)
        return _TimmNet(network, self._levels, chosen, self._scaling).eval()

    def _read(self) -> tuple[list[int], list[int], int, int]:
        """Levels read out, their channels, the stride of the first, and the step."""
        if self._is_transformer:
            levels = [round(len(self.network.blocks) * depth) for depth in DEPTHS]
            patch = int(self.network.patch_embed.patch_size[0])
            return levels, [self.network.embed_dim] * 2, patch, patch
        stages = getattr(self.network, "feature_info", None)
        if not stages or not hasattr(self.network, "prune_intermediate_layers"):
            raise DetectorError(f"backbone {self.name}: this network cannot be read out in between")
        found = [dict(stage) for stage in stages]
        strides = [stage["reduction"] for stage in found]
        if missing := [stride for stride in STRIDES if stride not in strides]:
            raise DetectorError(f"backbone {self.name}: has no stage at stride {missing[0]}")
        levels = [len(strides) - 1 - strides[::-1].index(stride) for stride in STRIDES]
        return levels, [found[level]["num_chs"] for level in levels], STRIDES[0], STRIDES[1]


def load_timm(name: str) -> TimmBackbone:
    """`timm:NAME` or `local-dir:FOLDER`.

    Raises:
        BackboneError: If its weights are not there.
        DetectorError: If it cannot be read out.
    """
    kind, _, which = name.partition(":")
    if kind == "local-dir":
        for file in FILES:
            if not (Path(which) / file).is_file():
                raise BackboneError(
                    f"backbone {name}: {Path(which) / file} is missing; the folder must hold "
                    f"{' and '.join(FILES)} as timm saves them"
                )
    try:
        network = timm.create_model(name if kind == "local-dir" else which, pretrained=True)
    except Exception as error:  # timm and the hub raise all kinds of errors
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BackboneError(
            f"backbone {name}: cannot be loaded: {said}; without a connection, put {FILES[0]} and "
            f"{FILES[1]} of the model into a folder and name it local-dir:FOLDER"
        ) from error
    return TimmBackbone(name, network)


class _TimmNet(nn.Module):
    """From pixels to the chosen channels of the levels read out."""

    def __init__(
        self, network: nn.Module, levels: list[int], chosen: torch.Tensor, scaling: dict[str, Any]
    ) -> None:
        super().__init__()
        self.network: Any = network
        self._levels = levels
        self._is_transformer = isinstance(network, VisionTransformer)
        for name in ("mean", "std"):
            values = torch.tensor(scaling[name]).reshape(1, 3, 1, 1) * 255
            self.register_buffer(name, values)
        self.register_buffer("chosen", chosen)
        self.mean: torch.Tensor
        self.std: torch.Tensor
        self.chosen: torch.Tensor

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Features [B, D, h, w] of RGB uint8 [B, H, W, 3]."""
        pixels = (images.permute(0, 3, 1, 2).to(self.mean.dtype) - self.mean) / self.std
        fine, coarse = self.network.forward_intermediates(
            pixels, indices=self._levels, intermediates_only=True, output_fmt="NCHW"
        )
        if self._is_transformer:
            return ((fine + coarse) / 2).index_select(1, self.chosen)
        coarse = functional.interpolate(coarse, size=fine.shape[-2:], mode="nearest")
        return torch.cat((fine, coarse), dim=1).index_select(1, self.chosen)


def _tensors_sha256(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().contiguous().view(-1).numpy().tobytes())
    return digest.hexdigest()
