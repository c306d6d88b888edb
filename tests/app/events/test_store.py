"""A real SQLite file, real pictures, and faults of the disk."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from PIL import Image

from app.errors import PicturesError, StoreError
from app.events.event import Lasting, Part
from app.events.media import pictures_of
from app.events.schema import STORE
from app.events.store import Run, Store
from app.report.page import write_report
from app.sources.base import Gap
from detectors.types import Box
from tests.app.events.findings import (
    ARRIVED,
    BOX,
    RED,
    a_camera_finding,
    a_finding,
    begin,
    changes,
    picture_of,
    pictures,
    seen_later,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


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


def test_going_back_drops_later_events_with_their_pictures(store: Store):
    early, late = a_finding(1, 1.0), a_finding(2, 9.0)
    run_id = begin(store, early, late)
    with store.saving():
        store.go_back(run_id, "a.mp4", 5.0)
    assert store.events(run_id) == [early.event]
    assert not store.media("crops", late.event).exists()
    assert store.media("crops", early.event).exists()


def test_what_is_saved_together_is_lost_together(store: Store):
    run_id = begin(store)

    finding = a_finding()
    twice = replace(finding, path=(*finding.path, finding.path[0]))
    with pytest.raises(StoreError, match="UNIQUE constraint failed"):
        store.save(run_id, changes(a_finding(1), twice, peaks={0: 1.0}))
    assert store.events(run_id) == []
    assert store.seconds(run_id, "a.mp4") == []
    assert pictures(store) == []


def test_a_store_is_read_while_it_is_written(store: Store, tmp_path: Path):
    run_id = begin(store, a_finding(1))
    with Store(tmp_path) as reader:
        with store.saving():
            store.go_back(run_id, "a.mp4", 0.0)
            assert len(reader.events(run_id)) == 1
        assert len(reader.events(run_id)) == 0


def test_runs_and_gaps_and_seconds(store: Store):
    run_id = begin(store)
    store.save(run_id, changes(peaks={0: 0.5, 1: 2.0}, gaps=[Gap(5, None, "stalled")]))
    assert [gap["end_us"] for gap in store.gaps(run_id)] == [None]
    store.save(run_id, changes(peaks={1: 1.0, 2: 0.25}, gaps=[Gap(5, 9, "stalled")]))
    assert store.seconds(run_id, "a.mp4") == [(0, 0.5), (1, 2.0), (2, 0.25)]
    assert [gap["end_us"] for gap in store.gaps(run_id)] == [9]
    ended = store.end_run(run_id, "finished", {"seconds": 2.0})
    assert (ended.state, ended.facts, ended.settings) == (
        "finished",
        {"seconds": 2.0},
        {"fps": 5},
    )


def test_two_gaps_of_one_moment_do_not_overwrite_each_other(store: Store):
    run_id = begin(store)
    size, ended = Gap(5, None, "size", "pictures of 64x48"), Gap(5, None, "ended", "no stream")
    store.save(run_id, changes(gaps=[size, ended]))
    store.save(run_id, changes(gaps=[replace(size, end_us=9), replace(ended, end_us=7)]))
    assert [(gap["reason"], gap["end_us"], gap["detail"]) for gap in store.gaps(run_id)] == [
        ("ended", 7, "no stream"),
        ("size", 9, "pictures of 64x48"),
    ]


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
                picture = replace(picture_of(a_finding()), crops=(noise,), snapshot=noise)
                store.save(run_id, changes(replace(a_finding(number), picture=picture)))

        with pytest.raises(StoreError, match="the disk is full"):
            fill()
        stored = store.events(run_id)
        assert a_finding(0).event in stored
        shown = {store.media(kind, event) for event in stored for kind in ARRIVED}
        assert {*pictures(store)} == shown


def test_surprise_is_kept_and_told_only_where_it_is_known(store: Store):
    of_site, plain = a_finding(1, surprise_bits=11.25), a_finding(2)
    run_id = begin(store, of_site, plain)
    assert [event.surprise_bits for event in store.events(run_id)] == [11.25, None]
    assert [event.as_json().get("surprise_bits") for event in store.events(run_id)] == [11.25, None]
    page = write_report(store, store.end_run(run_id, "finished", {})).read_text()
    assert page.count("11.2 bits</span>") == page.count("bits</span>") == 1


def test_a_fault_of_the_camera_is_kept_and_told_by_its_name(store: Store):
    thing, fault = a_finding(1), a_camera_finding(2)
    run_id = begin(store, thing, fault)
    assert store.events(run_id) == [thing.event, fault.event]
    told = [event.as_json() for event in store.events(run_id)]
    assert [(one["kind"], one.get("name"), one["noun"]) for one in told] == [
        ("object", None, "cat"),
        ("camera", "black picture", ""),
    ]
    assert [path.parent.name for path in pictures(store)] == ["crops", "heat"] + 2 * ["snapshots"]
    page = write_report(store, store.end_run(run_id, "finished", {})).read_text()
    assert page.count("black picture</h3>") == 1
    assert page.count("data:image/webp;base64,") == 4


def test_parts_are_kept_with_the_picture_that_shows_them(store: Store):
    parts = (Part(Box(10.25, 5, 18, 25), 0.9), Part(Box(20, 6, 30, 25), 0.8))
    plain = a_finding()
    apart = replace(plain, event=replace(plain.event, people=2, parts=parts))
    run_id = begin(store, apart)
    assert store.events(run_id) == [apart.event]
    # One that brings no picture leaves those of before, with the parts in it.
    later = seen_later(plain)
    store.save(run_id, changes(replace(later, picture=None)))
    (event,) = store.events(run_id)
    assert (event.snapshot_s, event.parts) == (apart.event.snapshot_s, parts)
    store.add_pictures([later])
    (event,) = store.events(run_id)
    assert (event.snapshot_s, event.parts) == (later.event.snapshot_s, ())
    both = replace(later, event=replace(later.event, parts=parts))
    for picture in pictures(store):
        picture.unlink()
    store.add_pictures([both])
    assert [event.parts for event in store.events(run_id)] == [parts]


def test_what_has_happened_is_kept_with_the_place_as_it_was_learned(store: Store):
    arrived = a_finding(1)
    picture = replace(picture_of(arrived), before=(RED,))
    arrived = replace(arrived, picture=picture)
    run_id = begin(store, replace(arrived, event=replace(arrived.event, state="opened")))
    assert not store.media("before", arrived.event).exists()
    # At its end it is known better, by the same picture.
    missing = replace(arrived, event=replace(arrived.event, change="missing"))
    moved = a_finding(2)
    where = Box(1.5, 2, 3, 4)
    moved = replace(moved, event=replace(moved.event, change="moved", moved_from=where))
    store.save(run_id, changes(missing, moved))
    assert store.events(run_id) == [missing.event, moved.event]
    with Image.open(store.media("before", missing.event)) as before:
        assert before.size == (16, 24)
    told = [event.as_json() for event in store.events(run_id)]
    assert [(one["change"], one.get("moved_from")) for one in told] == [
        ("missing", None),
        ("moved", [1.5, 2, 3, 4]),
    ]
    assert [one["headline"] for one in told] == [
        "missing: something unnamed",
        "moved: something unnamed",
    ]
    page = write_report(store, store.end_run(run_id, "finished", {})).read_text()
    assert page.count('class="was"') == 1


def test_what_refers_to_an_event_outlives_its_update(store: Store):
    finding = a_finding(noun="cat")
    run_id = begin(store, finding)
    # As feedback or a delivery will.
    with closing(sqlite3.connect(store.folder / STORE)) as db, db:
        db.execute("CREATE TABLE said(event_id TEXT REFERENCES event(id) ON DELETE CASCADE)")
        db.execute("INSERT INTO said VALUES (?)", (finding.event.id,))
    grown = replace(
        finding,
        event=replace(finding.event, candidates=(("lion", 0.9),), end_s=4.0, frames=12),
        path=(*finding.path, (4.0, BOX, 1.5)),
    )
    store.save(run_id, changes(grown))
    assert store.events(run_id) == [grown.event]
    assert tuple(store.sightings(finding.event.id)) == grown.path
    with closing(sqlite3.connect(store.folder / STORE)) as db:
        assert db.execute("SELECT * FROM said").fetchall() == [(finding.event.id,)]


def test_a_path_that_was_thinned_out_is_kept_as_it_is_now(store: Store):
    finding = a_finding()
    run_id = begin(store, finding)
    thinned = replace(finding, path=(finding.path[0], (9.0, BOX, 1.5)))
    store.save(run_id, changes(thinned))
    assert tuple(store.sightings(finding.event.id)) == thinned.path


def test_how_far_an_open_event_has_come_is_kept(store: Store):
    opened = replace(a_finding(1), event=replace(a_finding(1).event, state="opened"))
    closed = a_finding(2)
    run_id = begin(store, opened, closed)
    further = [Lasting(one.event.id, 60.0, 61_000_000, 3.5, 300) for one in (opened, closed)]
    store.save(run_id, replace(changes(), lasting=further))
    further_on = replace(opened.event, end_s=60.0, end_us=61_000_000, score=3.5, frames=300)
    assert store.events(run_id) == [further_on, closed.event]
    _, (left,) = store.go_on(run_id)
    assert left == replace(further_on, state="closed", cut=True)


def test_sightings_of_events_that_last_are_kept_as_they_come(store: Store):
    opened = replace(a_finding(1), event=replace(a_finding(1).event, state="opened"))
    closed = a_finding(2)
    run_id = begin(store, opened, closed)
    known = len(store.sightings(opened.event.id))
    later = tuple((60 + n / 5, BOX, 2.0) for n in range(3))

    def last(*ids: str, path: tuple[tuple[float, Box, float], ...], thinned: bool = False) -> None:
        lasting = [Lasting(one, 61.0, 62_000_000, 3.5, 300, path, thinned) for one in ids]
        store.save(run_id, replace(changes(), lasting=lasting))

    # Neither one that has ended nor one that has not been told yet.
    last(opened.event.id, closed.event.id, "not-told-yet", path=later[:2])
    last(opened.event.id, path=later[2:])
    assert store.sightings(opened.event.id)[known:] == [*later]
    assert store.sightings(closed.event.id) == list(closed.path)
    assert store.sightings("not-told-yet") == []
    last(opened.event.id, path=later[::2], thinned=True)
    assert store.sightings(opened.event.id) == [*later[::2]]


def test_a_newer_picture_takes_the_place_of_the_older_one(store: Store):
    run_id = begin(store, a_finding())
    before = pictures(store)
    later = seen_later(a_finding())
    store.save(run_id, changes(replace(later, picture=replace(picture_of(later), crops=(RED,)))))
    (event,) = store.events(run_id)
    assert pictures(store) == sorted(store.media(kind, event) for kind in ARRIVED) == before
    with Image.open(store.media("crops", event)) as crop:
        assert crop.size == (16, 24)


def test_an_update_that_fails_leaves_the_picture_that_the_event_speaks_of(store: Store):
    run_id = begin(store, a_finding())
    before = {path: path.read_bytes() for path in pictures(store)}
    later = seen_later(a_finding())
    later = replace(later, picture=replace(picture_of(later), crops=(RED,)))
    broken = replace(later, path=(*later.path, (9.0, BOX, 1.0), (9.0, BOX, 1.0)))
    with pytest.raises(StoreError, match="UNIQUE constraint failed"):
        store.save(run_id, changes(broken))
    assert {path: path.read_bytes() for path in pictures(store)} == before
    assert {store.media(kind, a_finding().event) for kind in ARRIVED} == {*before}


def test_a_kill_right_behind_the_commit_leaves_the_newer_picture(store: Store, tmp_path: Path):
    run_id = begin(store, a_finding())
    later = seen_later(a_finding())
    later = replace(later, picture=replace(picture_of(later), crops=(RED,)))
    crops = store.folder / "crops"
    older = (crops / f"{later.event.id}.jpg").read_bytes()
    store.save(run_id, changes(later))
    # As it is before the picture takes its place.
    (crops / f"{later.event.id}.jpg").rename(crops / f"{later.event.id}-3000.jpg")
    (crops / f"{later.event.id}.jpg").write_bytes(older)
    for _ in range(2):
        (event,) = store.events(run_id)
        with Image.open(store.media("crops", event)) as crop:
            assert crop.size == (16, 24)
        store.go_on(run_id)
    assert len(pictures(store)) == 3


def test_pictures_that_a_kill_left_are_swept_up(store: Store):
    run_id = begin(store, a_finding())
    kept = pictures(store)
    # A kill between the pictures and the commit, and one in the middle of a picture.
    with pytest.raises(KeyboardInterrupt), pictures_of(store.folder, [seen_later(a_finding())]):
        raise KeyboardInterrupt
    (store.folder / "crops" / "half.part.jpg").write_bytes(b"x")
    assert len(pictures(store)) == 7
    store.go_on(run_id)
    assert pictures(store) == kept
    assert store.events(run_id) == [a_finding().event]


def test_vectors_come_back_beside_their_events(tmp_path: Path):
    numbers = np.random.default_rng(0).standard_normal((3, 512)).astype(np.float32)
    units = numbers / np.linalg.norm(numbers, axis=1, keepdims=True)
    first, second, other = (
        replace(a_finding(n, start_s=9.0 - n), vector=unit) for n, unit in enumerate(units)
    )
    with Store(tmp_path) as store:
        run_id = begin(store, a_finding(7))
        for findings, embedder in (
            ((first, second), "openclip:a"),
            ((other,), "starter"),
            ((replace(first, vector=units[2]),), "openclip:a"),
        ):
            store.save(run_id, replace(changes(*findings), embedder=embedder))
        ids, read = store.vectors("openclip:a")
        assert ids == [second.event.id, first.event.id]
        assert read.dtype == np.float32
        # Cosines: rounding to float16 must not show in any search.
        assert (read * units[[1, 2]]).sum(1) == pytest.approx([1, 1], abs=1e-5)
        assert store.vectors("starter")[0] == [other.event.id]
        assert store.vectors("nobody's")[1].shape == (0, 0)


def test_messages_wait_for_each_sink_until_it_has_taken_them(tmp_path: Path):
    with Store(tmp_path, sinks=("a", "b")) as store:
        run_id = begin(store, a_finding(1), a_finding(2))
        with pytest.raises(StoreError, match="UNIQUE"):
            store.save(run_id, changes(replace(a_finding(3), path=((1.0, BOX, 1.0),) * 2)))
        first, second = store.outbox.waiting("a", 10)
        assert first.body == {"event": "closed", "rings": True, **a_finding(1).event.as_json()}
        assert second.body["id"] == a_finding(2).event.id
        assert first.number < second.number
        store.outbox.refused(first, "nobody there")
        assert [m.attempts for m in store.outbox.waiting("a", 10)] == [1, 0]
        store.outbox.taken(first)
    with Store(tmp_path) as store:
        assert store.outbox.waiting("a", 10) == [second]
        assert store.outbox.count("b") == 2
        # Nobody is to be told: nothing is left for anybody.
        begin(store, a_finding(4))
        assert store.outbox.count("b") == 2


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT * FROM event WHERE camera = 'a' AND start_us > 5", "event_by_camera"),
        ("SELECT * FROM event WHERE start_us > 5 ORDER BY start_us", "event_by_time"),
        (
            "SELECT event.* FROM candidate JOIN event ON id = event_id WHERE noun = 'cat'",
            "candidate_by_noun",
        ),
    ],
)
def test_questions_across_runs_have_an_index(store: Store, query: str, index: str):
    begin(store, a_finding())
    with closing(sqlite3.connect(store.folder / STORE)) as db:
        plan = " ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {query}"))
    assert index in plan
    assert "SCAN" not in plan


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


def shown_of(store: Store, run_id: int) -> tuple[float, Path]:
    """When the picture of the only event was taken, and where it lies."""
    (event,) = store.events(run_id)
    return event.snapshot_s, store.media("snapshots", event)


def test_an_event_is_kept_without_its_pictures_if_they_cannot_be_written(store: Store):
    run_id = begin(store)
    snapshots, aside = store.folder / "snapshots", store.folder / "aside"
    snapshots.rename(aside)
    with pytest.raises(PicturesError, match=r"snapshots/.*: cannot be written: No such file"):
        store.save(run_id, changes(a_finding()))
    assert store.events(run_id) == []
    store.save(run_id, changes(replace(a_finding(), picture=None)))
    aside.rename(snapshots)
    assert store.events(run_id) == [a_finding().event]
    assert pictures(store) == []
    store.add_pictures([a_finding()])
    assert store.events(run_id) == [a_finding().event]
    assert len(pictures(store)) == len(ARRIVED)


def test_without_newer_pictures_an_event_speaks_of_those_that_it_has(store: Store):
    run_id = begin(store, a_finding())
    later = seen_later(a_finding())
    store.save(run_id, changes(replace(later, picture=None)))
    assert shown_of(store, run_id) == (a_finding().event.snapshot_s, pictures(store)[-1])
    store.add_pictures([later])
    assert shown_of(store, run_id)[0] == later.event.snapshot_s
    # What is older by now, or of an event that is not known, is left out.
    store.add_pictures([a_finding(), a_finding(2)])
    assert shown_of(store, run_id)[0] == later.event.snapshot_s
    assert len(pictures(store)) == len(ARRIVED)
