"""Room on a disk that is nearly full, full, or read-only: the oldest pictures go, events stay."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.errors import PicturesError, StoreError
from app.events.keep import keep
from app.events.media_files import media_files
from app.events.room import Room
from app.events.store import Changes, Store
from app.events.writer import Patience, Writer
from tests.app.events.findings import a_finding, begin, changes, picture_of
from tests.small_disk import disk_of, full

AHEAD = 4_400_000
"""Bytes that the database writes ahead at most."""
NOISE = np.random.default_rng(0).integers(0, 256, (500, 700, 3)).astype(np.uint8)
"""A picture of some 300 kB."""
QUICK = Patience(retry_s=0.02, hurry_s=0.02, end_s=8.0)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with disk_of(tmp_path / "disk", "24m") as folder:
        yield folder


class Story:
    """A writer on a disk of which some is to be left free."""

    def __init__(self, folder: Path, spare: int = 0) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.told: list[str] = []
        with Store(folder) as store:
            self.run_id = begin(store)
        self.floor = shutil.disk_usage(folder).free - spare
        self.room = Room(folder, self.floor if spare else None)
        self.writer = Writer(
            lambda: Store(folder, wait_s=0.01), self._saved, self.said.append, QUICK, self.room
        )

    def _saved(self, saved: Changes) -> None:
        self.told.extend(one.event.id for one in saved.findings)

    def save(self, *numbers: int) -> None:
        for number in numbers:
            picture = replace(picture_of(a_finding()), snapshot=NOISE)
            finding = replace(a_finding(number), picture=picture)
            self.writer.save(self.run_id, changes(finding))

    def wait_until_said(self) -> None:
        until = time.monotonic() + 10
        while not self.said:
            assert time.monotonic() < until
            time.sleep(0.01)

    def stored(self) -> list[str]:
        with Store(self.folder) as store:
            return [event.id for event in store.events(self.run_id)]


def ids_of(*numbers: int) -> list[str]:
    return [a_finding(number).event.id for number in numbers]


def pictured(folder: Path) -> set[str]:
    return {one.event_id for one in media_files(folder) if one.kind == "snapshots"}


def test_the_oldest_pictures_go_below_the_floor_and_every_event_stays(disk: Path):
    story = Story(disk, spare=AHEAD + 3_000_000)
    with closing(story.writer):
        story.save(0)
        assert story.writer.flush() == []
        assert story.writer.disk_fault == ""
        keep(disk, ids_of(0))
        story.save(*range(1, 30))
        assert story.writer.flush() == []
        assert "the oldest pictures are given up" in story.writer.disk_fault
        assert story.stored() == story.told == ids_of(*range(30))
        # What is kept is never given up, and the newest have their pictures.
        shown = pictured(disk)
        assert {*ids_of(0, 29)} <= shown
        assert not {*ids_of(1)} & shown
    assert story.said == []


def test_where_nothing_can_be_given_up_events_are_kept_without_pictures(disk: Path):
    story = Story(disk, spare=2_000_000)
    with closing(story.writer):
        (disk / "others").write_bytes(bytes(4_000_000))
        story.save(1, 2)
        story.wait_until_said()
        assert "the disk is full but for less than" in story.said[0]
        assert "the disk is full" in story.writer.disk_fault
        while len(story.told) < 2:
            time.sleep(0.01)
        assert (story.stored(), pictured(disk)) == (ids_of(1, 2), set())
        (disk / "others").unlink()
        assert story.writer.flush() == []
        assert pictured(disk) == {*ids_of(1, 2)}


def test_a_disk_that_is_full_in_the_middle_loses_no_event(disk: Path):
    story = Story(disk)
    with closing(story.writer):
        story.save(1)
        assert story.writer.flush() == []
        with full(disk):
            story.save(2, 3)
            story.wait_until_said()
            assert "the disk is full" in story.writer.disk_fault
        assert story.writer.flush() == []
    assert story.stored() == story.told == ids_of(*range(1, 4))


def test_a_read_only_disk_is_said(disk: Path):
    with Store(disk) as store:
        begin(store)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(StoreError, match=r"readonly|unable to open"), Store(disk) as store:
        store.begin_run("watch", {})


def test_room_that_somebody_made_ends_it(disk: Path):
    folder = disk
    with Store(folder) as store:
        begin(store, replace(a_finding(1)))
    room = Room(folder, 2 * shutil.disk_usage(folder).total)
    with pytest.raises(PicturesError, match="no older pictures to give up"):
        room.make(lambda: ids_of(1))
    assert "given up" in room.said
    free = Room(folder, 0)
    free.said = room.said
    free.make(list)
    assert free.said == ""
