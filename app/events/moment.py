"""What nearly rang: a thing that was followed for a while and was not told, and why not."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from detectors.types import Box

KEPT_US = 30 * 24 * 3600 * 1_000_000
"""Moments are kept for so long."""

type Silence = Literal["bar", "light", "part", "tracking"]
"""What kept it silent: it did not reach the bar; it was taken for light; it was part of an event;
it never held together as one thing of its own."""


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

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        box = self.box
        return {
            "camera": self.camera,
            "start_s": round(self.start_s, 3),
            "end_s": round(self.end_s, 3),
            "start_us": self.start_us,
            "end_us": self.end_us,
            "box": [round(side, 1) for side in (box.x1, box.y1, box.x2, box.y2)],
            "level": round(self.level, 4),
            "bar": round(self.bar, 4),
            "why": self.why,
        }


def save(database: sqlite3.Connection, run_id: int, uri: str, moments: Iterable[Moment]) -> None:
    """Keep moments of a source (inside a transaction); very old ones are dropped."""
    rows = [
        (
            run_id, uri, one.camera, one.start_s, one.end_s, one.start_us, one.end_us,
            one.box.x1, one.box.y1, one.box.x2, one.box.y2, one.level, one.bar, one.why,
        )
        for one in moments
    ]  # fmt: skip
    if not rows:
        return
    database.executemany(
        "INSERT INTO moment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
    )
    newest_us = max(one[6] for one in rows)
    database.execute("DELETE FROM moment WHERE end_us < ?", (newest_us - KEPT_US,))


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
