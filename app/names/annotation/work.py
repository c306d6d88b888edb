"""The images and nouns of predictions files, found in a folder."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import UsageError
from app.progress import Reporter
from training.evaluation.agreement import Agreement, compare_annotations
from training.evaluation.annotations import HUMAN_FILE, Annotations, read_annotations


@dataclass(frozen=True, slots=True)
class Item:
    """An image and what was predicted for it."""

    name: str
    """What annotations call it: as the predictions do, from the folder on."""
    path: Path
    nouns: tuple[str, ...]


def find_items(
    folder: Path, predicted: Mapping[str, Sequence[str]]
) -> tuple[list[Item], list[str]]:
    """Find predicted images in their folder.

    Names are file names or paths below the folder. An image that is not there is looked for by the
    last part of its name, as predictions may name it from another folder; nouns of the same image
    come together. A link inside the folder is followed, as the folder's owner has put it there.

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
    found: dict[str, Item] = {}
    missing: list[str] = []
    for name, nouns in predicted.items():
        path = inside(folder, name)
        if not nouns:
            continue
        key = name if path.is_file() else path.name
        path = path if path.is_file() else folder / key
        if not path.is_file():
            missing.append(name)
        else:
            earlier = found[key].nouns if key in found else ()
            found[key] = Item(key, path, tuple(dict.fromkeys([*earlier, *nouns])))
    if not found:
        example = f" (it has no {missing[0]!r}, for example)" if missing else ""
        raise UsageError(f"{folder}: holds none of the images of the predictions{example}")
    return list(found.values()), missing


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


def agreement_with_people(folder: Path, annotations: Annotations) -> Agreement | None:
    """How far annotations agree with those that people made, on correct, close, incorrect.

    Args:
        folder: Holds the images and people's file, if there is one.
        annotations: Of those images.

    Returns:
        None without nouns that both have judged.

    Raises:
        AnnotationError: If people's file cannot be read.
    """
    grades = compare_annotations(annotations_so_far(folder / HUMAN_FILE), annotations).grades
    return grades if grades.nouns else None
