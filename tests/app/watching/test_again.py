"""A report made again from what the store holds, whatever became of the run."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import UsageError
from app.events.media import MEDIA
from app.events.outputs import sole_writer
from app.events.schema import STORE
from app.events.store import Changes, SourceProgress, Store
from app.watching.again import report_again
from app.watching.ending import Ending, end_watch
from tests.app.events.findings import a_finding, begin


def a_watch(folder: Path) -> int:
    """A run with a closed event and one that is still open."""
    opened = replace(a_finding(2), event=replace(a_finding(2).event, state="opened", video=""))
    closed = replace(a_finding(1), event=replace(a_finding(1).event, video=""))
    source = SourceProgress("hall", "rtsp://camera/hall", (60, 80), 0.0, 0.0, seen_s=30.0)
    with Store(folder) as store:
        run = store.begin_run("watch", {})
        store.save(run.id, Changes(source, [closed, opened]))
    return run.id


def states_in(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / STORE)) as db:
        return [state for (state,) in db.execute("SELECT state FROM event ORDER BY id")]


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def test_a_killed_watch_gets_its_files_and_its_store_stays(tmp_path: Path):
    a_watch(tmp_path)
    again = report_again(tmp_path)
    assert not again.goes_on
    assert states_in(tmp_path) == ["closed", "opened"]
    assert [(line["id"], line["cut"]) for line in lines(tmp_path)] == [
        (a_finding(1).event.id, False),
        (a_finding(2).event.id, True),
    ]
    assert again.summary["events"] == lines(tmp_path)
    assert again.summary["state"] == "running"
    assert "this run was not brought to its end" in (tmp_path / "report.html").read_text()
    assert again.summary["report"] == str(tmp_path / "report.html")
    # Who goes on there finds no trace of it.
    with Store(tmp_path) as store:
        assert store.notes(1) == []
        assert len(store.go_on(1)[1]) == 1


def test_beside_a_watch_that_goes_on_only_the_report_is_written(tmp_path: Path):
    run_id = a_watch(tmp_path)
    with sole_writer(tmp_path, overwrite=False), Store(tmp_path) as store:
        (tmp_path / "events.jsonl").write_text("as it grows")
        with store.saving():
            again = report_again(tmp_path)
        assert again.goes_on
        page = (tmp_path / "report.html").read_text()
        assert "this run goes on" in page
        assert (tmp_path / "events.jsonl").read_text() == "as it grows"
        assert end_watch(store, store.run(run_id), Ending("stopped"), print) == []
    assert "this run goes on" not in (tmp_path / "report.html").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {
        STORE,
        "events.jsonl",
        "report.html",
        ".nomaly-lock",
        *MEDIA,
    }


def test_of_an_audit_it_tells_what_the_audit_tells(tmp_path: Path):
    with Store(tmp_path) as store:
        run_id = begin(store, a_finding(1))
        facts = {"seconds": 2.0, "analysed": 10, "detector_seconds": 1.0, "failed": []}
        store.end_run(run_id, "finished", facts)
    again = report_again(tmp_path)
    assert (again.summary["fps"], again.summary["stopped"]) == (5.0, False)
    assert again.summary["events"] == lines(tmp_path)


def test_a_torn_or_empty_picture_is_left_out(tmp_path: Path):
    a_watch(tmp_path)
    report_again(tmp_path)
    whole = (tmp_path / "report.html").read_text().count("data:image/webp")
    torn = {"crops": b"", "snapshots": b"\xff\xd8\xff", "heat": b"\x89PNG\r\n\x1a\n" + b"x" * 40}
    for kind, content in torn.items():
        (picture,) = (tmp_path / kind).glob(f"{a_finding(1).event.id}*")
        half = picture.read_bytes()[: picture.stat().st_size // 2]
        for damage in (content, half):
            picture.write_bytes(damage)
            report_again(tmp_path)
            page = (tmp_path / "report.html").read_text()
            assert page.count("data:image/webp") < whole
            assert a_finding(2).event.id in page


def test_a_folder_without_a_run_is_refused_and_stays_as_it_is(tmp_path: Path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError, match="holds no results of an audit or a watch"):
            report_again(folder)
    assert [*tmp_path.iterdir()] == []
    Store(tmp_path).close()
    with pytest.raises(UsageError, match="nothing was audited or watched there yet"):
        report_again(tmp_path)
