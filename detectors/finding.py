"""From an anomaly map and its frame to detections, for cameras, calibration and benchmarks."""

import numpy as np
from numpy.typing import NDArray

from detectors.boxes import find_boxes
from detectors.learned import LearnedView
from detectors.types import Detection, Pixels


class Finder:
    """Finds the regions of a camera's frames that do not belong."""

    def __init__(self, view: LearnedView | None = None) -> None:
        """Begin.

        Args:
            view: What the camera usually shows; None if that is not known.
        """
        self.view = view

    def find(
        self, heat: NDArray[np.float32], image: Pixels, mask: NDArray[np.bool_] | None = None
    ) -> list[Detection]:
        """Find what does not belong in one frame.

        Args:
            heat: Its anomaly map [h, w] that covers the frame, 1.0 where it is just unusual.
            image: The frame, RGB uint8 [H, W, 3].
            mask: Cells that are watched [h, w]; None watches all.

        Returns:
            Detections in pixels of the frame, highest score first.

        Raises:
            ValueError: If the mask has another shape than the map.
        """
        return find_boxes(heat, image.shape[:2], mask=mask)
