"""What happens, as server-sent events: events that changed, cameras lost and back."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

from sse_starlette import ServerSentEvent
from starlette.concurrency import run_in_threadpool

from app.events.schema import STORE
from app.web.cameras import Cameras
from app.web.cursor import Change, Cursor, Read, changes_since, cursor_text, newest
from app.web.ended import Ended
from app.web.finding import found
from app.web.places import Place, Places, Reader, reading
from novic.errors import NomalyError

LOOK_S = 0.4
"""How often it is looked whether something changed."""
MOST = 100
"""Events of one store that are told at once; the rest comes with the next look."""

type Version = tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Follower:
    """How far one reader is."""

    cursor: dict[str, Read]
    versions: dict[str, Version] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


class News:
    """Tells any number of readers. Nothing is kept of them between connections but their cursor."""

    def __init__(self, places: Places, cameras: Cameras) -> None:
        self._places = places
        self._cameras = cameras

    def now(self) -> Cursor:
        """How far all stores can be read just now.

        Raises:
            app.errors.StoreError: If one cannot be read.
        """
        read: dict[str, Read] = {}
        for place in self._places.all():
            with reading(place.folder) as store:
                read[place.name] = newest(store.db)
        return read

    async def since(self, cursor: Cursor | None, ended: Ended) -> AsyncGenerator[ServerSentEvent]:
        """All that happens from a cursor on until the page ends; None is from now on."""
        begun = dict(cursor) if cursor is not None else dict(await run_in_threadpool(self.now))
        reader = Follower(begun)
        # So that who reads knows a cursor before anything happened.
        yield ServerSentEvent(event="hello", id=cursor_text(begun), data="{}", retry=2000)
        first = True
        while not ended.is_set():
            for message in await run_in_threadpool(self._look, reader, quietly=first):
                yield message
            first = False
            await ended.wait(LOOK_S)

    def _look(self, reader: Follower, *, quietly: bool) -> list[ServerSentEvent]:
        told: list[ServerSentEvent] = []
        for place in self._places.all():
            try:
                told += self._of_store(place, reader)
                told += self._of_camera(place, reader, quietly=quietly)
            except NomalyError:
                # A store that cannot be read just now is read again.
                reader.versions.pop(place.name, None)
        return told

    def _of_store(self, place: Place, reader: Follower) -> list[ServerSentEvent]:
        version = _version(place.folder)
        if reader.versions.get(place.name) == version:
            return []
        told: list[ServerSentEvent] = []
        with reading(place.folder) as store:
            identity = newest(store.db).identity
            changes = changes_since(store.db, reader.cursor.get(place.name), MOST)
            for change in changes:
                reader.cursor[place.name] = Read(identity, change.number)
                data = json.dumps(changed(store, place.name, change), ensure_ascii=False)
                told.append(
                    ServerSentEvent(event="event", id=cursor_text(reader.cursor), data=data)
                )
        if len(changes) < MOST:
            reader.versions[place.name] = version
        return told

    def _of_camera(self, place: Place, reader: Follower, *, quietly: bool) -> list[ServerSentEvent]:
        if place.station is None:
            return []
        blind = place.station.doing().blind
        reason = "" if blind is None else blind.reason
        before = reader.faults.get(place.name)
        reader.faults[place.name] = reason
        if before == reason or (before is None and (quietly or not reason)):
            return []
        now = self._cameras.now(place)
        data = json.dumps(
            {
                "folder": place.name,
                "camera": now.camera,
                "state": "lost" if reason else "back",
                "fault": now.fault,
            },
            ensure_ascii=False,
        )
        return [ServerSentEvent(event="camera", data=data)]


def changed(store: Reader, place: str, change: Change) -> dict[str, object]:
    """An event that changed, as it is now, or that it is gone."""
    event = None if change.gone else store.event(change.event_id)
    if event is None:
        return {"id": change.event_id, "folder": place, "gone": True}
    return found(store, place, [event])[0].as_json()


def _version(folder: Path) -> Version:
    """Differs once something was written to a store."""
    found = []
    for path in (folder / STORE, folder / f"{STORE}-wal"):
        try:
            said = path.stat()
            found.append((said.st_mtime_ns, said.st_size))
        except OSError:
            found.append((0, 0))
    return tuple(found)
