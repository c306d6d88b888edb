"""What light, dirt on the sensor and a shaking pole do to a picture of the same place."""

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.types import Pixels

GAIN = 0.25
"""Brightness wanders by up to this share."""
CAST = 0.025
"""Spread of the colour channels' own gains."""
SHAKE_SHARE = 0.0012
"""Spread of the shift, as a share of the longer side: 0.8 px at 640."""
SHADOW_CHANCE = 0.9
"""Of the variations. Shadows that never fell while it learned are what alarms it most."""


def vary(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Another picture of the same place: shaken, under other light, with other noise.

    Args:
        image: RGB uint8 [H, W, 3].
        rng: Source of chance.
    """
    height, width = image.shape[:2]
    spread = SHAKE_SHARE * max(height, width)
    dx, dy = rng.normal(0, spread, 2)
    shift = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    moved = cv2.warpAffine(
        image, shift, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    gains = np.exp(rng.uniform(-GAIN, GAIN)) * rng.normal(1, CAST, 3)
    light = gains.astype(np.float32)[None, None]
    if rng.random() < SHADOW_CHANCE:
        light = light * soft_shadow(height, width, rng)[..., None]
    noise = rng.normal(0, 1, (height, width, 1)).astype(np.float32) * rng.uniform(1, 3)
    return np.clip(moved * light + noise, 0, 255).astype(np.uint8)


def soft_shadow(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A soft-edged shadow or patch of sun, as a factor of the light [H, W]."""
    side = 48
    corners = rng.uniform(-0.2, 1.2, (int(rng.integers(3, 7)), 2)) * side
    mask = np.zeros((side, side), np.float32)
    cv2.fillPoly(mask, [cv2.convexHull(corners.astype(np.int32))], (1.0,))
    mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.6, 4))
    factor = 1 - mask * rng.uniform(-0.25, 0.4)
    resized = cv2.resize(factor, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.float32)
