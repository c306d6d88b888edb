"""What people said of single events besides that they are normal: in the store, beside its writer.

It silences nothing. It is what names and promises are measured by, and what the page shows.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.errors import UsageError
from app.events.reading import require_store
from app.events.schema import WAIT_S, faults, open_database
from app.feedback.verdicts import now_us
from novic.database import transaction

type AnswerKind = Literal["confirmed", "false_alarm", "renamed"]
"""It is what it was called; there was nothing that should ring; it is something else."""

MOST_LETTERS = 100
"""Of a name."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of one event."""

    event_id: str
    kind: AnswerKind
    noun: str
    """What it is really, where it was renamed; else empty."""
    said_us: int
    """UTC in microseconds."""

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        return {"answer": self.kind, "noun": self.noun, "said_us": self.said_us}


def answer(folder: Path, event_id: str, kind: AnswerKind, noun: str = "") -> Answer:
    """Keep what was said of an event, in the place of what was said of it before.

    Args:
        folder: Of the store; a watch may be writing there.
        event_id: The event.
        kind: What was said.
        noun: What it is, where it is renamed.

    Raises:
        UsageError: If there is no such store or event, or no usable name.
        app.errors.StoreError: If the store cannot be written.
    """
    noun = " ".join(noun.split())
    if (kind == "renamed") != bool(noun) or len(noun) > MOST_LETTERS:
        raise UsageError(
            f"{event_id}: a new name has 1 to {MOST_LETTERS} letters, and only renamed brings one"
        )
    said = Answer(event_id, kind, noun, now_us())
    require_store(folder)
    with faults(folder), closing(open_database(folder, WAIT_S)) as database:
        _check_event(database, folder, event_id)
        with transaction(database):
            database.execute(
                "INSERT INTO answer VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " kind = excluded.kind, noun = excluded.noun, said_us = excluded.said_us",
                (said.event_id, said.kind, said.noun, said.said_us),
            )
    return said


def take_back(folder: Path, event_id: str) -> bool:
    """Forget what was said of an event; returns whether there was anything.

    Raises:
        UsageError: If there is no such store or event.
        app.errors.StoreError: If the store cannot be written.
    """
    require_store(folder)
    with faults(folder), closing(open_database(folder, WAIT_S)) as database:
        _check_event(database, folder, event_id)
        with transaction(database):
            done = database.execute("DELETE FROM answer WHERE event_id = ?", (event_id,))
    return done.rowcount > 0


def answers_in(database: sqlite3.Connection, event_ids: Sequence[str]) -> dict[str, Answer]:
    """What was said of some events, by their ids; those are missing of which nothing was.

    Args:
        database: A store, up to date.
        event_ids: At most a few hundred.
    """
    places = ", ".join("?" * len(event_ids))
    rows = database.execute(
        f"SELECT event_id, kind, noun, said_us FROM answer WHERE event_id IN ({places})",  # noqa: S608 - question marks
        tuple(event_ids),
    )
    return {row[0]: Answer(*row) for row in rows}


def _check_event(database: sqlite3.Connection, folder: Path, event_id: str) -> None:
    found = database.execute("SELECT 1 FROM event WHERE id = ?", (event_id,)).fetchone()
    if found is None:
        raise UsageError(f"{folder}: holds no event {event_id}")
