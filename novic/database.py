"""SQLite as every store of Nomaly opens it: written ahead, with foreign keys, in whole steps."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

_PAUSE_S = 0.02


def connect(path: Path, wait_s: float, *, any_thread: bool = False) -> sqlite3.Connection:
    """Open a file, made if there is none, that commits only when told to.

    Args:
        path: The file, in a folder that exists.
        wait_s: How long to wait for another process that is writing.
        any_thread: Whether other threads may use it too; the caller sees to it that only one does
            at a time.

    Raises:
        sqlite3.Error: If it cannot be opened.
    """
    return sqlite3.connect(
        path, isolation_level=None, timeout=wait_s, check_same_thread=not any_thread
    )


def write_ahead(
    database: sqlite3.Connection, wait_s: float, synchronous: Literal["NORMAL", "FULL"]
) -> None:
    """Let readers go on while one writes.

    Args:
        database: Outside of any transaction.
        wait_s: How long to wait for other processes. SQLite itself does not when it changes to
            this mode, hence the loop.
        synchronous: FULL if a commit must outlive a power cut, NORMAL if outliving a kill will do.

    Raises:
        sqlite3.Error: If the file cannot be written, is no database, or stays busy.
    """
    until = time.monotonic() + wait_s
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_PAUSE_S)
    database.execute(f"PRAGMA synchronous={synchronous}")


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Make all that is written inside final together, or nothing of it.

    Raises:
        sqlite3.Error: If it cannot be written; nothing of it is then.
    """
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def primary_code(error: sqlite3.Error) -> int | None:
    """SQLite's primary result code; None for an error that is not one of SQLite's own."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
