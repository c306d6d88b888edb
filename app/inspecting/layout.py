"""What a folder of stills holds: good images to learn from, others to inspect, what is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import UsageError
from app.paths import natural, shown_path
from novic.images import ENDINGS

GOOD = "good"
"""Name of the folder of images without a defect, as in MVTec AD."""
_MASKS = ("ground_truth", "mask", "masks")
_MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class Still:
    """One image file."""

    path: Path
    name: str
    """Its path below the folder that was named."""
    kind: str = ""
    """The folder that it lies in: `good`, or a kind of defect; empty where there are none."""
    defective: bool | None = None
    """Whether it shows a defect; None where nobody says."""
    mask: Path | None = None
    """An image of its size, above 0 where the defect is."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What lies in a folder."""

    good: tuple[Path, ...]
    """Images to learn from; empty where the folder holds none for that."""
    stills: tuple[Still, ...]
    """Images to inspect."""

    @property
    def labelled(self) -> bool:
        """Whether it is known which images show a defect."""
        return any(still.defective is not None for still in self.stills)


def read_layout(folder: Path) -> Layout:
    """Find the images of a folder.

    Either `train/good`, `test/KIND` and `ground_truth/KIND` (MVTec AD), or a folder for each KIND,
    of which `good` says that the others are defects, or images alone.

    Raises:
        UsageError: If there is no such folder, it holds no image, or images beside folders of them.
    """
    _check_folder(folder)
    good = tuple(images_in(folder / "train" / GOOD))
    tested = folder / "test"
    stills = tuple(_stills(tested if tested.is_dir() else folder, folder))
    if not stills and not good:
        raise UsageError(f"{shown_path(folder)}: holds no images{_found(folder)}")
    return Layout(good, stills)


def good_images(folder: Path) -> list[Path]:
    """The images to learn from: those of the folder, of its `train/good` or of its `good`.

    Raises:
        UsageError: If there is no such folder or it holds none.
    """
    _check_folder(folder)
    for place in (folder / "train" / GOOD, folder / GOOD, folder):
        if found := images_in(place):
            return found
    raise UsageError(
        f"{shown_path(folder)}: holds no good images to learn from, neither itself nor in "
        f"train/good or good{_found(folder)}"
    )


def images_in(folder: Path) -> list[Path]:
    """The image files of a folder by their names, 9 before 10; none if it is not there."""
    if not folder.is_dir():
        return []
    found = (
        entry
        for entry in folder.iterdir()
        if entry.suffix.lower() in ENDINGS and not entry.name.startswith(".") and entry.is_file()
    )
    return sorted(found, key=lambda path: natural(path.name))


def _stills(folder: Path, root: Path) -> list[Still]:
    alone = images_in(folder)
    below = [
        (entry.name, found)
        for entry in sorted(folder.iterdir(), key=lambda entry: natural(entry.name))
        if entry.name not in (*_MASKS, "train") and (found := images_in(entry))
    ]
    if alone and below:
        raise UsageError(
            f"{shown_path(folder)}: holds images ({shown_path(alone[0].name)}, ...) beside folders "
            f"of images ({shown_path(below[0][0])}, ...); name one or the other"
        )
    if alone:
        return [Still(path, _name(path, root)) for path in alone]
    told = any(kind == GOOD for kind, _ in below)
    masks = _mask_folders(root)
    return [
        Still(
            path,
            _name(path, root),
            kind,
            kind != GOOD if told else None,
            _mask(path, kind, masks) if told and kind != GOOD else None,
        )
        for kind, found in below
        for path in found
    ]


def _name(path: Path, root: Path) -> str:
    return shown_path(path.relative_to(root))


def _mask_folders(root: Path) -> list[Path]:
    return [root / name for name in _MASKS if (root / name).is_dir()]


def _mask(path: Path, kind: str, folders: Sequence[Path]) -> Path | None:
    """MVTec AD calls it NAME_mask.png, others NAME.png."""
    for folder in folders:
        for name in (f"{path.stem}_mask.png", f"{path.stem}.png", path.name):
            if (place := folder / kind / name).is_file():
                return place
    return None


def _check_folder(folder: Path) -> None:
    if not folder.exists():
        raise UsageError(f"{shown_path(folder)}: there is no such folder")
    if not folder.is_dir():
        raise UsageError(f"{shown_path(folder)}: is a file; name the folder that the images lie in")


def _found(folder: Path) -> str:
    """What is there instead, for people."""
    names = sorted(shown_path(entry.name) for entry in folder.iterdir())
    if not names:
        return "; it is empty"
    more = ", ..." if len(names) > _MOST_TOLD else ""
    return f"; it holds {', '.join(names[:_MOST_TOLD])}{more} ({len(names)})"
