"""Networks that look at no picture twice: for who fits several detectors to the same pictures."""

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray

from detectors.features.backbones import Backbone
from detectors.features.extractors import ExtractorKey, Extractors, FeatureExtractor

MOST_BYTES = 1 << 30
"""Of features that are remembered at most; what does not fit is looked at again."""


class RememberingExtractors(Extractors):
    """Extractors whose features are remembered until `forget`; for one thread."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Begin with nothing.

        Args:
            most_bytes: Of all features together.
        """
        super().__init__()
        self._kept: dict[ExtractorKey, _Remembering] = {}
        self._left = most_bytes

    def extractor(self, key: ExtractorKey) -> FeatureExtractor:
        """See `Extractors.extractor`."""
        if key not in self._kept:
            self._kept[key] = _Remembering(key, self.backbone(key.backbone), self)
        return self._kept[key]

    def forget(self) -> None:
        """Remember nothing from here on; the extractors go on looking."""
        self._left = 0
        for extractor in self._kept.values():
            extractor.seen.clear()
        self._kept.clear()

    def fits(self, features: torch.Tensor) -> bool:
        """Whether there is room for more features; if so, it is taken."""
        size = features.numel() * features.element_size()
        if size > self._left:
            return False
        self._left -= size
        return True


class _Remembering(FeatureExtractor):
    """Knows its features of pictures again."""

    def __init__(self, key: ExtractorKey, backbone: Backbone, owner: RememberingExtractors) -> None:
        super().__init__(key, backbone)
        self.seen: dict[bytes, torch.Tensor] = {}
        """Features [D, h, w] by the digest of a picture."""
        self._owner = owner

    def features(self, pictures: NDArray[np.uint8]) -> torch.Tensor:
        """See `FeatureExtractor.features`."""
        names = [hashlib.blake2b(one, digest_size=16).digest() for one in map(bytes, pictures)]
        new = [at for at, name in enumerate(names) if name not in self.seen]
        found = dict(zip(new, super().features(pictures[new]), strict=True)) if new else {}
        for at, features in found.items():
            if self._owner.fits(features):
                self.seen[names[at]] = features.clone()
        return torch.stack(
            [found[at] if at in found else self.seen[name] for at, name in enumerate(names)]
        )
