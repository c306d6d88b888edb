"""Pretrained feature extractors that arrive as ordinary packages, without a model hub."""

from dataclasses import dataclass
from typing import cast

import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import nn
from torch.nn import functional

from detectors.base import DetectorError
from novic.packaged import LITE0, LITE2, PackagedWeights, WeightsError, load_classifier


class BackboneError(DetectorError):
    """A detector's weights are not installed or not the tested ones; the text says what to do."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class BackboneSpec:
    """Which pretrained network, and what comes out of it."""

    weights: PackagedWeights
    blocks: tuple[int, int]
    """Stages read out: the last at stride 8 and the first at stride 16. Later stages cost a third
    more time and found no more (benchmarks/detector.py)."""
    channels: tuple[int, int]
    """Channels of the two stages."""


BACKBONES = {
    "lite0": BackboneSpec(LITE0, blocks=(2, 3), channels=(40, 80)),
    "lite2": BackboneSpec(LITE2, blocks=(2, 3), channels=(48, 88)),
}

STRIDE = 8
"""Pixels of the network's input per cell of its feature map, in both directions."""


def find_spec(name: str) -> BackboneSpec:
    """The backbone of that name.

    Raises:
        DetectorError: If there is none.
    """
    if name not in BACKBONES:
        raise DetectorError(f"unknown backbone '{name}'; there are {', '.join(sorted(BACKBONES))}")
    return BACKBONES[name]


def load_backbone(spec: BackboneSpec) -> nn.Module:
    """The pretrained network, cut after the last stage that is read.

    Raises:
        DetectorError: If the package is missing or its file is not the one we know.
    """
    try:
        network = load_classifier(spec.weights)
    except WeightsError as error:
        raise BackboneError(f"detector: {error}") from error
    for part in ("conv_head", "bn2", "global_pool", "classifier"):
        setattr(network, part, nn.Identity())
    blocks = list(network.get_submodule("blocks").children())
    network.set_submodule("blocks", nn.Sequential(*blocks[: spec.blocks[1] + 1]))
    _fix_padding(network)
    return network.eval().requires_grad_(requires_grad=False)


def _fix_padding(network: nn.Module) -> None:
    """Replace TensorFlow's "same" padding, which asks for the input's size, by its fixed amount.

    Without the question the network can be traced, by anomalib and for OpenVINO.
    """
    for name, module in list(network.named_modules()):
        if isinstance(module, Conv2dSame):
            network.set_submodule(name, _padded(cast(nn.Conv2d, module)))


def _padded(module: nn.Conv2d) -> nn.Sequential:
    """The same convolution for even sides: k - stride pixels of padding, the odd one at the end."""
    kernel, stride = module.kernel_size[0], module.stride[0]
    before = (kernel - stride) // 2
    after = kernel - stride - before
    plain = nn.Conv2d(
        module.in_channels,
        module.out_channels,
        kernel,
        stride=stride,
        groups=module.groups,
        bias=module.bias is not None,
    )
    plain.load_state_dict(module.state_dict())
    return nn.Sequential(nn.ZeroPad2d((before, after, before, after)), plain)


class FeatureNet(nn.Module):
    """From pixels to the chosen channels of two stages, in the resolution of the finer one."""

    def __init__(self, network: nn.Module, spec: BackboneSpec, chosen: torch.Tensor) -> None:
        """Wrap a loaded backbone.

        Args:
            network: What `load_backbone` gave.
            spec: Its description.
            chosen: Indices of the channels kept [D], int64, below `sum(spec.channels)`.
        """
        super().__init__()
        self.stem = nn.Sequential(network.get_submodule("conv_stem"), network.get_submodule("bn1"))
        blocks = list(network.get_submodule("blocks").children())
        fine, coarse = spec.blocks
        self.fine = nn.Sequential(*blocks[: fine + 1])
        self.coarse = nn.Sequential(*blocks[fine + 1 : coarse + 1])
        self.register_buffer("chosen", chosen)
        self.chosen: torch.Tensor

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Describe every cell of the images.

        Args:
            images: RGB [B, H, W, 3], uint8; H and W multiples of 16.

        Returns:
            Features [B, D, H / 8, W / 8] of the weights' type.
        """
        pixels = images.permute(0, 3, 1, 2).to(next(self.parameters()).dtype)
        fine = self.fine(self.stem((pixels - 127.5) / 127.5))
        coarse = functional.interpolate(self.coarse(fine), scale_factor=2.0, mode="nearest")
        return torch.cat((fine, coarse), dim=1).index_select(1, self.chosen)


def choose_channels(spec: BackboneSpec, count: int, seed: int) -> torch.Tensor:
    """Draw the channels that the detector looks at (PaDiM, Defard et al. 2021, section III-B).

    Args:
        spec: The backbone.
        count: How many, at most all.
        seed: Same seed, same channels.

    Returns:
        Sorted indices [count], int64.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(sum(spec.channels), generator=generator)
    return order[:count].sort().values


def checked_channels(spec: BackboneSpec, chosen: torch.Tensor) -> torch.Tensor:
    """Channels that a saved detector looked at.

    Raises:
        ValueError: If they are not what `choose_channels` could have drawn.
    """
    most = sum(spec.channels)
    if chosen.dtype != torch.int64 or chosen.ndim != 1 or not 1 <= len(chosen) <= most:
        raise ValueError(f"chosen {chosen.dtype} {tuple(chosen.shape)}: must list channels")
    if chosen.min() < 0 or chosen.max() >= most or (chosen.diff() <= 0).any():
        raise ValueError(f"chosen: must be channels below {most}, each once and ascending")
    return chosen
