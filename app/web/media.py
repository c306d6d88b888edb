"""Pictures of events, found by an event's id and a kind alone: no path comes from outside."""

import re
import sqlite3
import stat
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

from app.events.folders import StoreFolder
from app.events.media import MEDIA, media_path
from app.web.looking import looked_into

_ID = re.compile(r"[0-9a-f]{14,16}-[0-9a-f]{3,16}")
"""As `app.events.event.event_id` makes them."""


def picture_of(places: Sequence[StoreFolder], event_id: str, kind: str) -> Path | None:
    """Where a picture of an event lies; None if there is none.

    Args:
        places: Of the stores that may have the event.
        event_id: As it came from outside.
        kind: One of `MEDIA`, as it came from outside.
    """
    if kind not in MEDIA or _ID.fullmatch(event_id) is None:
        return None
    for place in places:
        snapshot_s = _snapshot_s(place.folder, event_id)
        if snapshot_s is not None:
            return _plain_file(media_path(place.folder, kind, event_id, snapshot_s))
    return None


def media_router(places: Sequence[StoreFolder]) -> APIRouter:
    """Answers `/media/KIND/EVENT_ID`; the picture of a closed event never changes."""
    router = APIRouter()

    @router.get("/media/{kind}/{event_id}")
    def picture(kind: str, event_id: str) -> FileResponse:
        path = picture_of(places, event_id, kind)
        if path is None:
            raise HTTPException(404, "there is no such picture")
        return FileResponse(path, headers={"Cache-Control": "private, max-age=60"})

    return router


def _snapshot_s(folder: Path, event_id: str) -> float | None:
    try:
        with closing(looked_into(folder)) as database:
            row = database.execute(
                "SELECT snapshot_s FROM event WHERE id = ?", (event_id,)
            ).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else row[0]


def _plain_file(path: Path) -> Path | None:
    """The path, if it is a file and no link that leads elsewhere."""
    try:
        mode, parent = path.lstat().st_mode, path.parent.lstat().st_mode
    except OSError:
        return None
    return path if stat.S_ISREG(mode) and stat.S_ISDIR(parent) else None
