"""What every detector can do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from detectors.types import Pixels
from novic.errors import NomalyError

if TYPE_CHECKING:  # who only reads settings needs neither torch nor cv2
    import torch

    from detectors.learned import LearnedView

type Progress = Callable[[int, int], None]
"""Called with (done, total) while a detector is fitted."""

NOT_LEARNED = "the detector has not learned a view yet"
"""Begins what an unfitted detector says."""


class DetectorError(NomalyError):
    """A detector cannot be built, fitted or loaded; the text says why and what to do."""


class NoDetectorError(DetectorError):
    """There is no detector in the folder that was named."""

    exit_code = 2


@dataclass(frozen=True, slots=True, eq=False)
class AnomalyMaps:
    """What a detector says of a batch of frames."""

    maps: NDArray[np.float32]
    """Anomaly maps [B, h, w], usually coarser than the frame: cell (0, 0) covers its top left
    corner and the whole grid covers the whole frame. Divided by the threshold: 1.0 is just
    unusual, whatever the detector."""
    scores: NDArray[np.float32]
    """Largest map value of each frame [B]."""
    features: NDArray[np.float32] | None = None
    """What each cell was judged by [B, D, h, w]; None if it was not asked for, or if the detector
    judges by nothing but pixels."""


class Detector(Protocol):
    """Learns what a camera normally sees, then says where a frame differs."""

    @property
    def threshold(self) -> float:
        """Raw map value that counts as 1.0; NaN before the fit."""
        ...

    @property
    def frame_size(self) -> tuple[int, int] | None:
        """(height, width) in pixels of the frames that it was fitted on; None before the fit."""
        ...

    @property
    def view(self) -> "LearnedView | None":
        """What its view usually looks like.

        None before the fit, and of a detector that was saved before December 2026.
        """
        ...

    @property
    def tolerance(self) -> NDArray[np.float32]:
        """How much more than elsewhere is borne at each cell of the maps [h, w], at least 1.

        Above 1 where things moved while it learned; the maps are divided by it. [1, 1] where it is
        the same all over.
        """
        ...

    @property
    def peak(self) -> float:
        """Largest map value of the real frames it learned from; NaN if that is not known."""
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

    def detect(self, frames: Sequence[Pixels], *, features: bool = False) -> AnomalyMaps:
        """Map what is unusual in each frame.

        Args:
            frames: B images, RGB uint8 [H, W, 3], of the size it was fitted on; B may be 0.
            features: Whether the maps shall carry their features.

        Raises:
            DetectorError: If it is not fitted or the frames have another size.
        """
        ...

    def with_threshold(self, threshold: float) -> Self:
        """The same detector with another raw map value that counts as 1.0.

        What it learned is shared, not copied; this one stays as it is.

        Args:
            threshold: Above 0, for example from a calibration.

        Raises:
            DetectorError: If it is not fitted.
            ValueError: If the threshold is not above 0 and finite.
        """
        ...

    def with_tolerance(self, tolerance: NDArray[np.float32]) -> Self:
        """The same detector that bears more at some places.

        Args:
            tolerance: What its maps are divided by besides what they are already [h, w] of their
                size, at least 1.

        Raises:
            DetectorError: If it is not fitted.
            ValueError: If the tolerance is none.
        """
        ...

    def save(self, path: Path) -> None:
        """Write everything that `load_detector` needs into a folder: safetensors and JSON.

        Args:
            path: A folder that does not exist yet or is empty.

        Raises:
            DetectorError: If it is not fitted, or the folder is not empty or cannot be written.
        """
        ...

    def restore(self, facts: Mapping[str, Any], tensors: Mapping[str, "torch.Tensor"]) -> None:
        """Take up what `save` wrote; for `load_detector`, which has built it by its settings.

        Args:
            facts: What stood in detector.json.
            tensors: What lay beside it.

        Raises:
            DetectorError: If its network is not the one that it was fitted with.
            KeyError: If a part is missing; a TypeError or ValueError if one is wrong.
        """
        ...


@runtime_checkable
class LearnsMore(Protocol):
    """A fitted detector that may take up more normal footage of its view."""

    def learn_more(self, frames: Sequence[Pixels], progress: Progress | None = None) -> None:
        """Learn from more normal frames, as if they had been there from the start.

        The threshold bears both: the old frames, and those of the new ones that are held back.
        The learned picture is that of both where they look alike, else that of the new frames.

        Args:
            frames: N images, RGB uint8 [H, W, 3] of the fitted size, in the order they were taken.
            progress: Told how far it is.

        Raises:
            DetectorError: If this kind of detector cannot, there are too few frames, or they are
                of another size. What was learned before stays.
        """
        ...
