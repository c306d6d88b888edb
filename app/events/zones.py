"""What somebody drew of a view on the page: zones.json in the camera's folder, read by a watch.

A watch takes it up when it starts, if its command names no zones itself. The file is the owner's,
so that a watch needs no other way in; what is typed or stands in a site's file wins.
"""

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.errors import StoreError, UsageError
from app.events.schema import STORE, WAIT_S, faults, open_database
from detectors.zones import Zones
from novic.database import transaction
from novic.json_files import CARD_BYTES, read_json
from novic.whole_files import write_whole

ZONES = "zones.json"
MOST_POLYGONS = 32
"""Of each kind."""
MOST_CORNERS = 64
_DIGITS = 4
"""Of a corner; that is a tenth of a pixel of the largest pictures."""


def zones_of(said: Any) -> Zones:  # noqa: ANN401
    """Zones of JSON: `include` and `exclude`, lists of polygons of corners [x, y].

    Raises:
        UsageError: If it says none.
    """
    try:
        include, exclude = (
            tuple(tuple((float(x), float(y)) for x, y in one) for one in said.get(kind, ()))
            for kind in ("include", "exclude")
        )
        most = max((len(one) for one in (*include, *exclude)), default=0)
        if max(len(include), len(exclude)) > MOST_POLYGONS or most > MOST_CORNERS:
            raise ValueError(f"more than {MOST_POLYGONS} polygons or {MOST_CORNERS} corners")
        return Zones(include, exclude)
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError(
            f"zones: {error}; write polygons of at least 3 corners [x, y], shares of width and "
            "height from 0 to 1"
        ) from error


def saved_zones(folder: Path) -> Zones | None:
    """What was drawn for a camera; None if nothing was.

    Raises:
        UsageError: If the file cannot be used.
    """
    path = folder / ZONES
    try:
        return zones_of(read_json(path, CARD_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be used: {error}; draw it again or remove it") from error
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def save_zones(folder: Path, zones: Zones) -> None:
    """Keep what was drawn for the next start.

    Raises:
        StoreError: If it cannot be written.
    """
    said = {
        kind: [[[round(x, _DIGITS), round(y, _DIGITS)] for x, y in one] for one in polygons]
        for kind, polygons in asdict(zones).items()
    }
    path = folder / ZONES
    try:
        write_whole(path, f"{json.dumps(said)}\n".encode())
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error


def take_up(folder: Path, zones: Zones) -> bool:
    """Have the last run of a folder go on with these zones; returns whether it had others.

    Only before the run is gone on with: what it found was found with those that it had.

    Raises:
        StoreError: If the store cannot be written.
    """
    if not (folder / STORE).exists():
        return False
    said = json.dumps(asdict(zones))
    with faults(folder), closing(open_database(folder, WAIT_S)) as database, transaction(database):
        changed = database.execute(
            "UPDATE run SET settings = json_set(settings, '$.zones', json(?))"
            " WHERE id = (SELECT max(id) FROM run)"
            " AND coalesce(json_extract(settings, '$.zones'), '') != json(?)",
            (said, said),
        )
    return changed.rowcount > 0
