"""The packaged networks as folders that timm reads, for libraries that ask timm for a name."""

import json
from pathlib import Path

from safetensors.torch import save
from torch import nn

from detectors.features.dinov2 import ARCHITECTURE, load_network
from detectors.features.lite import load_whole
from novic.folders import cache_folder
from novic.whole_files import write_whole

_IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def timm_folder(name: str) -> str:
    """Timm's name for a packaged network: `local-dir:` and a folder in our cache.

    The folder carries the architecture's name, which libraries look at.

    Args:
        name: lite0, lite2 or dinov2-s.

    Raises:
        BackboneError: If its weights are missing or not those that we know.
        OSError: If the folder cannot be written.
    """
    if name == "dinov2-s":
        architecture, network, scaling = ARCHITECTURE, load_network(), _IMAGENET
    else:
        network = load_whole(name)
        architecture = f"tf_efficientnet_{name}"
        scaling = {"mean": [0.5] * 3, "std": [0.5] * 3}
    folder = cache_folder() / "timm" / architecture
    weights = folder / "model.safetensors"
    if not weights.is_file():
        _write(folder, weights, architecture, network, scaling)
    return f"local-dir:{folder}"


def _write(
    folder: Path,
    weights: Path,
    architecture: str,
    network: nn.Module,
    scaling: dict[str, list[float]],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    classes = getattr(network, "num_classes", 0)
    card = {"architecture": architecture, "num_classes": classes, "pretrained_cfg": scaling}
    write_whole(folder / "config.json", json.dumps(card).encode())
    write_whole(weights, save(network.state_dict()))
