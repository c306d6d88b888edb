"""Teaching a detector what a camera normally sees."""

from collections.abc import Callable

import torch

from app.progress import Reporter
from detectors.base import Detector
from detectors.build import build_detector
from detectors.configs import DetectorConfig
from detectors.types import Pixels


def fit_detector(
    config: DetectorConfig,
    frames: list[Pixels],
    device: torch.device,
    reporter: Reporter,
    check: Callable[[], None],
) -> Detector:
    """Fit a detector to frames of a normal view.

    Args:
        config: Which detector, and how it is made.
        frames: N images, RGB uint8 [H, W, 3], in the order they were taken.
        device: Where it computes.
        reporter: Told how far the fit is.
        check: Raises if the user wants to stop.

    Raises:
        detectors.base.DetectorError: If there are too few frames or no weights.
    """
    detector = build_detector(config, device)
    with reporter.task("Learning the view") as meter:

        def told(done: int, total: int) -> None:
            check()
            meter.count(done, total)

        detector.fit(frames, told)
    return detector
