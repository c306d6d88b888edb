"""Frames, detections and a namer for tests of the app."""

from collections.abc import Sequence

import numpy as np

from detectors.types import Box, Detection, Frame, Pixels
from novic.surrounded import Surrounded
from novic.vocabulary import Naming, NounScore

SIZE = (60, 80)
"""(height, width) of a frame."""


def a_frame(pts_s: float = 0.0, image: Pixels | None = None, camera: str = "hall") -> Frame:
    """A frame that began at 1 second past the epoch."""
    picture = image if image is not None else np.full((*SIZE, 3), 90, np.uint8)
    return Frame(camera, round(pts_s * 5), pts_s, 1_000_000 + round(pts_s * 1e6), picture)


def a_detection(x: float = 10, y: float = 10, side: float = 20, score: float = 2.0) -> Detection:
    return Detection(Box(x, y, x + side, y + side), score)


def a_map(*spots: tuple[int, int, int], peak: float = 3.0) -> np.ndarray:
    """A map [12, 16] for an 80 x 60 frame with square spots (column, row, cells)."""
    heat = np.full((12, 16), 0.3, np.float32)
    for column, row, cells in spots:
        heat[row : row + cells, column : column + cells] = peak
    return heat


class BrightnessNames:
    """Names crops by how bright they are: no model, but a real function of the picture."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def name(
        self, images: Sequence[Pixels], top: int = 5, around: Sequence[Surrounded | None] = ()
    ) -> list[Naming]:
        self.batches.append(len(images))
        return [brightness_naming(image) for image in images]


def brightness_naming(image: Pixels) -> Naming:
    """A lamp where it is bright, with a vector [2] that says how bright."""
    nouns = (NounScore("lamp" if image.mean() > 128 else "shadow", 0.8), NounScore("thing", 0.1))
    angle = image.mean() / 255 * np.pi / 2
    vector = np.array([np.cos(angle), np.sin(angle)], np.float32)
    return Naming(nouns, vector, rest=0.1)
