"""Stores that an earlier Nomaly wrote."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from app.events.schema import STORE, read_database
from app.events.store import Store
from app.report.page import write_report
from app.sources.base import Gap
from detectors.types import Box
from tests.app.events.findings import BOX, a_finding, changes, pictures


@pytest.fixture
def old_folder(tmp_path: Path) -> Path:
    """What Nomaly of November 2026 (commit da1c55a) wrote: its store's own dump, and pictures."""
    script = (Path(__file__).parent / "data" / "store_of_version_2.sql").read_text()
    with closing(sqlite3.connect(tmp_path / STORE)) as db:
        db.executescript(script)
    for kind, ending in (("crops", "jpg"), ("snapshots", "jpg"), ("heat", "png")):
        (tmp_path / kind).mkdir()
        for event_id in ("06449f3a2b0000-aaaaaa", "06449f3a2b8000-bbbbbb"):
            Image.new("RGB", (8, 6)).save(tmp_path / kind / f"{event_id}.{ending}")
    return tmp_path


def test_an_old_store_is_brought_up_to_date_and_reads_the_same(old_folder: Path):
    with Store(old_folder) as store:
        run = store.last_run()
        assert run is not None
        assert (run.kind, run.state, run.settings["learn_s"]) == ("watch", "running", 20.0)
        closed, left = store.events(run.id)
        assert closed.candidates == (("cat", 0.5), ("dog", 0.25))
        assert (closed.state, closed.start_us, closed.box) == ("closed", 1764374401000000, BOX)
        assert (closed.people, closed.parts) == (0, ())
        assert (closed.surprise_bits, left.surprise_bits) == (11.25, None)
        assert (left.state, left.noun, left.snapshot_s) == ("updated", "bicycle", 10.0)
        assert store.sightings(closed.id) == [(1.0, BOX, 2.5), (1.2, Box(11, 5, 31, 25), 2.0)]
        assert [source.frames for source in store.sources(run.id)] == [60]
        assert store.seconds(run.id, "rtsp://camera/stream") == [(0, 0.5), (1, 2.5), (2, 0.25)]
        assert [gap["end_us"] for gap in store.gaps(run.id)] == [1764374407000000, None]
        page = write_report(store, run).read_text()
        assert page.count("data:image/webp;base64,") == 6
        # What the old tables would have refused.
        left_at_us = store.gaps(run.id)[1]["start_us"]
        store.save(run.id, changes(gaps=[Gap(left_at_us, None, "size")]))
        assert [gap["reason"] for gap in store.gaps(run.id)] == ["stalled", "ended", "size"]
        finding = a_finding()
        life = replace(left, state="stationary", snapshot_s=12.0)
        store.save(run.id, changes(replace(finding, event=life, path=())))
        assert [event.state for event in store.events(run.id)] == ["closed", "stationary"]
        assert len(pictures(store)) == 6
        with Image.open(store.media("snapshots", life)) as shown:
            assert shown.size == (80, 60)


def test_what_a_kill_left_open_is_closed_at_its_last_sighting(old_folder: Path):
    with Store(old_folder, sinks=["a"]) as store:
        before = {event.id: event for event in store.events(1)}
        run, (closed,) = store.go_on(1)
        assert (run.id, run.state, run.ended_us) == (1, "running", None)
        left = before[closed.id]
        assert left.state == "updated"
        assert closed == replace(left, state="closed", cut=True)
        assert {event.id: event for event in store.events(1)} == before | {closed.id: closed}
        assert [message.body for message in store.outbox.waiting("a", 9)] == [
            {"event": "closed", "rings": False, **closed.as_json()}
        ]
        assert store.go_on(1) == (run, [])


def test_a_store_of_before_surprise_is_brought_up_to_date(old_folder: Path):
    with closing(sqlite3.connect(old_folder / STORE)) as db:
        db.execute("ALTER TABLE event DROP COLUMN surprise_bits")
        db.execute("PRAGMA user_version=1")
    with Store(old_folder) as store:
        assert [event.noun for event in store.events(1)] == ["cat", "bicycle"]
        assert [event.surprise_bits for event in store.events(1)] == [None, None]


def test_every_copy_of_an_old_store_is_the_same_store(old_folder: Path):
    said = set()
    for _ in range(2):
        with closing(read_database(old_folder)) as copy:
            said.add(copy.execute("SELECT identity FROM store_identity").fetchone()[0])
    assert len(said) == 1
