"""The images and nouns of predictions files, found in a folder."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import UsageError
from app.progress import Reporter
from training.annotations import Annotations, read_annotations


@dataclass(frozen=True, slots=True)
class Item:
    """An image and what was predicted for it."""

    name: str
    """As the predictions call it; annotations use the same name."""
    path: Path
    nouns: tuple[str, ...]


def find_items(
    folder: Path, predicted: Mapping[str, Sequence[str]]
) -> tuple[list[Item], list[str]]:
    """Find predicted images in their folder.

    Names are file names or paths below the folder; a link inside the folder is followed, as the
    folder's owner has put it there.

    Args:
        folder: Holds the images.
        predicted: For each image its nouns.

    Returns:
        The images that exist and have nouns, in the order of the predictions, and the names of
        the images that don't exist.

    Raises:
        UsageError: If the folder is none, a name leads out of it, or it holds none of the images.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: is not a folder; name the one that holds the images")
    items: list[Item] = []
    missing: list[str] = []
    for name, nouns in predicted.items():
        if not nouns:
            continue
        path = inside(folder, name)
        if path.is_file():
            items.append(Item(name, path, tuple(nouns)))
        else:
            missing.append(name)
    if not items:
        example = f" (it has no {missing[0]!r}, for example)" if missing else ""
        raise UsageError(f"{folder}: holds none of the images of the predictions{example}")
    return items, missing


def inside(folder: Path, name: str) -> Path:
    """The path of an image of a folder.

    Raises:
        UsageError: If the name leads out of the folder, or is no file name at all.
    """
    root = os.path.normpath(folder.absolute())
    path = Path(os.path.normpath(Path(root) / name))
    if "\0" in name or not path.is_relative_to(root):
        raise UsageError(
            f"image {name!r} of the predictions lies outside of {folder}; only images of that "
            "folder are opened"
        )
    return path


def annotations_so_far(path: Path) -> Annotations:
    """An annotation file's content; nothing if there is no such file yet.

    Raises:
        AnnotationError: If it is there and cannot be read.
        UsageError: If its folder is missing, so that it could not be written.
    """
    if not path.parent.is_dir():
        raise UsageError(f"--annotations {path}: there is no such folder")
    return read_annotations(path) if path.exists() else Annotations()


def tell_missing(missing: Sequence[str], folder: Path, reporter: Reporter) -> None:
    """Note images that the predictions name and the folder lacks."""
    if missing:
        reporter.say(
            f"Note: {len(missing)} images of the predictions are not in {folder} "
            f"({missing[0]!r}, for example); they are left out"
        )
