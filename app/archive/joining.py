"""The results of a part, brought into the store of the whole: rows, and pictures by renaming."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.archive.segments import Segment
from app.archive.traced import bring_traces
from app.events.event import Event
from app.events.media import pictures_at
from app.events.rows import event_of

_OF_EVENTS = ("candidate", "sighting", "vector", "signature", "ballot")
"""Tables whose rows belong to an event."""
_BOUND = 400
"""Rows of a table that are asked for by their events at once."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A store with its folder."""

    folder: Path
    database: sqlite3.Connection


@dataclass(frozen=True, slots=True)
class Brought:
    """What came."""

    events: Sequence[Event]
    """Those that are told, in the order to tell them."""
    doubled: int
    """How many were there before, of another file: their times and places are the same."""


def bring(
    opened: Opened, into: Opened, run_id: int, segment: Segment, frames_before: int
) -> Brought:
    """Bring the rows of a part (inside a transaction of the whole), and its pictures.

    Args:
        opened: The part.
        into: The whole.
        run_id: There.
        segment: What the part is of; what began until `after_s` is left out.
        frames_before: Frames until then.

    Raises:
        OSError: If the pictures cannot be moved.
        sqlite3.Error: If the rows cannot be brought.
    """
    part, whole = opened.database, into.database
    after_s = segment.after_s
    cut = "" if after_s is None else " AND start_s > ?"
    values = () if after_s is None else (after_s,)
    rows = [
        dict(row)
        for row in part.execute(
            f"SELECT * FROM event WHERE state = 'closed'{cut} ORDER BY start_us, id",  # noqa: S608
            values,
        )
    ]
    fresh = [row for row in rows if not _there(whole, row["id"])]
    _take_pictures(opened.folder, into.folder, fresh)
    for row in fresh:
        _put(whole, "event", {**row, "run_id": run_id})
    for table in _OF_EVENTS:
        _bring_of(part, whole, table, [row["id"] for row in fresh])
    _bring_sources(part, whole, run_id, segment, frames_before)
    _bring_times(part, whole, run_id, after_s)
    bring_traces((opened.folder, part), whole, run_id, segment, frames_before)
    told = [_event(part, row) for row in fresh if not row["muted"]]
    return Brought(told, len(rows) - len(fresh))


def _take_pictures(part: Path, whole: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Move the pictures of events; those that were moved before a kill are there already."""
    for row in rows:
        for picture in pictures_at(part, row["id"], row["snapshot_s"]):
            if picture.exists():
                picture.replace(whole / picture.relative_to(part))


def _there(whole: sqlite3.Connection, event_id: str) -> bool:
    found = whole.execute("SELECT 1 FROM event WHERE id = ?", (event_id,)).fetchone()
    return found is not None


def _event(part: sqlite3.Connection, row: dict[str, Any]) -> Event:
    named = part.execute(
        "SELECT noun, p FROM candidate WHERE event_id = ? ORDER BY rank", (row["id"],)
    ).fetchall()
    return event_of(dict(row), ((noun, p) for noun, p in named))


def _bring_of(
    part: sqlite3.Connection, whole: sqlite3.Connection, table: str, ids: Sequence[str]
) -> None:
    for first in range(0, len(ids), _BOUND):
        some = ids[first : first + _BOUND]
        marks = ", ".join("?" * len(some))
        found = part.execute(f"SELECT * FROM {table} WHERE event_id IN ({marks})", some)  # noqa: S608
        for row in found:
            _put(whole, table, dict(row))


def _bring_sources(
    part: sqlite3.Connection,
    whole: sqlite3.Connection,
    run_id: int,
    segment: Segment,
    frames_before: int,
) -> None:
    """Add to the sources of the whole, which lie in the order of the recordings."""
    rows = part.execute("SELECT * FROM source ORDER BY rowid").fetchall()
    for place, row in enumerate(dict(row) for row in rows):
        row["run_id"] = run_id
        known = whole.execute(
            "SELECT * FROM source WHERE run_id = ? AND uri = ?", (run_id, row["uri"])
        ).fetchone()
        row["frames"] -= frames_before
        if known is not None:
            row["frames"] += known["frames"]
            row["from_s"], row["start_us"] = known["from_s"], known["start_us"]
            row["warning"] = _both(known["warning"], row["warning"])
        row["done_frames"] = row["frames"]
        _put(whole, "source", {**row, "rowid": segment.recording + place + 1})


def _both(before: str, now: str) -> str:
    return now if before in now else before if now in before else f"{before}; {now}"


def _bring_times(
    part: sqlite3.Connection, whole: sqlite3.Connection, run_id: int, after_s: float | None
) -> None:
    """Add the highest score of each second, what came near, and when nobody saw."""
    since_s = -1.0 if after_s is None else after_s
    for row in part.execute("SELECT * FROM second WHERE second + 1 > ?", (since_s,)):
        whole.execute(
            "INSERT INTO second VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET peak = max(peak, excluded.peak)",
            (run_id, row["uri"], row["second"], row["peak"]),
        )
    for row in part.execute("SELECT * FROM moment WHERE start_s > ? ORDER BY rowid", (since_s,)):
        _put(whole, "moment", {**dict(row), "run_id": run_id})
    since_us = 0
    if after_s is not None:
        (start_us,) = part.execute("SELECT start_us FROM source").fetchone()
        since_us = (start_us or 0) + round(after_s * 1e6) - 1
    for row in part.execute("SELECT * FROM gap WHERE start_us >= ?", (since_us,)):
        _put(whole, "gap", {**dict(row), "run_id": run_id})


def _put(database: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    database.execute(
        f"INSERT OR REPLACE INTO {table}({', '.join(row)})"  # noqa: S608 - our own names
        f" VALUES ({', '.join('?' * len(row))})",
        tuple(row.values()),
    )
