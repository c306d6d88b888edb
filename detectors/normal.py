"""The normal footage that a detector learns from: what it is fitted to and what it is tested on."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from detectors.base import DetectorError
from detectors.frames import common_size
from detectors.scaling import resized, thinned
from detectors.types import Pixels
from detectors.variations import vary

MINIMUM_FRAMES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Frames, and how many pictures are made of each: itself and variations."""

    frames: Sequence[Pixels]
    copies: int

    @property
    def count(self) -> int:
        """How many pictures there will be."""
        return len(self.frames) * self.copies

    def pictures(self, size: tuple[int, int], rng: np.random.Generator) -> Iterator[Pixels]:
        """Every frame scaled to `size` (height, width), followed by variations of it."""
        for frame in self.frames:
            image = resized(frame, size)
            yield image
            for _ in range(self.copies - 1):
                yield vary(image, rng)


def normal_size(frames: Sequence[Pixels]) -> tuple[int, int]:
    """(height, width) of frames that are enough to learn from.

    Raises:
        DetectorError: If they are too few, their sizes differ or one is not [H, W, 3].
    """
    if not frames:
        raise DetectorError(f"no normal frames: at least {MINIMUM_FRAMES} are needed")
    size = common_size(frames)
    if len(frames) < MINIMUM_FRAMES:
        raise DetectorError(
            f"{len(frames)} normal frames are too few: at least {MINIMUM_FRAMES} are needed"
        )
    return size


def split_normal(
    frames: Sequence[Pixels], *, most: int, held_out: float, passes: int, held_out_passes: int
) -> tuple[Part, Part]:
    """Part the frames in two: what the model is fitted to, and what only the threshold sees.

    The latest frames are held back: drift between the two parts is drift that the threshold has to
    bear. Both parts are also varied (light, shadow, shake), so that a minute of footage stands for
    more weather than it saw.

    Args:
        frames: RGB uint8 [H, W, 3], in the order they were taken, at least MINIMUM_FRAMES.
        most: More are thinned out evenly.
        held_out: Share of the frames that is held back, at least two of them.
        passes: Pictures in the first part, at least.
        held_out_passes: Pictures in the second part, at least.
    """
    kept = thinned(frames, most)
    cut = len(kept) - min(len(kept) - 1, max(2, round(len(kept) * held_out)))
    return (
        Part(kept[:cut], math.ceil(passes / cut)),
        Part(kept[cut:], math.ceil(held_out_passes / (len(kept) - cut))),
    )
