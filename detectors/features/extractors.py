"""Networks that several views look through: each is loaded and compiled once.

What a view learned is small; the network behind it is not. So a detector holds its own learned
state and only refers to an extractor. `Extractors` is where detectors that belong together find the
same one. Whoever opens detectors (a run, a service, a test) makes one `Extractors`, owns it, and
hands it to `build_detector` and `load_detector`; there is none behind the scenes. It keeps nothing
alive itself: an extractor goes when the last detector that uses it goes.
"""

from dataclasses import dataclass
from threading import RLock
from weakref import WeakValueDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from detectors.features.backbones import STRIDE, FeatureNet, find_spec, load_backbone
from novic.runtime import Runtime, build_runtime


@dataclass(frozen=True, slots=True)
class ExtractorKey:
    """All that two views must have in common to look through one extractor."""

    backbone: str
    channels: tuple[int, ...]
    """Indices of the channels kept, D of them."""
    size: tuple[int, int]
    """(H, W) of the pictures, multiples of 16."""
    device: torch.device


class FeatureExtractor:
    """A backbone compiled for one size of picture."""

    def __init__(self, key: ExtractorKey, network: nn.Module) -> None:
        """Compile the network.

        Args:
            key: What comes in and out, and where it runs.
            network: What `load_backbone` gave.
        """
        self.key = key
        self.network = network
        chosen = torch.tensor(key.channels, dtype=torch.int64)
        net = FeatureNet(network, find_spec(key.backbone), chosen).eval()
        self.runtime: Runtime = build_runtime(net, key.size, key.device)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the pictures."""
        return self.key.size

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) of the features."""
        height, width = self.key.size
        return height // STRIDE, width // STRIDE

    def features(self, pictures: NDArray[np.uint8]) -> torch.Tensor:
        """Describe every cell of the pictures.

        Args:
            pictures: RGB uint8 [B, H, W, 3] of the key's size.

        Returns:
            [B, D, h, w], float32, on the key's device.
        """
        return self.runtime.run(pictures)


class Extractors:
    """The extractors of detectors that belong together; safe to share between threads."""

    def __init__(self) -> None:
        self._networks: WeakValueDictionary[str, nn.Module] = WeakValueDictionary()
        self._extractors: WeakValueDictionary[ExtractorKey, FeatureExtractor] = (
            WeakValueDictionary()
        )
        self._lock = RLock()

    def network(self, backbone: str) -> nn.Module:
        """The pretrained network of that name, loaded unless somebody uses it already.

        Raises:
            DetectorError: If there is none, its weights are not installed or damaged.
        """
        with self._lock:
            network = self._networks.get(backbone)
            if network is None:
                network = load_backbone(find_spec(backbone))
                self._networks[backbone] = network
            return network

    def extractor(self, key: ExtractorKey) -> FeatureExtractor:
        """The extractor of that key, compiled unless somebody uses it already.

        Raises:
            DetectorError: As from `network`.
        """
        with self._lock:
            extractor = self._extractors.get(key)
            if extractor is None:
                extractor = FeatureExtractor(key, self.network(key.backbone))
                self._extractors[key] = extractor
            return extractor
