"""What a camera saw in the weeks before a time, read from its store."""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from app.events.reading import StoreReader
from app.feedback.when import local
from app.habits.rates import GRID, HOURS, Counts, History
from detectors.types import Box

LENGTH_S = 60 * 86400.0
"""What is older than this may have changed."""


def read_history(store: StoreReader, camera: str, until_us: int) -> History:
    """What a camera saw in LENGTH_S before a time, in all runs of a store, told or not.

    Args:
        store: To read from.
        camera: Its name.
        until_us: UTC in microseconds.
    """
    since_us = until_us - round(1e6 * LENGTH_S)
    watched_h = np.zeros(HOURS)
    for first_us, last_us in _watched(store, camera, since_us, until_us):
        _add(watched_h, first_us, last_us, 1.0)
    for first_us, last_us in _blind(store, camera, since_us, until_us):
        _add(watched_h, first_us, last_us, -1.0)
    counts: dict[str, Counts] = {}
    rows = store.database.execute(
        "SELECT noun, p, start_us, x1, y1, x2, y2, frame_height, frame_width FROM event"
        " JOIN candidate ON candidate.event_id = event.id"
        " WHERE kind = 'object' AND camera = ? AND start_us >= ? AND start_us < ?",
        (camera, since_us, until_us),
    )
    for noun, p, start_us, *sides, height, width in rows:
        at = (*cell(Box(*sides), (height, width)), local(start_us).hour)
        counts.setdefault(noun, np.zeros((*GRID, HOURS)))[at] += p
    (events,) = store.database.execute(
        "SELECT count(*) FROM event WHERE kind = 'object' AND camera = ? AND start_us >= ?"
        " AND start_us < ?",
        (camera, since_us, until_us),
    ).fetchone()
    return History(watched_h.clip(0), counts, float(events))


def cell(box: Box, size: tuple[int, int]) -> tuple[int, int]:
    """Where a thing in a box, pixels, stands: (row, column) of GRID; size is (height, width)."""
    (height, width), (rows, columns) = size, GRID
    row = int(rows * box.y2 / height)
    column = int(columns * (box.x1 + box.x2) / 2 / width)
    return min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)


def _watched(
    store: StoreReader, camera: str, since_us: int, until_us: int
) -> Iterator[tuple[int, int]]:
    rows = store.database.execute(
        "SELECT start_us, from_s, seen_s FROM source WHERE camera = ? AND start_us NOTNULL",
        (camera,),
    )
    for start_us, from_s, seen_s in rows:
        first, last = start_us + round(1e6 * from_s), start_us + round(1e6 * seen_s)
        yield max(first, since_us), min(last, until_us)


def _blind(
    store: StoreReader, camera: str, since_us: int, until_us: int
) -> Iterator[tuple[int, int]]:
    rows = store.database.execute(
        "SELECT start_us, end_us FROM gap WHERE camera = ? AND end_us NOTNULL", (camera,)
    )
    for start_us, end_us in rows:
        yield max(start_us, since_us), min(end_us, until_us)


def _add(watched_h: np.ndarray, first_us: int, last_us: int, sign: float) -> None:
    """Add a stretch of time to the hours of the day that it covers."""
    at_us = first_us
    while at_us < last_us:
        at = local(at_us)
        following = (at + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
        next_us = max(round(following.timestamp() * 1e6), at_us + 1)
        watched_h[at.hour] += sign * (min(next_us, last_us) - at_us) / 3.6e9
        at_us = next_us
