"""Names crops by their colours: no model, but a real function of the picture."""

import math
import signal
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from detectors.types import Pixels
from novic.surrounded import Surrounded
from novic.vocabulary import Naming, NounScore


class ColourNames:
    """A vector [48] of 4 x 4 colours, and a noun that is the surer the redder a crop is."""

    def name(
        self, images: Sequence[Pixels], top: int = 5, around: Sequence[Surrounded | None] = ()
    ) -> list[Naming]:
        return [_named(image) for image in images]


class Scores(ColourNames):
    """Names whose scores are no probabilities."""

    def name(
        self, images: Sequence[Pixels], top: int = 5, around: Sequence[Surrounded | None] = ()
    ) -> list[Naming]:
        return [replace(one, rest=math.nan) for one in super().name(images, top, around)]


class Interrupted(ColourNames):
    """Names as before, and somebody presses Ctrl-C meanwhile."""

    def name(
        self, images: Sequence[Pixels], top: int = 5, around: Sequence[Surrounded | None] = ()
    ) -> list[Naming]:
        signal.raise_signal(signal.SIGINT)
        return super().name(images, top, around)


def _named(image: Pixels) -> Naming:
    small = cv2.resize(image, (4, 4), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    centred = small - small.mean() + 1e-3
    red = float(np.clip(image[..., 0].mean() / 255, 0.01, 0.98))
    return Naming((NounScore("brick", red),), centred / np.linalg.norm(centred), 1 - red)
