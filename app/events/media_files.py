"""The files of events' pictures and clips as the storage sees them: how large, of which event."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.events.media import MEDIA
from novic.whole_files import NEW

GO_FIRST = ("clips", "heat", "before", "crops", "snapshots")
"""What is given up first where there is no room; what is named nowhere goes before all."""
_DAY_US = 86_400_000_000
_HEX = 16


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A picture or clip of an event."""

    path: Path
    event_id: str
    kind: str
    """Name of its folder."""
    size: int
    """Bytes."""

    @property
    def start_us(self) -> int:
        """When its event began, UTC in microseconds: ids begin with it."""
        try:
            return int(self.event_id.split("-")[0], _HEX)
        except ValueError:
            return 0


def media_files(folder: Path) -> list[MediaFile]:
    """All of a store that are whole, in no order.

    Raises:
        OSError: If a folder cannot be read.
    """
    kinds = {*MEDIA, *GO_FIRST}
    return [one for kind in sorted(kinds) for one in _of_kind(folder / kind, kind)]


def _of_kind(place: Path, kind: str) -> Iterator[MediaFile]:
    if not place.is_dir():
        return
    with os.scandir(place) as entries:
        for entry in entries:
            # Whoever writes there may have given one its last name meanwhile.
            with suppress(FileNotFoundError):
                # What has no last name is being written just now, maybe by another thread.
                if entry.is_file(follow_symlinks=False) and not entry.name.endswith(NEW):
                    event_id = "-".join(entry.name.split(".")[0].split("-")[:2])
                    size = entry.stat(follow_symlinks=False).st_size
                    yield MediaFile(place / entry.name, event_id, kind, size)


def as_given_up(files: Iterable[MediaFile], kept: Collection[str]) -> list[MediaFile]:
    """Files in the order in which they are given up: the oldest day's clips, its heat maps, ...

    Args:
        files: Of a store.
        kept: Ids of events that are not touched.
    """
    free = (one for one in files if one.event_id not in kept)
    return sorted(free, key=lambda one: (one.start_us // _DAY_US, _turn(one), one.event_id))


def enough_of(files: Sequence[MediaFile], least_bytes: int) -> list[MediaFile]:
    """The first of these files that take so many bytes together; all if they take less."""
    chosen: list[MediaFile] = []
    found = 0
    for one in files:
        if found >= least_bytes:
            break
        chosen.append(one)
        found += one.size
    return chosen


def _turn(one: MediaFile) -> int:
    return GO_FIRST.index(one.kind) if one.kind in GO_FIRST else -1
