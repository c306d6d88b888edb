"""Frames of several views looked at in one go."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched, groupby

import numpy as np
import torch

from detectors.base import AnomalyMaps, Detector
from detectors.features.extractors import FeatureExtractor
from detectors.frames import BATCH
from detectors.types import Pixels


class FeatureDetector(ABC):
    """A detector that judges features of a network which other views may look through as well."""

    @property
    @abstractmethod
    def extractor(self) -> FeatureExtractor:
        """The network of a fitted view.

        Raises:
            DetectorError: If it is not fitted.
        """

    @abstractmethod
    def pictures(self, frames: Sequence[Pixels]) -> Iterator[Pixels]:
        """What the extractor is to be given for each frame.

        Args:
            frames: RGB uint8 [H, W, 3].

        Returns:
            The frames [h, w, 3] in the size of the extractor, made one by one; their sizes are
            checked at once.

        Raises:
            DetectorError: If it is not fitted or the frames have another size.
        """

    @abstractmethod
    def judged(self, features: torch.Tensor) -> torch.Tensor:
        """Maps [B, h, w] over the threshold, of the extractor's features [B, D, h, w]."""

    def detect(self, frames: Sequence[Pixels], *, features: bool = False) -> AnomalyMaps:
        """Map what is unusual in each frame; see `Detector.detect`."""
        look = _Look(self, self.pictures(frames))
        _look_through(self.extractor, [look], features=features)
        return look.result(features=features)


type View = tuple[Detector, Sequence[Pixels]]
"""A fitted detector, and B frames of its view, RGB uint8 [H, W, 3]; B may differ, and be 0."""


def detect_views(views: Sequence[View], *, features: bool = False) -> list[AnomalyMaps]:
    """Map what is unusual in frames of several views.

    Views whose detectors share an extractor run through it together, in full batches.

    Args:
        views: Any mix of detectors; a view may come more than once.
        features: Whether the maps shall carry their features.

    Returns:
        The maps of each view, in the order given, as `detect` of each would give them; batches of
        another size may change the last digits.

    Raises:
        DetectorError: If one is not fitted or its frames have another size.
    """
    looks: list[_Look | View] = []
    shared: dict[FeatureExtractor, list[_Look]] = {}
    for detector, frames in views:
        if isinstance(detector, FeatureDetector):
            look = _Look(detector, detector.pictures(frames))
            shared.setdefault(detector.extractor, []).append(look)
            looks.append(look)
        else:
            looks.append((detector, frames))
    for extractor, group in shared.items():
        _look_through(extractor, group, features=features)
    return [
        look.result(features=features)
        if isinstance(look, _Look)
        else look[0].detect(look[1], features=features)
        for look in looks
    ]


@dataclass(slots=True, eq=False)
class _Look:
    """One view's pictures, and what was found in them so far."""

    detector: FeatureDetector
    pictures: Iterator[Pixels]
    maps: list[torch.Tensor] = field(default_factory=list)
    features: list[torch.Tensor] = field(default_factory=list)

    def result(self, *, features: bool) -> AnomalyMaps:
        """Everything of this view as one batch."""
        extractor = self.detector.extractor
        if not self.maps:
            shape = (0, len(extractor.key.channels), *extractor.grid)
            none = np.zeros((0, *extractor.grid), np.float32)
            nothing = np.zeros(shape, np.float32) if features else None
            return AnomalyMaps(none, np.zeros(0, np.float32), nothing)
        maps = torch.cat(self.maps).cpu().numpy()
        cells = torch.cat(self.features).numpy() if features else None
        return AnomalyMaps(maps, maps.max(axis=(1, 2)), cells)


def _look_through(extractor: FeatureExtractor, looks: Sequence[_Look], *, features: bool) -> None:
    """Run the pictures of views that share an extractor through it, in full batches."""
    queue = ((look, picture) for look in looks for picture in look.pictures)
    for batch in batched(queue, BATCH):
        found = extractor.features(np.stack([picture for _, picture in batch]))
        for look, part in _parts([look for look, _ in batch], found):
            look.maps.append(look.detector.judged(part))
            if features:
                look.features.append(part.cpu())


def _parts(owners: list[_Look], found: torch.Tensor) -> Iterator[tuple[_Look, torch.Tensor]]:
    """A batch's features [B, D, h, w] by the view that each belongs to; views lie in a row."""
    start = 0
    for _, own in groupby(owners, key=id):
        stop = start + len(list(own))
        yield owners[start], found[start:stop]
        start = stop
