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

from detectors.features.backbones import Backbone
from detectors.features.loading import load_backbone
from novic.runtime import Precision, Runtime, build_kept, build_runtime


@dataclass(frozen=True, slots=True)
class ExtractorKey:
    """All that two views must have in common to look through one extractor."""

    backbone: str
    channels: tuple[int, ...]
    """Indices of the channels kept, D of them."""
    size: tuple[int, int]
    """(H, W) of the pictures, multiples of the backbone's step."""
    device: torch.device
    precision: Precision = "float32"
    """What the network shall compute in; what its runtime does is `Runtime.precision`."""


class FeatureExtractor:
    """A backbone compiled for one size of picture."""

    def __init__(self, key: ExtractorKey, backbone: Backbone) -> None:
        """Compile the network, or take what this machine compiled of it before.

        Args:
            key: What comes in and out, and where it runs.
            backbone: What `load_backbone` gave.
        """
        self.key = key
        self.backbone = backbone
        made_of = backbone.made_of and f"{backbone.made_of} {key}"
        self.runtime: Runtime = build_kept(made_of, self._build, key.device)

    def _build(self) -> Runtime:
        key = self.key
        net = self.backbone.net(torch.tensor(key.channels, dtype=torch.int64), key.size)
        return build_runtime(net, key.size, key.device, key.precision)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the pictures."""
        return self.key.size

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) of the features."""
        height, width = self.key.size
        return height // self.backbone.stride, width // self.backbone.stride

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
        self._backbones: WeakValueDictionary[str, Backbone] = WeakValueDictionary()
        self._extractors: WeakValueDictionary[ExtractorKey, FeatureExtractor] = (
            WeakValueDictionary()
        )
        self._lock = RLock()

    def backbone(self, name: str) -> Backbone:
        """The pretrained network of that name, loaded unless somebody uses it already.

        Raises:
            DetectorError: If there is none, its weights are not installed or damaged.
        """
        with self._lock:
            backbone = self._backbones.get(name)
            if backbone is None:
                backbone = load_backbone(name)
                self._backbones[name] = backbone
            return backbone

    def extractor(self, key: ExtractorKey) -> FeatureExtractor:
        """The extractor of that key, compiled unless somebody uses it already.

        Raises:
            DetectorError: As from `backbone`.
        """
        with self._lock:
            extractor = self._extractors.get(key)
            if extractor is None:
                extractor = FeatureExtractor(key, self.backbone(key.backbone))
                self._extractors[key] = extractor
            return extractor
