"""Teaching a detector what good images look like, and from which score on one is not good."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from app.inspecting.card import ALIGNED, InspectionCard
from app.inspecting.request import FitRequest
from app.progress import Reporter
from calibration.good import good_threshold
from detectors.base import NOT_LEARNED, Detector, DetectorError
from detectors.build import build_detector
from detectors.configs import DetectorConfig
from detectors.features.extractors import Extractors
from detectors.features.remembering import RememberingExtractors
from detectors.normal import MINIMUM_FRAMES
from detectors.scaling import resized
from detectors.scores import image_scores
from detectors.types import Pixels

FOLDS = 10
"""Parts that are held out in turn. With four, what is held out looks further away than it will to
the detector of all: it learned from a quarter less (benchmarks/elpv.py)."""
ENOUGH = 1000
"""Held-out images; with more no other part is held out."""
_BATCH = 8
_GLANCE = (96, 96)
"""(height, width) in which images are compared with their median."""


@dataclass(frozen=True, slots=True)
class Taught:
    """A detector of stills: 1.0 in its maps, and the card's value for images, are just unusual."""

    detector: Detector
    card: InspectionCard
    kind: str
    """Of the detector."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the images that it looks at.

        Raises:
            DetectorError: If the detector is not fitted.
        """
        if self.detector.frame_size is None:
            raise DetectorError(NOT_LEARNED)
        return self.detector.frame_size


@dataclass(frozen=True, slots=True)
class Teaching:
    """How a detector is made."""

    config: DetectorConfig
    share: float
    device: torch.device
    reporter: Reporter
    check: Callable[[], None]
    """Raises if the user wants to stop."""


def teach(images: Sequence[Pixels], teaching: Teaching) -> Taught:
    """Fit a detector to good images, and find its thresholds on those held out in turn.

    Args:
        images: Good images, RGB uint8 [H, W, 3], of one size, at least 8.
        teaching: How.

    Raises:
        detectors.base.DetectorError: If there are too few, or no weights.
    """
    if len(images) < MINIMUM_FRAMES:
        raise DetectorError(f"good images: {len(images)}, at least {MINIMUM_FRAMES} are needed")
    extractors = RememberingExtractors()  # every fold looks at the same images
    peaks, means = _held_out(images, teaching, extractors)
    detector = _fitted(images, teaching, extractors, "Learning all good images")
    extractors.forget()
    share = teaching.share
    level = good_threshold(peaks, share).value
    image = good_threshold(means / level, share)
    card = InspectionCard(image, share, len(images), likeness(images))
    return Taught(detector.with_threshold(level), card, teaching.config.kind)


def suited(request: FitRequest, images: Sequence[Pixels]) -> DetectorConfig:
    """What learns: what was asked for, else what suits images [H, W, 3] that lie as these do."""
    if request.anyhow is None or not images or likeness(images) >= ALIGNED:
        return request.config
    return request.anyhow


def likeness(images: Sequence[Pixels]) -> float:
    """How like good images are to their median, see `InspectionCard.likeness`."""
    greys = np.stack([resized(image, _GLANCE).mean(axis=2).ravel() for image in images])
    usual = np.median(greys, axis=0)
    likenesses = [np.corrcoef(grey, usual)[0, 1] for grey in greys if grey.std() > 0 < usual.std()]
    return float(np.median(likenesses)) if likenesses else 0.0


def _held_out(
    images: Sequence[Pixels], teaching: Teaching, extractors: Extractors
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Highest value and mean of the top of the raw maps of images that were not learned from."""
    peaks: list[float] = []
    means: list[float] = []
    for number, held in enumerate(folds(len(images), teaching.config.seed), start=1):
        rest = sorted(set(range(len(images))) - set(held))
        # Of few images so few are left that some come twice: no detector learns from less.
        learned = [images[at] for at in np.resize(rest, max(len(rest), MINIMUM_FRAMES))]
        fitted = _fitted(learned, teaching, extractors, f"Trying it on held-out images ({number})")
        for maps in raw_maps(fitted, [images[at] for at in held], teaching.check):
            peaks.append(float(maps.max()))
            means.append(float(image_scores(maps[None])[0]))
    return np.array(peaks), np.array(means)


def folds(count: int, seed: int) -> list[list[int]]:
    """Numbers of the images that are held out in turn, by chance.

    Args:
        count: Of all images.
        seed: Of the chance.
    """
    order = np.random.default_rng(seed).permutation(count)
    parts = [sorted(part.tolist()) for part in np.array_split(order, min(FOLDS, count))]
    return parts[: -(-ENOUGH // len(parts[-1]))]


def raw_maps(
    detector: Detector, images: Sequence[Pixels], check: Callable[[], None]
) -> "list[NDArray[np.float32]]":
    """The maps [h, w] of images before the threshold."""
    maps: list[NDArray[np.float32]] = []
    for start in range(0, len(images), _BATCH):
        check()
        maps.extend(detector.detect(images[start : start + _BATCH]).maps * detector.threshold)
    return maps


def _fitted(
    images: Sequence[Pixels], teaching: Teaching, extractors: Extractors, label: str
) -> Detector:
    detector = build_detector(teaching.config, teaching.device, extractors)
    with teaching.reporter.task(label) as meter:

        def told(done: int, total: int) -> None:
            teaching.check()
            meter.count(done, total)

        detector.fit(images, told)
    return detector
