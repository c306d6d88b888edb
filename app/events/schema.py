"""The file behind the store: opened, brought up to date, and its faults in words."""

import errno
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path

from app.errors import StoreError
from novic.database import connect, transaction, write_ahead

STORE = "events.sqlite"
WAIT_S = 5.0
"""How long to wait for another process that is writing."""


def open_database(folder: Path, wait_s: float) -> sqlite3.Connection:
    """Open the file of a folder, made or brought up to date if need be.

    Raises:
        StoreError: If it is from a newer Nomaly.
        sqlite3.Error: If it cannot be written or is no database.
    """
    database = connect(folder / STORE, wait_s)
    try:
        database.row_factory = sqlite3.Row
        # Of a new file alone: free pages can be given back to the disk a few at a time.
        database.execute("PRAGMA auto_vacuum=INCREMENTAL")
        write_ahead(database, wait_s, "NORMAL")
        # Before foreign keys are switched on: a table that is built anew is dropped in between,
        # and all that refers to its rows would go with them.
        _migrate(database, folder)
        database.execute("PRAGMA foreign_keys=ON")
    except BaseException:
        database.close()
        raise
    return database


def copy_database(folder: Path) -> sqlite3.Connection:
    """What the file of a folder holds just now, in memory and brought up to date.

    Raises:
        StoreError: If it is from a newer Nomaly.
        sqlite3.Error: If it cannot be read.
    """
    address = f"{(folder / STORE).absolute().as_uri()}?mode=ro"
    copy = connect(Path(":memory:"), WAIT_S)
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=WAIT_S)) as database:
            database.backup(copy)
        copy.row_factory = sqlite3.Row
        known = copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'store_identity'").fetchone()
        _migrate(copy, folder)
        if known is None:
            # Each copy of an older store would be another one for who follows its changes.
            same = f"{(folder / STORE).stat().st_ino:x}"
            copy.execute("UPDATE store_identity SET identity = ?", (same,))
    except BaseException:
        copy.close()
        raise
    return copy


def read_database(folder: Path) -> sqlite3.Connection:
    """The file of a folder as it is from the first look at it on, to be read where it lies.

    One of an older Nomaly is copied, since it has to be brought up to date.

    Raises:
        StoreError: If it is from a newer Nomaly.
        sqlite3.Error: If it cannot be read.
    """
    address = f"{(folder / STORE).absolute().as_uri()}?mode=ro"
    # Whoever keeps it open may ask from several threads, one at a time.
    database = sqlite3.connect(
        address, uri=True, timeout=WAIT_S, isolation_level=None, check_same_thread=False
    )
    try:
        if _version(database) == len(_migrations()):
            database.row_factory = sqlite3.Row
            database.execute("BEGIN")
            return database
    except BaseException:
        database.close()
        raise
    database.close()
    return copy_database(folder)


@contextmanager
def faults(folder: Path, kind: type[StoreError] = StoreError) -> Iterator[None]:
    """Turn faults of disk and database into one sentence.

    Raises:
        StoreError: In their place, of the kind that is asked for.
    """
    try:
        yield
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        why = "the disk is full" if full else str(error)
        raise kind(f"{folder / STORE}: cannot be used: {why}") from error
    except OSError as error:
        why = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise kind(f"{error.filename or folder}: cannot be written: {why}") from error


def _migrate(database: sqlite3.Connection, folder: Path) -> None:
    steps = _migrations()
    have = _version(database)
    if have > len(steps):
        raise StoreError(
            f"{folder / STORE}: written by a newer Nomaly (version {have} of the store, "
            f"this one knows {len(steps)}); update Nomaly or use another folder"
        )
    if have == len(steps):
        return
    with transaction(database):
        # Another process may have opened the same new store meanwhile.
        for number in range(_version(database), len(steps)):
            for statement in _statements(steps[number]):
                database.execute(statement)
            database.execute(f"PRAGMA user_version={number + 1}")


def _version(database: sqlite3.Connection) -> int:
    """How many migrations the store has had."""
    return database.execute("PRAGMA user_version").fetchone()[0]


def _statements(script: str) -> Iterator[str]:
    """One by one, because `executescript` ends the transaction that it is called in."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@cache
def _migrations() -> Sequence[str]:
    scripts = [f for f in files("app.events.migrations").iterdir() if f.name.endswith(".sql")]
    return [script.read_text(encoding="utf-8") for script in sorted(scripts, key=lambda f: f.name)]
