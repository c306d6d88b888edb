"""The image files that a command line means: files, folders, `-` for standard input."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from novic import images
from novic.embedder import Pixels
from novic.images import ENDINGS, LoadedImage, load_images

STDIN = "-"


def find_images(paths: Sequence[str]) -> Iterator[str]:
    """The image files that some paths mean: files, folders (with all below them), `-` for stdin."""
    for text in paths:
        path = Path(text)
        if text != STDIN and path.is_dir():
            found = (file for file in path.rglob("*") if file.suffix.lower() in ENDINGS)
            yield from (str(file) for file in sorted(found) if file.is_file())
        else:
            yield text


def open_images(paths: Sequence[str]) -> Iterator[LoadedImage]:
    """Open images, some ahead; faults are told in place of the image and end nothing."""
    return load_images(find_images(paths), read=read_image)


def read_image(path: str) -> Pixels:
    """Read one image upright, as RGB uint8 [H, W, 3].

    Args:
        path: A file, or `-` for standard input.

    Raises:
        ImageError: If it is missing or no image that can be decoded.
    """
    return images.read_image(sys.stdin.buffer if path == STDIN else path)
