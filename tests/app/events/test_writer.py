"""A writer beside its caller: order, faults, and nothing told before it is final."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import StoreError
from app.events.backlog import MOST_PICTURED
from app.events.reading import snapshot
from app.events.store import Changes, Store
from app.events.writer import MOST_WAITING, Patience, Writer
from tests.app.events.findings import a_finding, begin, changes
from tests.locked_store import locked
from tests.small_disk import full


def writer_for(folder: Path, saved: Callable[[Changes], None]) -> tuple[Writer, int]:
    with Store(folder) as store:
        run_id = begin(store)
    return Writer(lambda: Store(folder), saved), run_id


def test_events_are_told_in_order_and_only_once_they_are_final(tmp_path: Path):
    told: list[tuple[str, bool]] = []

    def tell(saved: Changes) -> None:
        with Store(tmp_path) as reader:
            stored = {event.id for event in reader.events(run_id)}
        told.extend((one.event.id, one.event.id in stored) for one in saved.findings)
        assert threading.current_thread() is not threading.main_thread()

    writer, run_id = writer_for(tmp_path, tell)
    numbers = range(2 * MOST_WAITING)
    for number in numbers:
        writer.save(run_id, changes(a_finding(number)))
    writer.flush()
    assert told == [(a_finding(number).event.id, True) for number in numbers]
    writer.close()


def test_a_caller_that_is_faster_than_the_disk_waits(tmp_path: Path):
    may_go_on, begun = threading.Event(), threading.Event()

    def tell(_: Changes) -> None:
        begun.set()
        assert may_go_on.wait(60)

    writer, run_id = writer_for(tmp_path, tell)
    handed = 0

    def hand_over() -> None:
        nonlocal handed
        for number in range(2 * MOST_WAITING):
            writer.save(run_id, changes(a_finding(number)))
            handed += 1

    caller = threading.Thread(target=hand_over)
    caller.start()
    assert begun.wait(60)
    caller.join(0.5)
    assert handed <= MOST_WAITING
    may_go_on.set()
    caller.join()
    writer.flush()
    writer.close()
    with Store(tmp_path) as store:
        assert len(store.events(run_id)) == 2 * MOST_WAITING


QUICK = Patience(retry_s=0.02, hurry_s=0.02, end_s=60.0)


class Story:
    """What a writer told and said, and a store that can be disturbed."""

    def __init__(self, folder: Path, patience: Patience = QUICK) -> None:
        self.folder = folder
        self.told: list[str] = []
        self.said: list[str] = []
        with Store(folder) as store:
            self.run_id = begin(store)
        self.writer = Writer(
            lambda: Store(folder, wait_s=0.01),
            lambda saved: self.told.extend(one.event.id for one in saved.findings),
            self.said.append,
            patience,
        )

    def save(self, *numbers: int) -> None:
        for number in numbers:
            self.writer.save(self.run_id, changes(a_finding(number), peaks={number: 1.0}))

    def wait_until_said(self, count: int) -> None:
        until = time.monotonic() + 60
        while len(self.said) < count:
            assert time.monotonic() < until, self.said
            time.sleep(0.01)

    def stored(self) -> tuple[list[str], list[str]]:
        """The ids of all events, and of those with pictures."""
        with snapshot(self.folder) as store:
            ids = [event.id for event in store.events(self.run_id)]
        return ids, sorted(path.stem for path in (self.folder / "crops").iterdir())

    def notes(self) -> list[str]:
        with snapshot(self.folder) as store:
            return [note.text for note in store.notes(self.run_id)]


def ids_of(*numbers: int) -> list[str]:
    return [a_finding(number).event.id for number in numbers]


def test_events_are_told_without_pictures_that_cannot_be_written_and_those_follow(tmp_path: Path):
    story = Story(tmp_path)
    # The first of the pictures to be written.
    snapshots, aside = tmp_path / "snapshots", tmp_path / "away"
    snapshots.rename(aside)
    story.save(1, 2)
    story.wait_until_said(1)
    story.save(3)
    while len(story.told) < 3:
        time.sleep(0.01)
    assert story.stored() == (ids_of(1, 2, 3), [])
    aside.rename(snapshots)
    assert story.writer.flush() == []
    assert story.stored() == (ids_of(1, 2, 3), ids_of(1, 2, 3))
    assert story.told == ids_of(1, 2, 3)
    first, last = story.said
    assert "snapshots/" in first
    assert first.endswith("events are told all the same, their pictures wait in memory")
    assert last == f"{tmp_path}: can be written again; all of it is stored by now"
    (note,) = story.notes()
    assert "no pictures could be stored" in note
    assert story.writer.complaint == ""
    story.writer.close()


def test_a_store_that_is_locked_for_long_stops_nobody_and_loses_nothing_but_pictures(
    tmp_path: Path,
):
    story = Story(tmp_path)
    numbers = range(1, 3 * MOST_PICTURED)
    with locked(tmp_path):
        story.save(*numbers)
        story.wait_until_said(1)
        story.save(*(number + 100 for number in numbers))
        assert story.told == []
    assert story.writer.flush() == []
    everything = ids_of(*numbers, *(number + 100 for number in numbers))
    assert story.told == everything
    ids, pictured = story.stored()
    assert ids == everything
    # Of what waited at once, the newest kept their pictures.
    assert set(ids_of(*(number + 100 for number in numbers))[-MOST_PICTURED:]) <= set(pictured)
    dropped = len(set(ids) - set(pictured))
    assert dropped >= len(ids) - 2 * MOST_PICTURED
    with Store(tmp_path) as store:
        assert len(store.seconds(story.run_id, "a.mp4")) == len(ids)
    assert "database is locked; what is seen waits in memory" in story.said[0]
    assert story.said[1:] == [
        f"{tmp_path}: can be written again; the pictures of {dropped} events are lost"
    ]
    (note,) = story.notes()
    assert "nothing could be stored" in note
    story.writer.close()


def test_a_full_disk_is_outlived(small_disk: Path):
    story = Story(small_disk)
    with closing(story.writer):
        with full(small_disk):
            story.save(*range(6))
            story.wait_until_said(1)
            assert "the disk is full" in story.said[0]
        assert story.writer.flush() == []
    assert story.told == ids_of(*range(6))
    assert story.stored()[0] == ids_of(*range(6))


def test_what_could_not_be_stored_up_to_the_end_is_given_back(tmp_path: Path):
    story = Story(tmp_path, replace(QUICK, end_s=0.2))
    with locked(tmp_path):
        story.save(1, 2)
        left = story.writer.flush()
        assert [one.event.id for one in left] == ids_of(1, 2)
        assert story.writer.complaint.endswith("database is locked; not stored: 2 events")
        story.writer.close()
    assert story.told == []


def test_a_fault_of_ours_is_not_taken_for_one_of_the_disk(tmp_path: Path):
    def tell(_: Changes) -> None:
        raise ZeroDivisionError

    writer, run_id = writer_for(tmp_path, tell)
    writer.save(run_id, changes(a_finding(1)))
    with pytest.raises(ZeroDivisionError):
        writer.flush()
    writer.close()


def test_what_waits_is_saved_when_it_is_closed(tmp_path: Path):
    writer, run_id = writer_for(tmp_path, lambda _: None)
    for number in range(5):
        writer.save(run_id, changes(a_finding(number)))
    writer.close()
    with Store(tmp_path) as store:
        assert len(store.events(run_id)) == 5


def test_a_store_that_cannot_be_opened_is_said_at_once(tmp_path: Path):
    (tmp_path / "events.sqlite").write_bytes(b"hello " * 1000)
    with pytest.raises(StoreError, match="file is not a database"):
        Writer(lambda: Store(tmp_path), lambda _: None)
