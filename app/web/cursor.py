"""Where somebody is who reads all changes of several stores: a text that only this module reads."""

import base64
import binascii
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from app.errors import UsageError


@dataclass(frozen=True, slots=True)
class Read:
    """How far one store was read."""

    identity: str
    """Of the store; what was read of another one in its place says nothing."""
    number: int


type Cursor = Mapping[str, Read]
"""How far each store was read, by name; a store that is missing was not read at all."""


def cursor_text(cursor: Cursor) -> str:
    """A cursor as it is handed out; letters, digits, - and _."""
    said = {name: [one.identity, one.number] for name, one in sorted(cursor.items())}
    text = json.dumps(said, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """Read what `cursor_text` wrote; an empty text is the beginning.

    Raises:
        UsageError: If it is none.
    """
    if not text:
        return {}
    try:
        padded = text + "=" * (-len(text) % 4)
        said = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        return {str(name): Read(str(one[0]), int(one[1])) for name, one in said.items()}
    except (binascii.Error, ValueError, TypeError, AttributeError, LookupError) as error:
        raise UsageError(
            "since: is no cursor of this page; leave it out to begin at the beginning"
        ) from error


def newest(db: sqlite3.Connection) -> Read:
    """How far a store can be read just now."""
    (identity,) = db.execute("SELECT identity FROM store_identity").fetchone()
    (number,) = db.execute("SELECT coalesce(max(number), 0) FROM change").fetchone()
    return Read(identity, number)


@dataclass(frozen=True, slots=True)
class Change:
    """One event that changed, as it is now."""

    number: int
    event_id: str
    gone: bool
    """Whether it was dropped."""


def changes_since(db: sqlite3.Connection, since: Read | None, limit: int) -> list[Change]:
    """What changed in a store since somebody read it, in the order in which it did.

    Args:
        db: The store.
        since: How far it was read; None if it was not.
        limit: How many at most; those that were first.
    """
    now = newest(db)
    number = since.number if since is not None and since.identity == now.identity else 0
    rows = db.execute(
        "SELECT number, event_id, gone FROM change WHERE number > ? ORDER BY number LIMIT ?",
        (number, limit),
    )
    return [Change(row[0], row[1], bool(row[2])) for row in rows]
