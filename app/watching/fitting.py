"""Teaching a detector what a camera normally sees."""

import math
from collections.abc import Callable
from pathlib import Path

import torch

from app.progress import Reporter
from app.sources.open import open_recording
from detectors.base import Detector
from detectors.build import build_detector
from detectors.configs import DetectorConfig
from detectors.types import Pixels

FIT_FRAMES = 64
"""Frames that a detector is fitted on, spread evenly over the normal footage."""
MOST_BYTES = 1 << 30
"""Memory that these may take; frames of 20 megapixels are fewer."""


def normal_frames(
    video: Path, seconds: float | None, reporter: Reporter, check: Callable[[], None]
) -> list[Pixels]:
    """Read frames of normal footage, evenly over its time.

    Args:
        video: The file.
        seconds: How much of it, from its start; None for all.
        reporter: Told how far the reading is.
        check: Raises if the user wants to stop.

    Returns:
        At most FIT_FRAMES images, RGB uint8 [H, W, 3].

    Raises:
        app.sources.base.SourceError: If the file cannot be read.
    """
    with open_recording(str(video)) as probe:
        info = probe.info
    length_s = min(seconds or math.inf, info.duration_s or math.inf)
    most = max(8, min(FIT_FRAMES, MOST_BYTES // (3 * info.size[0] * info.size[1])))
    # Without a known length the best that can be done is to look at the start.
    rate = most / length_s if math.isfinite(length_s) else info.fps or 5.0
    frames: list[Pixels] = []
    total = length_s if math.isfinite(length_s) else None
    with (
        open_recording(str(video), sample_fps=rate) as source,
        reporter.task("Reading normal footage", total) as meter,
    ):
        for frame in source.frames():
            check()
            if frame.pts_s >= length_s or len(frames) == most:
                break
            frames.append(frame.image)
            meter.to(frame.pts_s)
    return frames


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
