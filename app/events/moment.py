"""What nearly rang: a thing that was followed for a while and was not told, and why not."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from detectors.types import Box

JOINED_US = 2_000_000
"""What is seen again so soon after a moment, ..."""
SAME = 0.3
"""... and covers so much of it or is covered, goes on with it."""
KEPT_US = 30 * 24 * 3600 * 1_000_000
"""Moments are kept for so long."""

type Silence = Literal["bar", "light", "tracking"]
"""What kept it silent: it did not reach the bar; it was taken for light; it never held together as
one thing of its own."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that came near."""

    camera: str
    start_s: float
    """Seconds from the start of the source at which it was first followed, ..."""
    end_s: float
    """... and last."""
    start_us: int
    """UTC in microseconds."""
    end_us: int
    box: Box
    """Where it was seen most clearly, pixels of the full frame."""
    level: float
    """The largest bar at which it would have rung, followed by itself."""
    bar: float
    """What maps were divided by then."""
    why: Silence
    """What kept it silent."""


def save(database: sqlite3.Connection, run_id: int, uri: str, moments: Iterable[Moment]) -> None:
    """Keep moments of a source (inside a transaction); very old ones of it are dropped.

    What goes on where a moment ended is the same one.
    """
    newest_us, newest_s = 0, 0.0
    for one in moments:
        newest_us, newest_s = max(newest_us, one.end_us), max(newest_s, one.end_s)
        if not _goes_on(database, run_id, uri, one):
            database.execute(
                "INSERT INTO moment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run_id, uri, one.camera, one.start_s, one.end_s, one.start_us, one.end_us,
                    one.box.x1, one.box.y1, one.box.x2, one.box.y2, one.level, one.bar, one.why,
                ),
            )  # fmt: skip
    if newest_us:
        database.execute(
            # By both: a clock that jumps ahead makes nothing old.
            "DELETE FROM moment WHERE run_id = ? AND uri = ? AND end_us < ? AND end_s < ?",
            (run_id, uri, newest_us - KEPT_US, newest_s - KEPT_US / 1e6),
        )


def _goes_on(database: sqlite3.Connection, run_id: int, uri: str, new: Moment) -> bool:
    """Whether a moment was joined to one that is kept."""
    rows = database.execute(
        "SELECT rowid, * FROM moment WHERE run_id = ? AND uri = ? AND end_us BETWEEN ? AND ?"
        " AND why = ?",
        (run_id, uri, new.start_us - JOINED_US, new.end_us, new.why),
    ).fetchall()
    for row in rows:
        number, old = row["rowid"], _moment({key: row[key] for key in row.keys()[1:]})
        if old.box.overlap(new.box) < SAME * min(old.box.area, new.box.area):
            continue
        clearer = new if new.level > old.level else old
        box = clearer.box
        database.execute(
            "UPDATE moment SET end_s = ?, end_us = ?, level = ?, bar = ?, x1 = ?, y1 = ?, x2 = ?,"
            " y2 = ? WHERE rowid = ?",
            (
                new.end_s, new.end_us, clearer.level, clearer.bar,
                box.x1, box.y1, box.x2, box.y2, number,
            ),
        )  # fmt: skip
        return True
    return False


def drop_since(database: sqlite3.Connection, run_id: int, uri: str, from_s: float) -> None:
    """Drop what is looked at again (inside a transaction)."""
    database.execute(
        "DELETE FROM moment WHERE run_id = ? AND uri = ? AND end_s > ?", (run_id, uri, from_s)
    )


def read(
    database: sqlite3.Connection, run_id: int, since_us: int, until_us: int
) -> Sequence[Moment]:
    """The moments of a run that touch a stretch of time, UTC in microseconds, in order."""
    rows = database.execute(
        "SELECT * FROM moment WHERE run_id = ? AND end_us >= ? AND start_us <= ?"
        " ORDER BY start_us, level",
        (run_id, since_us, until_us),
    )
    return [_moment(dict(row)) for row in rows]


def _moment(row: dict[str, Any]) -> Moment:
    del row["run_id"], row["uri"]
    return Moment(box=Box(*(row.pop(side) for side in ("x1", "y1", "x2", "y2"))), **row)
