"""The API, `/api/v1`: what the page shows, for programs."""

import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, HTTPException, Query
from fastapi.responses import FileResponse, Response, StreamingResponse
from sse_starlette import EventSourceResponse

from app.errors import UsageError
from app.events.zones import ZONES, save_zones, saved_zones, zones_of
from app.web.cursor import Read, changes_since, cursor_text, newest, read_cursor
from app.web.finding import MOST, PAGE, PICTURES, Before, Filters, Found, found_event, found_events
from app.web.line import SPANS_H, line_of
from app.web.live import BEGIN, BOUNDARY, part
from app.web.news import changed
from app.web.places import NotThereError, Place, reading
from app.web.saying import Said, say
from app.web.state import Web
from app.why.asking import why
from detectors.zones import Zones

PREFIX = "/api/v1"
_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".mp4": "video/mp4"}

type Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]


def api(web: Web) -> APIRouter:
    """All addresses of the API."""
    router = APIRouter(prefix=PREFIX)
    _add_events(router, web)
    _add_event(router, web)
    _add_cameras(router, web)
    _add_live(router, web)
    _add_zones(router, web)
    return router


def _add_events(router: APIRouter, web: Web) -> None:
    @router.get("/events")
    def events(
        filters: Annotated[Filters, Query()],
        limit: Limit = PAGE,
        before: Annotated[str, Query(description="The `next` of the answer before.")] = "",
        since: Annotated[
            str | None,
            Query(
                description="A `cursor` of an answer before: then each event that changed since, "
                "as it is now, whatever the filters say. Empty for all from the beginning."
            ),
        ] = None,
    ) -> dict[str, Any]:
        """Events, the newest first, or those that changed since a cursor."""
        if since is not None:
            return _changes(web, since, limit)
        cursor = cursor_text(web.news.now())
        listed = found_events(web.places, filters, limit, read_before(before))
        more = before_text(listed[-1]) if len(listed) == limit else None
        return {"events": [one.as_json() for one in listed], "next": more, "cursor": cursor}

    @router.get("/stream")
    async def stream(
        last_event_id: Annotated[str | None, Header()] = None, since: str | None = None
    ) -> EventSourceResponse:
        """Server-sent events: `event` for each that changed, `camera` when one is lost or back.

        Ids are cursors: who connects again with the last one misses nothing.
        """
        begun = last_event_id if last_event_id is not None else since
        cursor = None if begun is None else read_cursor(begun)
        return EventSourceResponse(web.news.since(cursor, web.ended), ping=15)


def _changes(web: Web, since: str, limit: int) -> dict[str, Any]:
    cursor = dict(read_cursor(since))
    told: list[dict[str, object]] = []
    more = False
    for place in web.places.all():
        if len(told) >= limit:
            more = True
            break
        with reading(place.folder) as store:
            now = newest(store.db)
            left = limit - len(told)
            found = changes_since(store.db, cursor.get(place.name), left)
            told += [changed(store, place.name, one) for one in found]
            if len(found) == left and found[-1].number < now.number:
                more = True
            cursor[place.name] = Read(now.identity, found[-1].number if found else now.number)
    return {"events": told, "cursor": cursor_text(cursor), "more": more}


def _add_event(router: APIRouter, web: Web) -> None:
    @router.get("/events/{folder}/{event_id}")
    def event(folder: str, event_id: str) -> dict[str, Any]:
        """One event."""
        return the_event(web, folder, event_id).as_json()

    @router.get("/events/{folder}/{event_id}/receipt")
    def receipt(folder: str, event_id: str) -> dict[str, Any]:
        """Why it rang, or is silent: each gate, by how much, and what would have flipped it."""
        place = web.places.place(folder)
        the_event(web, folder, event_id)
        return why(place.folder, event_id)[0].as_json()

    @router.post("/events/{folder}/{event_id}/verdict")
    def verdict(folder: str, event_id: str, said: Annotated[Said, Body()]) -> dict[str, Any]:
        """Say what an event is; the answer tells what that silences."""
        place = web.places.place(folder)
        the_event(web, folder, event_id)
        done = say(place, event_id, said)
        return done | {"event": the_event(web, folder, event_id).as_json()}

    @router.get("/events/{folder}/{event_id}/clip")
    def clip(folder: str, event_id: str) -> FileResponse:
        """The video of an event, where one was kept."""
        place, found = web.places.place(folder), the_event(web, folder, event_id)
        return _file(place.folder, place.folder / str(found.event.as_json().get("clip") or "-"))

    @router.get("/events/{folder}/{event_id}/{kind}")
    def picture(folder: str, event_id: str, kind: str, v: str = "") -> FileResponse:
        """A picture of an event: `snapshot`, `crop`, `heat` or `before`."""
        if kind not in PICTURES:
            raise NotThereError(f"{kind}: pictures are {', '.join(PICTURES)}")
        place, found = web.places.place(folder), the_event(web, folder, event_id)
        with reading(place.folder) as store:
            path = store.media(PICTURES[kind], found.event)
        return _file(place.folder, path, lasting=bool(v))


def _file(folder: Path, path: Path, *, lasting: bool = False) -> FileResponse:
    """A picture or clip of a store; links are not followed.

    Raises:
        NotThereError: If it is not there.
    """
    try:
        inside = path.parent.parent == folder and stat.S_ISDIR(path.parent.lstat().st_mode)
        there = inside and stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        there = False
    if not there:
        raise NotThereError("there is no such picture or clip; it may have been removed")
    # Its address holds when it was taken.
    keep = {"Cache-Control": "private, max-age=604800, immutable"} if lasting else {}
    return FileResponse(path, media_type=_TYPES.get(path.suffix), headers=keep)


def _add_cameras(router: APIRouter, web: Web) -> None:
    @router.get("/cameras")
    def cameras() -> dict[str, Any]:
        """All cameras and how they do."""
        return {"cameras": [one.as_json() for one in web.cameras.all()]}

    @router.get("/cameras/{folder}")
    def camera(folder: str) -> dict[str, Any]:
        """One camera."""
        return web.cameras.now(web.places.place(folder)).as_json()

    @router.get("/cameras/{folder}/timeline")
    def timeline(folder: str, hours: int = 24, until_us: int | None = None) -> dict[str, Any]:
        """Scores, events and blind times of a stretch of time."""
        if hours not in SPANS_H:
            raise UsageError(f"hours={hours}: must be one of {', '.join(map(str, SPANS_H))}")
        with reading(web.places.place(folder).folder) as store:
            line = line_of(store, hours, until_us)
        if line is None:
            raise NotThereError(f"{folder}: nothing was looked at yet")
        return line.as_json()


def _add_live(router: APIRouter, web: Web) -> None:
    @router.get("/cameras/{folder}/frame.jpg", response_class=Response)
    async def frame(folder: str) -> Response:
        """The newest picture with boxes; of a camera that is not live, of its newest event."""
        place = web.places.place(folder)
        if place.station is not None:
            jpeg = await web.lives.of(place.station).newest()
            if jpeg is not None:
                return Response(jpeg, media_type="image/jpeg")
        return _file(place.folder, _still(web, place))

    @router.get("/cameras/{folder}/live.mjpg", response_class=StreamingResponse)
    async def live(folder: str) -> StreamingResponse:
        """Live pictures with boxes, as a browser shows them in an image."""
        place = web.places.place(folder)
        if place.station is None:
            raise NotThereError(f"{folder}: has no live picture; this process does not watch it")
        shown = web.lives.of(place.station)
        if shown.full:
            raise HTTPException(503, f"{folder}: too many look on already; try again later")

        async def parts() -> AsyncIterator[bytes]:
            yield BEGIN
            async for picture in shown.pictures(lambda: web.over(place), web.ended):
                yield part(picture)

        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        return StreamingResponse(parts(), media_type=kind)


def _still(web: Web, place: Place) -> Path:
    """The picture of the newest event that has one."""
    for one in found_events(web.places, Filters(camera=place.name), 10):
        with reading(place.folder) as store:
            path = store.media("snapshots", one.event)
        if path.exists():
            return path
    return place.folder / "-"


def _add_zones(router: APIRouter, web: Web) -> None:
    @router.get("/cameras/{folder}/zones")
    def zones(folder: str) -> dict[str, Any]:
        """Which parts of a view are watched, drawn or as the run has it."""
        return told_zones(zones_now(web.places.place(folder)))

    @router.put("/cameras/{folder}/zones")
    def draw(folder: str, said: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        """Keep zones for the next start of the watch (zones.json in the camera's folder)."""
        place, drawn = web.places.place(folder), zones_of(said)
        save_zones(place.folder, drawn)
        return told_zones(drawn) | {"file": str(place.folder / ZONES)}


def zones_now(place: Place) -> Zones:
    """What was drawn of a camera, or else what its last run watches."""
    drawn = saved_zones(place.folder)
    if drawn is not None:
        return drawn
    with reading(place.folder) as store:
        run = store.last_run()
    return Zones() if run is None else zones_of(run.settings.get("zones") or {})


def told_zones(zones: Zones) -> dict[str, Any]:
    """Zones for programs, and the same as text for a site's file."""
    said = {
        kind: [[list(corner) for corner in one] for one in getattr(zones, kind)]
        for kind in ("include", "exclude")
    }
    lines: list[str] = []
    for key, polygons in (("zones", zones.include), ("exclude", zones.exclude)):
        lines += [f"{key}:"] if polygons else []
        lines += [f'  - "{" ".join(f"{x:g},{y:g}" for x, y in one)}"' for one in polygons]
    text = "\n".join(lines) or "exclude: []"
    return {**said, "yaml": text + "\n"}


def the_event(web: Web, folder: str, event_id: str) -> Found:
    """One event.

    Raises:
        NotThereError: If it is not there.
    """
    found = found_event(web.places.place(folder), event_id)
    if found is None:
        raise NotThereError(f"{event_id}: there is no such event of {folder}")
    return found


def before_text(last: Found) -> str:
    """Where the next page of events begins."""
    start_us, event_id, place = last.order
    return f"{start_us}~{event_id}~{place}"


def read_before(text: str) -> Before | None:
    """Read what `before_text` wrote.

    Raises:
        UsageError: If it is none.
    """
    if not text:
        return None
    try:
        start_us, event_id, place = text.split("~", 2)
        return int(start_us), event_id, place
    except ValueError as error:
        raise UsageError("before: is no `next` of this page") from error
