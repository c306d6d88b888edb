"""The command with workers, from its words to its report, leaves what it leaves without them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.archive.part import Looker
from app.events.media import MEDIA
from app.events.schema import STORE
from tests.app.short_watch import run_nomaly

TABLES = ("event", "candidate", "sighting", "vector", "ballot", "signature", "second", "trace")


def kept(out: Path) -> dict[str, Any]:
    """What an audit left in its folder, to the byte."""
    found: dict[str, Any] = {"events.jsonl": (out / "events.jsonl").read_bytes()}
    with closing(sqlite3.connect(out / STORE)) as database:
        for table in TABLES:
            found[table] = sorted(map(repr, database.execute(f"SELECT * FROM {table}")))  # noqa: S608
    for kind in MEDIA:
        found[kind] = {file.name: file.read_bytes() for file in (out / kind).iterdir()}
    return found


@pytest.mark.slow
def test_workers_that_hide_people_leave_what_one_process_leaves(
    looker: Looker, clips: list[Path], tmp_path: Path
):
    words = ["audit", *clips[:5], "--each", "--detector", looker.request.detector_folder]
    words += ["--blur-people", "--no-draw", "--json", "--out"]
    one, two = tmp_path / "one", tmp_path / "two"
    alone = run_nomaly(*words, one)
    assert alone.returncode == 0, alone.stderr
    shared = run_nomaly(*words, two, "--workers", "2")
    assert shared.returncode == 0, shared.stderr
    assert kept(two) == kept(one)
    assert kept(one)["trace"]
    told = json.loads(shared.stdout.splitlines()[-1])
    assert len(told["events"]) == 2
    report = (two / "report.html").read_text()
    assert all(event["id"] in report for event in told["events"])
    with closing(sqlite3.connect(two / STORE)) as database:
        (row,) = database.execute("SELECT state, joined, worker FROM audit_segment").fetchall()
    assert row == ("met", 1, "")
    assert not (two / "parts").exists()
