"""A zone proposed from an event, and what drawn zones would have made of the last days."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query

from app.events.event import Event
from app.events.zones import zones_of
from app.web.api import PREFIX, the_event, told_zones, zones_now
from app.web.state import Web
from app.web.supposing import DAY_S, LONGEST_DAYS, replayed
from detectors.zones import Polygon, Zones

GROWN = 0.15
"""Margin around an event's box that is left out with it, in its longer side."""

type Days = Annotated[int, Query(ge=1, le=LONGEST_DAYS, description="How far back.")]


def around(event: Event) -> Polygon:
    """Where an event was when its picture was taken, and a little around, as a zone.

    Args:
        event: Of a thing.
    """
    height, width = event.frame_size
    box = event.box.grown(GROWN, event.frame_size)
    left, right = round(box.x1 / width, 4), round(box.x2 / width, 4)
    top, bottom = round(box.y1 / height, 4), round(box.y2 / height, 4)
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def proposed_zones(web: Web, folder: str, event_id: str) -> Zones:
    """The zones of a camera with one more that leaves out where an event was; nothing is saved.

    Raises:
        NotThereError: If there is no such event.
        NomalyError: If the store or the zones cannot be read.
    """
    event = the_event(web, folder, event_id).event
    zones, more = zones_now(web.places.place(folder)), around(event)
    if event.kind != "object" or more in zones.exclude:
        return zones
    return replace(zones, exclude=(*zones.exclude, more))


def zones_outcome(web: Web, folder: str, zones: Zones, days: int) -> Any:  # noqa: ANN401 - imported late
    """An `app.replaying.outcome.Outcome` of other zones; nothing is saved.

    Raises:
        NomalyError: If nothing is stored, or the store cannot be read.
    """
    return replayed(web, folder, days * DAY_S, zones=zones, said="zones")


def zoning(web: Web) -> APIRouter:
    """The addresses of the API."""
    router = APIRouter(prefix=PREFIX)

    @router.get("/events/{folder}/{event_id}/zone")
    def zone(folder: str, event_id: str) -> dict[str, Any]:
        """The camera's zones, with one more that leaves out where the event was; not saved."""
        return told_zones(proposed_zones(web, folder, event_id))

    @router.post("/cameras/{folder}/would/zones")
    def would_have(
        folder: str, said: Annotated[dict[str, Any], Body()], days: Days = 7
    ) -> dict[str, Any]:
        """What other zones would have made of the last days; nothing is saved."""
        return zones_outcome(web, folder, zones_of(said), days).as_json()

    return router
