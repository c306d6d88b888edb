"""Films of small rooms, each of which a file plays as a camera would."""

from pathlib import Path

import numpy as np

from app.media.video import VideoWriter

SIZE = (96, 128)
FPS = 5
QUICK = "detector_model: mog2, detector_settings: {passes: 8}"
"""A detector that needs no network, so that a camera is watched a moment after its film began."""


def room(number: int) -> np.ndarray:
    """An empty room that is like no other's, RGB uint8 [H, W, 3]."""
    coarse = np.random.default_rng(number).integers(60, 200, (12, 16, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((8, 8, 1), np.uint8)).astype(np.uint8)


def film(path: Path, number: int, seconds: float, things: tuple[float, ...] = ()) -> Path:
    """Film a room; at each of some moments a bright thing stands there for 4 s."""
    with VideoWriter(path, SIZE, FPS) as writer:
        for frame in range(round(seconds * FPS)):
            picture, at_s = room(number), frame / FPS
            if any(begin <= at_s < begin + 4 for begin in things):
                picture[30:70, 40:80] = (250, 240, 20)
            writer.write(picture, at_s)
    return path
