"""New names in a store, each time kept with what was there before, so that it can be taken back.

They are written beside a watch that goes on: some at a time, so that it never waits long.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Any

from app.events.event import Event
from app.events.reading import StoreReader, in_place
from app.events.rows import row_of
from app.events.schema import WAIT_S, faults, open_database
from app.renaming.naming import Rename
from novic.database import transaction

AT_ONCE = 500
"""Events that become final together."""
_COLUMNS = (
    "raw_p",
    "surprise_bits",
    "surprise_here_bits",
    "sure_from",
    "thing",
    "people",
    "evidence",
    "belonging",
    "uncalibrated",
    "named_again",
)
"""What a name is made of in an event's row, besides its candidates."""
_SET = ", ".join(f"{column} = ?" for column in _COLUMNS)
_NOT_SAID = (
    "NOT EXISTS(SELECT 1 FROM answer WHERE answer.event_id = event.id AND answer.id ="
    " (SELECT max(id) FROM answer WHERE answer.event_id = event.id)"
    " AND answer.verdict IN ('confirmed', 'renamed'))"
)
"""Nobody said meanwhile what it is."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One time at which events of a store were named once more."""

    number: int
    time_us: int
    """UTC in microseconds; the same in all stores of one command."""
    name: str
    """Of the decoder."""
    events: int
    """How many were changed."""


def keep(folder: Path, renames: Sequence[Rename], *, time_us: int, model: str, name: str) -> int:
    """Write new names as one revision.

    Args:
        folder: Of the store.
        renames: What changes; events that are not closed any more, or of which people said
            meanwhile what they are, are left.
        time_us: When, UTC in microseconds.
        model: SHA-256 of the decoder.
        name: The decoder, for people.

    Returns:
        How many events were written. If the process ends in between, those that were written are
        whole, and can be taken back.

    Raises:
        app.errors.StoreError: If it cannot be written.
    """
    if not renames:
        return 0
    with faults(folder), closing(open_database(folder, WAIT_S)) as database:
        with transaction(database):
            (number,) = database.execute(
                "INSERT INTO naming(time_us, model, name) VALUES (?, ?, ?) RETURNING id",
                (time_us, model, name),
            ).fetchone()
        written = 0
        for some in batched(renames, AT_ONCE):
            with transaction(database):
                written += sum(_rename(database, number, one) for one in some)
    return written


def _rename(database: sqlite3.Connection, number: int, one: Rename) -> bool:
    event_id = one.before.id
    before = database.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM event WHERE id = ? AND state = 'closed'"  # noqa: S608
        f" AND {_NOT_SAID}",
        (event_id,),
    ).fetchone()
    if before is None:
        return False
    candidates = database.execute(
        "SELECT noun, p FROM candidate WHERE event_id = ? ORDER BY rank", (event_id,)
    ).fetchall()
    kept = {"columns": dict(before), "candidates": [list(pair) for pair in candidates]}
    database.execute(
        "INSERT INTO renamed VALUES (?, ?, ?)",
        (number, event_id, json.dumps(kept, ensure_ascii=False)),
    )
    row = row_of(one.after)
    _write(database, event_id, [row[column] for column in _COLUMNS], one.after.candidates)
    return True


def last_revision(folder: Path) -> Revision | None:
    """The newest revision that was not taken back; None if there is none.

    Raises:
        app.errors.UsageError: If there is no store.
        app.errors.StoreError: If it cannot be read.
    """
    with in_place(folder) as store:
        row = store.database.execute(
            "SELECT id, time_us, name, (SELECT count(*) FROM renamed WHERE naming_id = naming.id)"
            " FROM naming WHERE undone_us IS NULL ORDER BY id DESC LIMIT 1"
        ).fetchone()
    return None if row is None else Revision(*row)


def undo(folder: Path, number: int, now_us: int) -> list[tuple[Event, Event]]:
    """Give the events of a revision back what they were called before it.

    Args:
        folder: Of the store.
        number: Of the revision, which is the newest that was not taken back.
        now_us: When, UTC in microseconds.

    Returns:
        Each event as it was until now, and as it is.

    Raises:
        app.errors.StoreError: If it cannot be written.
    """
    with faults(folder), closing(open_database(folder, WAIT_S)) as database:
        rows = database.execute(
            "SELECT event_id, before FROM renamed WHERE naming_id = ? ORDER BY event_id", (number,)
        ).fetchall()
        store = StoreReader(folder, database)
        ids = [row["event_id"] for row in rows]
        until_now = [store.event(event_id) for event_id in ids]
        for some in batched(rows, AT_ONCE):
            with transaction(database):
                for row in some:
                    _give_back(database, row["event_id"], json.loads(row["before"]))
        with transaction(database):
            database.execute("UPDATE naming SET undone_us = ? WHERE id = ?", (now_us, number))
        now = [store.event(event_id) for event_id in ids]
    return [(old, new) for old, new in zip(until_now, now, strict=True) if old and new]


def _give_back(database: sqlite3.Connection, event_id: str, before: dict[str, Any]) -> None:
    values = [before["columns"].get(column) for column in _COLUMNS]
    _write(database, event_id, values, [(noun, p) for noun, p in before["candidates"]])


def _write(
    database: sqlite3.Connection,
    event_id: str,
    values: Sequence[object],
    candidates: Iterable[tuple[str, float]],
) -> None:
    database.execute(f"UPDATE event SET {_SET} WHERE id = ?", (*values, event_id))  # noqa: S608
    database.execute("DELETE FROM candidate WHERE event_id = ?", (event_id,))
    database.executemany(
        "INSERT INTO candidate VALUES (?, ?, ?, ?)",
        [(event_id, rank, noun, p) for rank, (noun, p) in enumerate(candidates)],
    )
