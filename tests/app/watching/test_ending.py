"""The end of a run, also where not all of it can be written."""

import json
from pathlib import Path

import pytest

from app.errors import StoreError
from app.events.store import Store
from app.watching.ending import Ending, complete_results, end_watch, write_results
from app.watching.results import watch_summary
from tests.app.events.findings import a_finding, begin


def test_a_watch_ends_with_its_files_and_its_state(tmp_path: Path):
    said: list[str] = []
    with Store(tmp_path) as store:
        run_id = begin(store, a_finding())
        ending = Ending("failed", "the disk is full; not stored: 2 events")
        assert end_watch(store, store.run(run_id), ending, said.append) == []
        assert store.run(run_id).state == "failed"
        summary = watch_summary(store, store.run(run_id), dropped=3)
    assert said == []
    assert summary["state"] == "failed"
    assert summary["notes"] == ["the disk is full; not stored: 2 events"]
    assert summary["dropped"] == 3
    page = Path(summary["report"]).read_text()
    assert "the disk is full; not stored: 2 events" in page
    (line,) = (tmp_path / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)] == summary["events"]


def test_what_cannot_be_written_is_said_and_the_rest_is_written(tmp_path: Path):
    said: list[str] = []
    with Store(tmp_path) as store:
        run_id = begin(store, a_finding())
        (tmp_path / "report.html").mkdir()
        faults = end_watch(store, store.run(run_id), Ending("stopped"), said.append)
        summary = watch_summary(store, store.run(run_id), faults=faults)
        assert store.run(run_id).state == "stopped"
    assert said == faults
    assert "report.html: cannot be written: Is a directory" in faults[0]
    assert faults[1].startswith(f"nomaly report {tmp_path} writes the report")
    assert (tmp_path / "events.jsonl").read_text().count("\n") == 1
    assert (summary["state"], summary["notes"]) == ("failed", faults)


def test_missing_files_of_a_finished_run_are_written_again(tmp_path: Path):
    with Store(tmp_path) as store:
        run = store.run(begin(store, a_finding()))
        complete_results(store, run)
        before = (tmp_path / "report.html").stat().st_mtime_ns
        complete_results(store, run)
        assert (tmp_path / "report.html").stat().st_mtime_ns == before
        (tmp_path / "events.jsonl").unlink()
        complete_results(store, run)
        assert (tmp_path / "events.jsonl").exists()
        (tmp_path / "report.html").unlink()
        (tmp_path / "report.html").mkdir()
        with pytest.raises(StoreError, match=r"report\.html: cannot be written"):
            write_results(store, run)
