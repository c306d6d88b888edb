"""The pictures that events are named by, kept so that rivals name the very same ones.

A folder with one file an event, `ID.npz`: its crops without loss, and how much each counts.
"""

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from app.events.schema import faults
from app.watching.followed import Due
from detectors.types import Pixels
from novic.images import ImageError, read_image
from novic.surrounded import Surrounded

_NONE = np.empty((0, 0, 3), np.uint8)
_DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    RuntimeError,  # "encrypted", "version 17.3": where bits of it were turned
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a file raises that is gone, cut off or written over."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One picture of an event."""

    crops: tuple[Pixels, ...]
    """RGB uint8 [H, W, 3]: the box, and the box with a margin."""
    quality: float
    """How much it counts, above 0."""
    around: Surrounded | None = None


class Pictures(Protocol):
    """Where the pictures of an event are; a key by which what was seen in them is known."""

    def views(self) -> list[View]:
        """Read them; none if they are gone or damaged."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """Pictures on disk. They are read when they are asked for: those of a day fill the memory."""

    folder: Path | None
    """Where an audit kept what it named events by; None if it did not."""
    event_id: str
    crop: Path
    """The one picture that the report of the audit shows, where nothing better was kept."""

    def views(self) -> list[View]:
        """See `Pictures`."""
        seen = [] if self.folder is None else kept_views(self.folder, self.event_id)
        return seen or stored_view(self.crop)


def keep_due(folder: Path, due: Due) -> None:
    """Keep the pictures that an event will be named by, as `app.watching.naming.tell` asks.

    Raises:
        app.errors.StoreError: If they cannot be written.
    """
    if due.event.kind == "object" and due.pictures:
        views = [View(one.crops, one.quality, one.around) for one in due.pictures]
        keep(folder, due.event.id, views)


def keep(folder: Path, event_id: str, views: Sequence[View]) -> None:
    """Write the pictures that an event is named by; those of before are replaced.

    Args:
        folder: Where they are kept; made if missing.
        event_id: Of the event.
        views: The pictures.

    Raises:
        app.errors.StoreError: If they cannot be written.
    """
    arrays: dict[str, np.ndarray] = {}
    for number, view in enumerate(views):
        around = view.around
        arrays |= {f"{number}.crop{place}": crop for place, crop in enumerate(view.crops)}
        arrays[f"{number}.quality"] = np.array(view.quality, np.float64)
        arrays[f"{number}.square"] = _NONE if around is None else around.square
        arrays[f"{number}.thing"] = np.array((0, 0, 0, 0) if around is None else around.thing)
        wide = None if around is None else around.wide
        arrays[f"{number}.wide"] = _NONE if wide is None else wide
    with faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{event_id}.part.npz"
        np.savez_compressed(part, **arrays)  # pyright: ignore[reportArgumentType]
        part.replace(folder / f"{event_id}.npz")


def kept_views(folder: Path, event_id: str) -> list[View]:
    """The pictures that an event was named by; none if they were not kept or are damaged."""
    try:
        # Opened here: numpy leaves open what turns out to be no archive.
        with (folder / f"{event_id}.npz").open("rb") as file, np.load(file) as read:
            arrays = dict(read)
        count = sum(name.endswith(".quality") for name in arrays)
        return [_view(arrays, number) for number in range(count)]
    except _DAMAGED:
        return []


def _view(arrays: dict[str, np.ndarray], number: int) -> View:
    crops = [arrays[name] for name in sorted(arrays) if name.startswith(f"{number}.crop")]
    square, thing = arrays[f"{number}.square"], arrays[f"{number}.thing"].tolist()
    wide = arrays.get(f"{number}.wide", _NONE)
    around = Surrounded(square, tuple(thing), wide if wide.size else None) if square.size else None
    return View(tuple(crops), float(arrays[f"{number}.quality"]), around)


def stored_view(crop: Path) -> list[View]:
    """The one picture that the report of an audit shows; none if it is gone."""
    try:
        image = read_image(str(crop))
        return [View((image,), 1.0, Surrounded.whole(image))]
    except ImageError:
        return []


def shown(views: Sequence[View]) -> Image.Image | None:
    """What people see of an event: the best picture with its margin."""
    if not views:
        return None
    best = max(views, key=lambda view: view.quality)
    return Image.fromarray(best.crops[-1])
