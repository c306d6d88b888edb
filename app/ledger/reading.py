"""Ledgers of the stores of a place."""

import re
from datetime import datetime
from pathlib import Path

from app.errors import UsageError
from app.events.folders import watched_folders
from app.events.reading import StoreReader, snapshot
from app.ledger.entries import Ledger, Seen, entries_of
from app.report.times import local
from detectors.zones import Polygon

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


def ledgers(
    place: Path, *, at: str | None = None, zone: Polygon | None = None, walkers: bool = False
) -> list[Ledger]:
    """What came into a place and has not left, a ledger for each camera.

    Args:
        place: The --out of an audit or watch, or a site's folder.
        at: A moment, as 2026-11-29T18:00, or 18:00 of the last day that was watched; None for the
            last frame that was seen.
        zone: The part of the view that counts; None for all.
        walkers: See `app.ledger.entries.entries_of`.

    Raises:
        UsageError: If nothing was watched there, or the moment is none.
        app.errors.StoreError: If a store cannot be read.
    """
    found: list[Ledger] = []
    for folder in watched_folders(place):
        with snapshot(folder.folder) as store:
            run = store.required_run()
            at_us = _moment(at, _seen_us(store, run.id) or run.started_us)
            seen = [Seen(one, store.sightings(one.id)) for one in store.events(run.id)]
        for camera in dict.fromkeys(one.event.camera for one in seen) or [folder.name]:
            of_camera = [one for one in seen if one.event.camera == camera]
            entries = entries_of(of_camera, at_us, zone, walkers=walkers)
            found.append(Ledger(camera, at_us, tuple(entries)))
    return found


def _seen_us(store: StoreReader, run_id: int) -> int | None:
    """When a frame was seen last, UTC in microseconds; None if none was."""
    times = [
        one.start_us + round(1e6 * one.seen_s)
        for one in store.sources(run_id)
        if one.start_us is not None
    ]
    return max(times, default=None)


def _moment(at: str | None, seen_us: int) -> int:
    if at is None:
        return seen_us
    if found := _CLOCK.fullmatch(at.strip()):
        hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
        day = local(seen_us).replace(hour=hour, minute=minute, second=second, microsecond=0)
        return round(day.timestamp() * 1e6)
    try:
        return round(datetime.fromisoformat(at.strip()).astimezone().timestamp() * 1e6)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--at {at}: is no time; write it as 18:00 or 2026-11-29T18:00") from error
