"""Pictures as other programs hold them, checked before they go to a network."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from detectors.types import Pixels
from novic.errors import UsageError

WANTED = "an image is a NumPy array uint8 [height, width, 3], its channels red, green, blue"


class ArrayError(UsageError, ValueError):
    """What was given is no picture; the text says what it is instead."""


def checked(images: Sequence[Pixels]) -> list[Pixels]:
    """The images, if each of them is one.

    Whether red or blue comes first cannot be seen in an array: OpenCV's must be turned round.

    Args:
        images: N arrays, RGB uint8 [H, W, 3], at least one pixel each.

    Raises:
        ArrayError: If something else was given.
    """
    if isinstance(images, np.ndarray) and images.ndim == 3:
        raise ArrayError(
            f"one array of shape {images.shape} was given where several images are expected; "
            "put it into a list: [image]"
        )
    for number, image in enumerate(images):
        fault = _fault(image)
        if fault:
            raise ArrayError(f"image {number} {fault}; {WANTED}")
    return list(images)


def _fault(image: Any) -> str:  # noqa: ANN401
    """What is wrong with what should be an image; empty if nothing."""
    if not isinstance(image, np.ndarray):
        return f"is a {type(image).__name__}"
    if image.ndim != 3 or image.shape[2] != 3:
        return f"has shape {image.shape}"
    if image.dtype != np.uint8:
        return f"holds {image.dtype}"
    return "" if image.size else f"is empty, {image.shape}"
