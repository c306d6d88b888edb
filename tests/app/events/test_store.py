"""A real SQLite file, real pictures, and faults of the disk."""

import dataclasses
import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from app.errors import StoreError, UsageError
from app.events.event import Event, Finding, Picture
from app.events.outputs import claim_folder, write_events, write_text
from app.events.store import STORE, Run, SourceProgress, Store
from app.report.build import clock, write_report
from app.sources.base import Gap
from detectors.types import Box

BOX = Box(10.5, 5, 30, 25)


def a_finding(
    number: int = 0, start_s: float = 1.0, noun: str = "cat", surprise_bits: float | None = None
) -> Finding:
    event = Event(
        id=f"{number:014x}-abc",
        camera="hall",
        state="closed",
        start_s=start_s,
        end_s=start_s + 2,
        start_us=int(start_s * 1e6),
        end_us=int(start_s * 1e6) + 2_000_000,
        box=BOX,
        frame_size=(60, 80),
        score=2.5,
        frames=11,
        video="a.mp4",
        candidates=((noun, 0.5), ("dog", 0.25)),
        snapshot_s=start_s + 1,
        surprise_bits=surprise_bits,
    )
    image = np.full((60, 80, 3), 90, np.uint8)
    picture = Picture(
        start_s + 1, BOX, (60, 80), (BOX.cut(image),), image, np.ones((6, 8), np.float32), 1.0
    )
    return Finding(event, picture, ((start_s, BOX, 2.5), (start_s + 0.2, BOX, 2.0)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


def begin(store: Store, *findings: Finding) -> int:
    run = store.begin_run("audit", {"fps": 5})
    with store.saving():
        store.save_source(run.id, SourceProgress("hall", "a.mp4", (60, 80), 0.0, 0.0, seen_s=30.0))
        for finding in findings:
            store.save_finding(run.id, finding)
    return run.id


def test_events_come_back_as_they_were(store: Store):
    finding = a_finding()
    run_id = begin(store, finding)
    assert store.events(run_id) == [finding.event]
    assert tuple(store.sightings(finding.event.id)) == finding.path
    for kind in ("crops", "snapshots", "heat"):
        assert store.media(kind, finding.event).stat().st_size > 50


def test_saving_an_event_again_replaces_it(store: Store):
    run_id = begin(store, a_finding(noun="cat"), a_finding(noun="lion"))
    assert [event.noun for event in store.events(run_id)] == ["lion"]


def test_forgetting_drops_later_events_with_their_pictures(store: Store):
    early, late = a_finding(1, 1.0), a_finding(2, 9.0)
    run_id = begin(store, early, late)
    with store.saving():
        store.forget_from(run_id, "a.mp4", 5.0)
    assert store.events(run_id) == [early.event]
    assert not store.media("crops", late.event).exists()
    assert store.media("crops", early.event).exists()


def test_what_is_saved_together_is_lost_together(store: Store):
    run_id = begin(store)

    def fail() -> None:
        with store.saving():
            store.save_finding(run_id, a_finding())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert store.events(run_id) == []


def test_a_store_is_read_while_it_is_written(store: Store, tmp_path: Path):
    run_id = begin(store, a_finding(1))
    with Store(tmp_path) as reader:
        with store.saving():
            store.save_finding(run_id, a_finding(2))
            assert len(reader.events(run_id)) == 1
        assert len(reader.events(run_id)) == 2


def test_runs_and_gaps_and_seconds(store: Store):
    run_id = begin(store)
    with store.saving():
        store.save_seconds(run_id, "a.mp4", {0: 0.5, 1: 2.0})
        store.save_seconds(run_id, "a.mp4", {1: 1.0, 2: 0.25})
        store.save_gaps(run_id, "hall", [Gap(5, None, "stalled")])
        store.save_gaps(run_id, "hall", [Gap(5, 9, "stalled")])
    assert store.seconds(run_id, "a.mp4") == [(0, 0.5), (1, 2.0), (2, 0.25)]
    assert [gap["end_us"] for gap in store.gaps(run_id)] == [9]
    ended = store.end_run(run_id, "finished", {"seconds": 2.0})
    assert (ended.state, ended.facts, ended.settings) == (
        "finished",
        {"seconds": 2.0},
        {"fps": 5},
    )


def test_a_store_from_a_newer_nomaly_is_refused(tmp_path: Path):
    db = sqlite3.connect(tmp_path / STORE)
    db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(StoreError, match="written by a newer Nomaly"):
        Store(tmp_path)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path):
    (tmp_path / STORE).write_bytes(b"hello " * 1000)
    with pytest.raises(StoreError, match="file is not a database"):
        Store(tmp_path)


def test_a_full_disk_is_said_and_loses_nothing_before(small_disk: Path):
    with Store(small_disk) as store:
        run_id = begin(store, a_finding(0))
        (small_disk / "filler").write_bytes(b"x" * (600 << 10))
        noise = np.random.default_rng(0).integers(0, 255, (900, 960, 3)).astype(np.uint8)

        def fill() -> None:
            for number in range(1, 20):
                picture = Picture(
                    1.0, BOX, (60, 80), (noise,), noise, np.ones((6, 8), np.float32), 1.0
                )
                finding = dataclasses.replace(a_finding(number), picture=picture)
                with store.saving():
                    store.save_finding(run_id, finding)

        with pytest.raises(StoreError, match="the disk is full"):
            fill()
        assert a_finding(0).event in store.events(run_id)


def test_the_report_holds_everything_and_needs_nothing(store: Store):
    run_id = begin(store, a_finding(1, noun="<b>cat</b>"), a_finding(2, 20.0, "bicycle"))
    with store.saving():
        store.save_seconds(run_id, "a.mp4", {0: 0.5, 1: 3.0})
        store.save_gaps(run_id, "hall", [Gap(5, 2_000_005, "stalled", "no frame for 2 s")])
    facts = {"seconds": 2.0, "detector_seconds": 1.0, "analysed": 20}
    page = write_report(store, store.end_run(run_id, "stopped", facts)).read_text()
    assert "2 events that did not belong" in page
    assert "&lt;b&gt;cat&lt;/b&gt;" in page
    assert "<b>cat</b>" not in page
    assert page.count("data:image/jpeg;base64,") == 4
    assert page.count("data:image/png;base64,") == 2
    assert "stopped before the end" in page
    assert "no frame for 2 s" in page
    assert 'alt="frame at 0:02.0"' in page
    assert "10.0 frames/s" in page
    assert "http" not in page.replace("http-equiv", "")


def test_an_empty_run_has_a_report_too(store: Store):
    run_id = begin(store)
    page = write_report(store, store.end_run(run_id, "finished", {})).read_text()
    assert "Nothing unusual was found" in page


def test_events_are_written_a_line_each(tmp_path: Path):
    write_events(tmp_path, [a_finding(1).event, a_finding(2).event])
    lines = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [line["noun"] for line in lines] == ["cat", "cat"]
    assert lines[0]["box"] == [10.5, 5, 30, 25]
    assert lines[0]["candidates"] == [["cat", 0.5], ["dog", 0.25]]


def test_a_text_that_cannot_be_written_says_where(tmp_path: Path):
    with pytest.raises(StoreError, match=r"nowhere/report\.html: cannot be written: No such file"):
        write_text(tmp_path / "nowhere" / "report.html", "x")


def test_other_peoples_folders_are_left_alone(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("precious")
    for overwrite in (False, True):
        with pytest.raises(UsageError, match=r"holds files that are not Nomaly's \(thesis.txt"):
            claim_folder(tmp_path, overwrite=overwrite)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_overwriting_removes_only_what_a_run_wrote(tmp_path: Path):
    Store(tmp_path).close()
    (tmp_path / "annotated.mp4").write_text("video")
    (tmp_path / "notes.txt").write_text("mine")
    claim_folder(tmp_path, overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_is_no_output_folder(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="is a file; name a folder"):
        claim_folder(tmp_path / "file", overwrite=False)
    with pytest.raises(UsageError, match="cannot be written: Not a directory"):
        claim_folder(tmp_path / "file" / "below", overwrite=False)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.0"), (59.96, "1:00.0"), (75.25, "1:15.2"), (3600, "1:00:00"), (7325.9, "2:02:05")],
)
def test_times_read_well(seconds: float, text: str):
    assert clock(seconds) == text


def test_surprise_is_kept_and_told_only_where_it_is_known(store: Store):
    of_site, plain = a_finding(1, surprise_bits=11.25), a_finding(2)
    run_id = begin(store, of_site, plain)
    assert [event.surprise_bits for event in store.events(run_id)] == [11.25, None]
    assert [event.as_json().get("surprise_bits") for event in store.events(run_id)] == [11.25, None]
    page = write_report(store, store.end_run(run_id, "finished", {})).read_text()
    assert page.count("bits of surprise here") == 1
    assert "11.2 bits of surprise here" in page


def test_a_store_of_before_surprise_is_brought_up_to_date(tmp_path: Path):
    with Store(tmp_path) as opened:
        run_id = begin(opened, a_finding())
    with sqlite3.connect(tmp_path / STORE) as db:
        db.execute("ALTER TABLE event DROP COLUMN surprise_bits")
        db.execute("PRAGMA user_version=1")
    db.close()
    with Store(tmp_path) as opened:
        assert opened.events(run_id) == [a_finding().event]


def test_a_new_store_can_be_opened_by_many_at_once(tmp_path: Path):
    opened = Barrier(6)

    def open_one(folder: Path) -> Run | None:
        opened.wait()
        with Store(folder) as store:
            return store.last_run()

    with ThreadPoolExecutor(6) as threads:
        for number in range(10):
            runs = threads.map(open_one, [tmp_path / f"{number}"] * 6)
            assert [*runs] == [None] * 6
