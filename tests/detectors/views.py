"""Frames of one place, made of a real photograph."""

import cv2
import numpy as np
import skimage.data

from detectors.types import Pixels


def normal_views(count: int, seed: int) -> list[Pixels]:
    """`count` frames [160, 200, 3] of a motorcycle in a workshop, with noise and other light."""
    rng = np.random.default_rng(seed)
    place = cv2.resize(
        skimage.data.stereo_motorcycle()[0], (200, 160), interpolation=cv2.INTER_AREA
    )
    views = []
    for _ in range(count):
        light = place * rng.uniform(0.92, 1.08) + rng.normal(0, 2, place.shape)
        views.append(light.clip(0, 255).astype(np.uint8))
    return views
