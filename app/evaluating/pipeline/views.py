"""The pictures that events are named by, kept so that rivals name the very same ones.

A folder with one file an event, `ID.npz`: its crops without loss, and how much each counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from app.events.event import Finding, Picture
from app.events.schema import faults
from app.watching.camera import Camera
from app.watching.followed import wanted
from app.watching.namer import Names, name_pictures
from detectors.types import Pixels
from novic.images import ImageError, read_image
from novic.surrounded import Surrounded

_NONE = np.empty((0, 0, 3), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One picture of an event."""

    crops: tuple[Pixels, ...]
    """RGB uint8 [H, W, 3]: the box, and the box with a margin."""
    quality: float
    """How much it counts, above 0."""
    around: Surrounded | None = None


class KeepingTeller:
    """Names what a camera has to tell at once, as an audit does, and keeps the pictures of it.

    Args:
        names: What names them.
        folder: Where they are kept; made if missing.
    """

    def __init__(self, names: Names, folder: Path) -> None:
        self._names, self._folder = names, folder

    def findings(self, camera: Camera) -> list[Finding]:
        """All that is due, named.

        Raises:
            app.errors.StoreError: If the pictures cannot be kept.
        """
        due = camera.take_due()
        for one in due:
            if one.event.kind == "object" and one.pictures:
                keep(self._folder, one.event.id, one.pictures)
        return camera.told(due, name_pictures(self._names, wanted(due)))

    def last(self, camera: Camera) -> list[Finding]:
        """The same."""
        return self.findings(camera)


def keep(folder: Path, event_id: str, pictures: Iterable[Picture]) -> None:
    """Write the pictures that an event is named by; those of before are replaced.

    Raises:
        app.errors.StoreError: If they cannot be written.
    """
    arrays: dict[str, np.ndarray] = {}
    for number, picture in enumerate(pictures):
        around = picture.around
        arrays |= {f"{number}.crop{place}": crop for place, crop in enumerate(picture.crops)}
        arrays[f"{number}.quality"] = np.array(picture.quality, np.float64)
        arrays[f"{number}.square"] = _NONE if around is None else around.square
        arrays[f"{number}.thing"] = np.array((0, 0, 0, 0) if around is None else around.thing)
    with faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{event_id}.part.npz"
        np.savez_compressed(part, **arrays)  # pyright: ignore[reportArgumentType]
        part.replace(folder / f"{event_id}.npz")


def kept_views(folder: Path, event_id: str) -> list[View]:
    """The pictures that an event was named by; none if they were not kept or are damaged."""
    try:
        with np.load(folder / f"{event_id}.npz") as read:
            arrays = dict(read)
    except (OSError, ValueError, EOFError):
        return []
    found = []
    for number in range(sum(name.endswith(".quality") for name in arrays)):
        crops = [arrays[name] for name in sorted(arrays) if name.startswith(f"{number}.crop")]
        square, thing = arrays[f"{number}.square"], arrays[f"{number}.thing"].tolist()
        around = Surrounded(square, tuple(thing)) if square.size else None
        found.append(View(tuple(crops), float(arrays[f"{number}.quality"]), around))
    return found


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
