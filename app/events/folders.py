"""Where stores lie: one folder of a run, or a folder with one for each camera of a site."""

from dataclasses import dataclass
from pathlib import Path

from app.errors import UsageError
from app.events.schema import STORE


@dataclass(frozen=True, slots=True)
class StoreFolder:
    """A folder with a store."""

    name: str
    """Of the folder: for a site, the camera's."""
    folder: Path


def watched_folders(place: Path) -> list[StoreFolder]:
    """The stores of a place, in the order of their names.

    Args:
        place: The --out of an audit or watch, or the folder of a site, which holds one such folder
            for each camera.

    Raises:
        UsageError: If there is none.
    """
    if (place / STORE).is_file():
        return [StoreFolder(place.resolve().name, place)]
    found = [path.parent for path in sorted(place.glob(f"*/{STORE}"))]
    if not found:
        raise UsageError(
            f"{place}: holds no {STORE}, nor does a folder in it; name the --out of an audit or a "
            "watch, or the folder of a site"
        )
    return [StoreFolder(folder.name, folder) for folder in found]
