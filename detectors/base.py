"""What every detector can do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.types import Pixels
from novic.errors import NomalyError

type Progress = Callable[[int, int], None]
"""Called with (done, total) while a detector is fitted."""


class DetectorError(NomalyError):
    """A detector cannot be built, fitted or loaded; the text says why and what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class AnomalyMaps:
    """What a detector says of a batch of frames."""

    maps: NDArray[np.float32]
    """Anomaly maps [B, h, w], usually coarser than the frame: cell (0, 0) covers its top left
    corner and the whole grid covers the whole frame. Divided by the threshold: 1.0 is just
    unusual, whatever the detector."""
    scores: NDArray[np.float32]
    """Largest map value of each frame [B]."""


class Detector(Protocol):
    """Learns what a camera normally sees, then says where a frame differs."""

    @property
    def threshold(self) -> float:
        """Raw map value that counts as 1.0."""
        ...

    def fit(self, frames: Sequence[Pixels], progress: Progress | None = None) -> None:
        """Learn from normal frames of one size; hold some back to choose the threshold.

        Args:
            frames: N images, RGB uint8 [H, W, 3], in the order they were taken.
            progress: Told how far the fit is.

        Raises:
            DetectorError: If there are too few frames or their sizes differ.
        """
        ...

    def detect(self, frames: Sequence[Pixels]) -> AnomalyMaps:
        """Map what is unusual in each frame.

        Args:
            frames: B images, RGB uint8 [H, W, 3], of the size it was fitted on.

        Raises:
            DetectorError: If it is not fitted or the frames have another size.
        """
        ...

    def save(self, path: Path) -> None:
        """Write everything that `load` needs into a new folder (safetensors and JSON)."""
        ...
