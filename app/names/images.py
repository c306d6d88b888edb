"""The image files that a command line means: files, folders, `-` for standard input."""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from app.address import is_address
from app.sources.base import SourceError
from app.sources.container import open_video
from novic import images
from novic.embedder import Pixels
from novic.errors import UsageError
from novic.images import ENDINGS, HEIC_HELP, ImageError, LoadedImage, load_images

STDIN = "-"

_HEIC = frozenset({".heic", ".heif", ".hif"})
_VIDEOS = frozenset(
    {".avi", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".mts", ".ts", ".webm", ".wmv"}
)


@dataclass(frozen=True, slots=True)
class FoundImages:
    """What some paths of a command line mean."""

    files: list[str] = field(default_factory=list)
    """Image files, and `-`; those that were named themselves may be missing or no images."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Files of folders that are not looked at, counted by their ending in small letters."""
    closed: list[str] = field(default_factory=list)
    """Folders that could not be read, each with the reason."""

    @property
    def notes(self) -> list[str]:
        """One sentence for each thing that is left out, with what to do."""
        listed = ", ".join(
            f"{count} {ending or 'without an ending'}"
            for ending, count in sorted(self.left_out.items(), key=lambda item: (-item[1], item[0]))
        )
        notes = [f"left out: {listed}"] if listed else []
        if _HEIC & self.left_out.keys():
            notes.append(f"HEIC photographs cannot be read here; {HEIC_HELP}")
        if _VIDEOS & self.left_out.keys():
            notes.append("for videos use: nomaly audit FILE")
        return [*notes, *(f"left out: {folder}" for folder in self.closed)]


def find_images(paths: Sequence[str]) -> FoundImages:
    """The image files that some paths mean: files, folders (with all below them), `-` for stdin.

    Raises:
        UsageError: If there is nothing at any of the paths, one is a camera's address, or no image
            lies in the folders that were named.
    """
    found = FoundImages()
    for text in paths:
        if text != STDIN and Path(text).is_dir():
            _search(text, found)
        elif is_address(text):
            # Without the address, which may hold a password.
            raise UsageError(
                "that is an address, not a file; for a camera: nomaly watch ADDRESS, "
                "for one picture: curl -s ADDRESS | nomaly name -"
            )
        else:
            found.files.append(text)
    if not found.files:
        why = "; ".join(["there are no images in what was named", *found.notes])
        raise UsageError(f"{', '.join(paths)}: {why}")
    if all(text != STDIN and not os.path.lexists(text) for text in found.files):
        raise UsageError(f"{', '.join(found.files)}: there is no such file")
    return found


def open_images(paths: Iterable[str]) -> Iterable[LoadedImage]:
    """Open image files, some ahead; faults are told in place of the image and end nothing."""
    return load_images(paths, read=read_image)


def read_image(path: str) -> Pixels:
    """Read one image upright, as RGB uint8 [H, W, 3].

    Args:
        path: A file, or `-` for standard input.

    Raises:
        ImageError: If it is missing or no image that can be decoded.
    """
    if path == STDIN:
        return images.read_image(BytesIO(sys.stdin.buffer.read()))
    try:
        return images.read_image(path)
    except ImageError:
        if _is_video(path):
            raise ImageError(f"is a video; use: nomaly audit {path}") from None
        raise


def _search(folder: str, found: FoundImages) -> None:
    def note(error: OSError) -> None:
        found.closed.append(f"{error.filename}: cannot be read ({error.strerror})")

    below: list[str] = []
    for where, _, names in os.walk(folder, onerror=note):
        for path in (Path(where, name) for name in names):
            ending = path.suffix.lower()
            if ending not in ENDINGS:
                found.left_out[ending] += 1
            elif path.is_file():
                below.append(str(path))
    found.files.extend(sorted(below, key=Path))


def _is_video(path: str) -> bool:
    try:
        container, _ = open_video(Path(path))
    except SourceError:
        return False
    container.close()
    return True
