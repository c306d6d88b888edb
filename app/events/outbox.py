"""What sinks have not been given yet: messages that wait in the store until they are delivered.

A message is committed together with the event state that it tells of, and deleted once its sink
has taken it. A kill at any moment may thus deliver one twice, but never loses one.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from app.events.event import Event

MOST = 100_000
"""So many messages wait for a sink at most, some 100 MB: months of a usual camera."""
_SPARE = 20
"""One in so many goes besides, so that not each new message costs an old one."""
_AT_ONCE = 1000
"""Most rows of one step, so that whoever writes waits for a moment only."""


@dataclass(frozen=True, slots=True)
class Message:
    """One event state for one sink."""

    number: int
    """Rises in the order of commits and is never used twice in a store, so that whoever is given
    a message again can tell."""
    body: Mapping[str, Any]
    """The event as scripts read it, with `event`, its state."""
    attempts: int = 0
    """How often it could not be delivered."""

    def as_json(self) -> dict[str, Any]:
        """The body with the number, as every sink gives it out."""
        return {"number": self.number, **self.body}


class Outbox:
    """The waiting messages of a store."""

    def __init__(
        self,
        database: sqlite3.Connection,
        faults: Callable[[], AbstractContextManager[None]],
        saving: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """Take the store's connection, and how it words faults and makes changes final."""
        self._db = database
        self._faults = faults
        self._saving = saving

    def put(self, event: Event, sinks: Sequence[str], now_us: int) -> None:
        """Leave a message about an event for each sink (inside the store's `saving`)."""
        if not sinks:
            return
        body = json.dumps(event.as_told(), ensure_ascii=False)
        self._db.executemany(
            "INSERT INTO outbox(sink, event_id, body, created_us) VALUES (?, ?, ?, ?)",
            [(sink, event.id, body, now_us) for sink in sinks],
        )

    def waiting(self, sink: str, most: int) -> list[Message]:
        """The oldest messages that a sink has not taken yet, in order.

        Raises:
            app.errors.StoreError: If the store cannot be read.
        """
        with self._faults():
            rows = self._db.execute(
                "SELECT number, body, attempts FROM outbox WHERE sink = ? ORDER BY number LIMIT ?",
                (sink, most),
            ).fetchall()
        return [Message(number, json.loads(body), attempts) for number, body, attempts in rows]

    def count(self, sink: str) -> int:
        """How many messages wait for a sink."""
        with self._faults():
            (count,) = self._db.execute(
                "SELECT COUNT(*) FROM outbox WHERE sink = ?", (sink,)
            ).fetchone()
        return count

    def taken(self, *messages: Message) -> None:
        """Note that messages were delivered, all of them or none.

        Raises:
            app.errors.StoreError: If it cannot be written; they will come again.
        """
        numbers = [(message.number,) for message in messages]
        with self._saving():
            self._db.executemany("DELETE FROM outbox WHERE number = ?", numbers)

    def refused(self, message: Message, why: str) -> None:
        """Note that a message could not be delivered.

        Raises:
            app.errors.StoreError: If it cannot be written.
        """
        with self._saving():
            self._db.execute(
                "UPDATE outbox SET attempts = attempts + 1, fault = ? WHERE number = ?",
                (why, message.number),
            )

    def drop_oldest(self, sink: str, most: int) -> int:
        """Drop messages beyond a number, the oldest first; their events stay in the store.

        Args:
            sink: For whom they wait.
            most: How many may; if there are more, a twentieth of that goes besides.

        Returns:
            How many were dropped.

        Raises:
            app.errors.StoreError: If it cannot be written; some may be gone then.
        """
        beyond = self.count(sink) - most
        if beyond <= 0:
            return 0
        left = beyond = beyond + most // _SPARE
        while left > 0:
            with self._saving():
                self._db.execute(
                    "DELETE FROM outbox WHERE number IN"
                    " (SELECT number FROM outbox WHERE sink = ? ORDER BY number LIMIT ?)",
                    (sink, min(left, _AT_ONCE)),
                )
            left -= _AT_ONCE
        return beyond
