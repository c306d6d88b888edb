"""Teaching a detector what a camera normally sees."""

from collections.abc import Callable
from pathlib import Path

import torch

from app.progress import Reporter
from app.watching.sizes import same_shape
from detectors.base import Detector, DetectorError, LearnsMore
from detectors.build import build_detector, load_detector
from detectors.configs import DetectorConfig
from detectors.features.extractors import Extractors
from detectors.scaling import resized
from detectors.types import Pixels


def fit_detector(
    config: DetectorConfig,
    frames: list[Pixels],
    device: torch.device,
    reporter: Reporter,
    check: Callable[[], None],
    more: Path | None = None,
    *,
    extractors: Extractors | None = None,
) -> Detector:
    """Fit a detector to frames of a normal view.

    Args:
        config: Which detector, and how it is made.
        frames: N images, RGB uint8 [H, W, 3], in the order they were taken.
        device: Where it computes.
        reporter: Told how far the fit is.
        check: Raises if the user wants to stop.
        more: Folder of a detector to add them to instead; see `teach_more`.
        extractors: Shared with other detectors, if there are any.

    Raises:
        detectors.base.DetectorError: If there are too few frames or no weights.
    """
    if more is not None:
        return teach_more(more, frames, device, reporter, check)
    detector = build_detector(config, device, extractors)
    with reporter.task("Learning the view") as meter:

        def told(done: int, total: int) -> None:
            check()
            meter.count(done, total)

        detector.fit(frames, told)
    return detector


def teach_more(
    folder: Path,
    frames: list[Pixels],
    device: torch.device,
    reporter: Reporter,
    check: Callable[[], None],
) -> Detector:
    """Add frames of a normal view to what a detector learned before.

    Args:
        folder: Of the detector; it stays as it is.
        frames: N images, RGB uint8 [H, W, 3], of the shape that it learned.
        device: Where it computes.
        reporter: Told how far it is.
        check: Raises if the user wants to stop.

    Raises:
        detectors.base.DetectorError: If there is no detector of this version and backbone, it
            cannot add to what it learned, or the frames are too few or of another shape.
    """
    detector = load_detector(folder, device)
    size = detector.frame_size
    if not isinstance(detector, LearnsMore) or size is None:
        raise DetectorError(
            f"{folder}: a detector of this kind cannot add to what it learned; fit a new one from "
            "the old and the new footage together"
        )
    for height, width in {(frame.shape[0], frame.shape[1]) for frame in frames}:
        if not same_shape((height, width), size):
            raise DetectorError(
                f"{folder}: learned pictures of {size[1]}x{size[0]} pixels, and {width}x{height} "
                "have another shape; --more adds footage of the same view alone"
            )
    with reporter.task("Learning more of the view") as meter:

        def told(done: int, total: int) -> None:
            check()
            meter.count(done, total)

        detector.learn_more([resized(frame, size) for frame in frames], told)
    return detector
