"""Pictures for people: files and heat overlays."""

from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from novic.whole_files import write_whole

JPEG_QUALITY = 88
_FORMATS = {".jpg": "jpeg", ".png": "png"}
HOT = 4.0
"""Score that is drawn in the strongest colour."""


def write_image(path: Path, image: NDArray[np.uint8]) -> None:
    """Write a JPEG or PNG by the path's ending; it is on the disk when this returns.

    Args:
        path: The file, replaced if it exists; no power cut leaves half of it.
        image: RGB [H, W, 3] or, for PNG, RGBA [H, W, 4].

    Raises:
        OSError: If it cannot be written.
    """
    file = BytesIO()
    Image.fromarray(image).save(file, _FORMATS[path.suffix], quality=JPEG_QUALITY)
    write_whole(path, file.getvalue())


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
