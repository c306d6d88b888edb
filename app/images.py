"""Image files for `nomaly name`: found, opened upright, turned into RGB."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from detectors.types import Pixels

ENDINGS = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".avif"}
)
"""What is taken from a folder; a file that is named itself may end as it likes."""
STDIN = "-"


class ImageError(RuntimeError):
    """An image cannot be read; the text says why, without its path."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image to be named, or a path that is none."""

    path: str
    image: Pixels | None
    error: str = ""


def find_images(paths: Sequence[str]) -> Iterator[str]:
    """The image files that some paths mean: files, folders (with all below them), `-` for stdin."""
    for text in paths:
        path = Path(text)
        if text != STDIN and path.is_dir():
            found = (file for file in path.rglob("*") if file.suffix.lower() in ENDINGS)
            yield from (str(file) for file in sorted(found) if file.is_file())
        else:
            yield text


def open_images(paths: Sequence[str]) -> Iterator[ImageFile]:
    """Open images one by one; faults are told in place of the image and end nothing."""
    for path in find_images(paths):
        try:
            yield ImageFile(path, read_image(path))
        except ImageError as error:
            yield ImageFile(path, None, str(error))


def read_image(path: str) -> Pixels:
    """Read one image upright, as RGB uint8 [H, W, 3].

    EXIF orientation is applied, transparency is laid over grey, 16-bit pictures are scaled by
    their own range (65535 for full 16 bit).

    Args:
        path: A file, or `-` for standard input.

    Raises:
        ImageError: If it is missing or no image that can be decoded.
    """
    try:
        with Image.open(sys.stdin.buffer if path == STDIN else path) as opened:
            return _rgb(ImageOps.exif_transpose(opened))
    except FileNotFoundError as error:
        raise ImageError("there is no such file") from error
    except IsADirectoryError as error:
        raise ImageError("is a folder") from error
    except UnidentifiedImageError as error:
        raise ImageError("is not an image that can be read") from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"is too large to be opened safely: {error}") from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise ImageError(f"is damaged: {error}") from error


def _rgb(image: Image.Image) -> Pixels:
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float64)
        full = 65535 if image.mode.startswith("I") else max(float(values.max()), 1e-9)
        grey = np.clip(values * (255 / full), 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if image.has_transparency_data:
        over = Image.new("RGBA", image.size, (128, 128, 128, 255))
        image = Image.alpha_composite(over, image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))
