"""MOG2 (Zivkovic 2004): a few colours per pixel, without a network. The floor for all others.

OpenCV's background model adapts while it looks, and takes in whatever stays. Here it learns from
the normal pictures alone, and is asked at a learning rate of 0 afterwards, which changes nothing.
"""

from collections.abc import Iterable, Mapping
from threading import Lock

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from detectors.configs import Mog2Config
from detectors.models.pictures import PictureDetector, Plain
from detectors.models.view_detector import Lesson, Look, Told
from detectors.scaling import input_size
from detectors.types import Pixels

STRIDE = 4
"""Pixels per cell."""
SPREADS = (2, 3, 4, 6, 8, 12, 16, 24)
"""Standard deviations off the nearest colour at which the model is asked; it answers yes or no."""
LIGHT_PX = 16
"""Width of the blur that takes the light out."""
DARK = np.float32(8)
"""Grey levels added before, so that noise in the dark stays small."""
GREY = np.float32(96)
"""What is as light as its surroundings."""
MOST_PICTURES = 256
"""That are kept: OpenCV cannot save what it learned, so it learns again."""


class Mixture:
    """What the normal pictures taught OpenCV."""

    def __init__(self, pictures: torch.Tensor) -> None:
        """Learn from pictures, uint8 [N, H, W, 3]."""
        self.pictures = pictures
        self._model = cv2.createBackgroundSubtractorMOG2(len(pictures), detectShadows=False)
        self._lock = Lock()  # the spread asked at belongs to the model, not to the question
        for picture in pictures.numpy():
            self._model.apply(without_light(picture))

    def distances(self, features: torch.Tensor) -> torch.Tensor:
        """Mean over each cell of how many spreads a pixel is off [B, h, w], of [B, H, W, 3]."""
        with self._lock:
            maps = np.stack([self._off(picture) for picture in features.cpu().numpy()])
        return torch.from_numpy(maps)

    def _off(self, picture: Pixels) -> NDArray[np.float32]:
        height, width = picture.shape[0] // STRIDE, picture.shape[1] // STRIDE
        off = np.zeros(picture.shape[:2], np.float32)
        seen = without_light(picture)
        for spread in SPREADS:
            self._model.setVarThreshold(spread**2)
            outside = self._model.apply(seen, learningRate=0) > 0
            if not outside.any():
                break
            off[outside] = spread
        return off.reshape(height, STRIDE, width, STRIDE).mean(axis=(1, 3))

    def tensors(self) -> dict[str, torch.Tensor]:
        """`pictures` that it learned from, uint8 [N, H, W, 3]."""
        return {"pictures": self.pictures}


def without_light(picture: Pixels) -> Pixels:
    """A picture [H, W, 3] over its own light, which is what is left of it after a wide blur.

    Exposure and soft shadows go; MOG2 would tell every pixel of them.
    """
    light = cv2.GaussianBlur(picture.astype(np.float32).mean(axis=2), (0, 0), LIGHT_PX) + DARK
    return np.clip((picture + DARK) * (GREY / light)[..., None], 0, 255).astype(np.uint8)


class Mog2Detector(PictureDetector[Mog2Config, Mixture]):
    """Learns the colours of every pixel."""

    def _open(self, frame_size: tuple[int, int]) -> Plain:
        height, width = input_size(frame_size, self.config.longer_side, 2 * STRIDE)
        return Plain((height, width), (height // STRIDE, width // STRIDE))

    def _lesson(self, look: Look) -> Lesson[Mixture]:
        def learn(batches: Iterable[torch.Tensor], told: Told) -> Mixture:
            model = Mixture(torch.cat(list(batches))[:MOST_PICTURES])
            told(1)
            return model

        return Lesson(learn)

    def _pictured(self, tensors: Mapping[str, torch.Tensor], look: Plain) -> Mixture:
        pictures = tensors["pictures"]
        fits = pictures.dtype == torch.uint8 and pictures.shape[1:] == (*look.size, 3)
        if not fits or not 1 <= len(pictures) <= MOST_PICTURES:
            raise ValueError(
                f"pictures {pictures.dtype} {tuple(pictures.shape)}: must be up to "
                f"{MOST_PICTURES} of {look.size[1]}x{look.size[0]} pixels"
            )
        return Mixture(pictures)
