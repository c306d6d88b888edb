"""What a folder holds, read while somebody else writes there."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import StoreError, UsageError
from app.events.reading import snapshot
from app.events.schema import STORE
from app.events.store import Store
from tests.app.events.findings import a_finding, begin, changes


def test_a_snapshot_is_what_there_is_while_another_writes(tmp_path: Path):
    with Store(tmp_path) as store:
        run_id = begin(store, a_finding(1))
        store.add_note(run_id, "the disk was full")
        with snapshot(tmp_path) as seen:
            store.save(run_id, changes(a_finding(2)))
            assert seen.last_run() == store.last_run()
            assert seen.events(run_id) == [a_finding(1).event]
            assert [note.text for note in seen.notes(run_id)] == ["the disk was full"]
            assert seen.media("crops", a_finding(1).event).exists()
        with store.saving(), snapshot(tmp_path) as seen:
            assert len(seen.events(run_id)) == 2


def test_a_snapshot_changes_nothing_in_the_folder(tmp_path: Path):
    script = (Path(__file__).parent / "data" / "store_of_version_2.sql").read_text()
    with closing(sqlite3.connect(tmp_path / STORE)) as db:
        db.executescript(script)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with snapshot(tmp_path) as seen:
        assert [event.noun for event in seen.events(1)] == ["cat", "bicycle"]
        assert seen.notes(1) == []
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_folder_without_a_store_or_with_a_damaged_one_is_said(tmp_path: Path):
    with (
        pytest.raises(UsageError, match="holds no results of an audit or a watch"),
        snapshot(tmp_path),
    ):
        pass
    (tmp_path / STORE).write_bytes(b"hello " * 1000)
    with pytest.raises(StoreError, match="file is not a database"), snapshot(tmp_path):
        pass
