"""Pictures for people: files, heat overlays, boxes with labels."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from detectors.types import Box, Pixels

JPEG_QUALITY = 88
HOT = 4.0
"""Score that is drawn in the strongest colour."""
BOX_COLOUR = (255, 84, 48)


def write_image(path: Path, image: NDArray[np.uint8]) -> None:
    """Write a JPEG or PNG by the path's ending.

    Args:
        path: The file, replaced if it exists.
        image: RGB [H, W, 3] or, for PNG, RGBA [H, W, 4].

    Raises:
        OSError: If it cannot be written.
    """
    part = path.with_suffix(f".part{path.suffix}")
    try:
        Image.fromarray(image).save(part, quality=JPEG_QUALITY)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def heat_image(heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """An anomaly map as a small overlay: transparent below 0.7, yellow to red above.

    Args:
        heat: [h, w], 1.0 where just unusual.

    Returns:
        RGBA [h, w, 4].
    """
    strength = np.clip((heat - 0.7) / (HOT - 0.7), 0, 1) ** 0.5
    overlay = np.empty((*heat.shape, 4), dtype=np.uint8)
    overlay[..., 0] = 255
    overlay[..., 1] = 210 * (1 - strength)
    overlay[..., 2] = 30
    overlay[..., 3] = 150 * strength
    return overlay


def draw_box(image: Pixels, box: Box, label: str) -> None:
    """Draw a box with its label into an image, in place."""
    height, width = image.shape[:2]
    thick = max(1, round(max(height, width) / 400))
    scale = max(height, width) / 1300
    corner = (round(box.x1), round(box.y1))
    cv2.rectangle(image, corner, (round(box.x2) - 1, round(box.y2) - 1), BOX_COLOUR, thick)
    if not label:
        return
    font = cv2.FONT_HERSHEY_DUPLEX
    (wide, high), base = cv2.getTextSize(label, font, scale, 1)
    top = round(box.y1) - high - base - 2
    top = top if top >= 0 else min(round(box.y2), height - high - base - 2)
    left = max(0, min(corner[0], width - wide - 4))
    cv2.rectangle(image, (left, top), (left + wide + 4, top + high + base + 2), BOX_COLOUR, -1)
    cv2.putText(
        image, label, (left + 2, top + high + 1), font, scale, (255, 255, 255), 1, cv2.LINE_AA
    )
