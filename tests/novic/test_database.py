"""A real file, and a second connection that stands in the way."""

import sqlite3
from pathlib import Path
from threading import Timer

import pytest

from novic.database import connect, primary_code, transaction, write_ahead


def test_what_fails_in_a_transaction_leaves_nothing(tmp_path: Path):
    database = connect(tmp_path / "a.sqlite", 1.0)
    write_ahead(database, 1.0, "NORMAL")
    database.execute("CREATE TABLE noun(text TEXT)")

    def fail() -> None:
        with transaction(database):
            database.execute("INSERT INTO noun VALUES ('cat')")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert database.execute("SELECT * FROM noun").fetchall() == []
    with transaction(database):
        database.execute("INSERT INTO noun VALUES ('dog')")
    database.close()
    assert sqlite3.connect(tmp_path / "a.sqlite").execute("SELECT * FROM noun").fetchall() == [
        ("dog",)
    ]


def test_who_holds_the_file_is_waited_for_then_told(tmp_path: Path):
    path = tmp_path / "a.sqlite"
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("CREATE TABLE noun(text TEXT)")
    holder.execute("BEGIN IMMEDIATE")
    database = connect(path, 0.1)
    with pytest.raises(sqlite3.OperationalError, match="locked") as refused:
        write_ahead(database, 0.1, "FULL")
    assert primary_code(refused.value) == sqlite3.SQLITE_BUSY
    release = Timer(0.2, holder.execute, ["ROLLBACK"])
    release.start()
    write_ahead(database, 30.0, "FULL")
    release.join()
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    holder.close()
    database.close()


def test_an_error_of_python_has_no_code():
    assert primary_code(sqlite3.ProgrammingError("a closed database")) is None
