"""A store that another program writes to and does not come to an end."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app.events.schema import STORE


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Nobody else can write to the store of a folder."""
    with closing(sqlite3.connect(out / STORE, timeout=60, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
