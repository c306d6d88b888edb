"""A writer beside its caller: order, faults, and nothing told before it is final."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import StoreError
from app.events.store import Changes, Store
from app.events.writer import MOST_WAITING, Writer
from tests.app.events.findings import a_finding, begin, changes


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


def test_a_fault_reaches_the_caller_and_nothing_is_lost_or_told_twice(tmp_path: Path):
    told: list[str] = []
    writer, run_id = writer_for(
        tmp_path, lambda saved: told.extend(one.event.id for one in saved.findings)
    )
    crops = tmp_path / "crops"
    crops.rename(tmp_path / "away")
    writer.save(run_id, changes(a_finding(1)))
    with pytest.raises(StoreError, match=r"crops/.*: cannot be written: No such file"):
        writer.flush()
    assert told == []
    (tmp_path / "away").rename(crops)
    writer.save(run_id, changes(a_finding(2)))
    writer.flush()
    assert told == [a_finding(1).event.id, a_finding(2).event.id]
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
