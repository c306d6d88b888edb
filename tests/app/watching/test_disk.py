"""That the disk is full is told once, and once that it no longer is."""

from dataclasses import replace

from app.watching.disk import DISK_FULL, READ_ONLY, DiskTold
from tests.app.builders import a_frame

SAID = "Less than 500 MB are free."


def test_it_rings_once_and_ends_once():
    disk = DiskTold()
    assert disk.findings("", a_frame(0)) == []
    (opened,) = disk.findings(SAID, a_frame(1))
    assert (opened.event.name, opened.event.said, opened.event.rings) == (DISK_FULL, SAID, True)
    assert disk.findings("Others words.", a_frame(2)) == []
    (closed,) = disk.findings("", a_frame(3))
    assert (closed.event.id, closed.event.state) == (opened.event.id, "closed")
    assert (closed.event.end_s, closed.event.rings) == (3.0, False)
    assert disk.findings("", a_frame(4)) == []


def test_a_read_only_disk_has_a_name_of_its_own():
    said = "events.sqlite: cannot be used: attempt to write a readonly database"
    (opened,) = DiskTold().findings(said, a_frame(1))
    assert opened.event.name == READ_ONLY


def test_nothing_is_told_before_the_first_frame():
    disk = DiskTold()
    assert disk.findings(SAID, None) == []
    assert len(disk.findings(SAID, a_frame(1))) == 1


def test_a_watch_that_goes_on_does_not_ring_again():
    disk = DiskTold()
    (opened,) = disk.findings(SAID, a_frame(1))
    assert disk.last(goes_on=True) == []
    again = DiskTold(opened.event)
    assert again.findings(SAID, a_frame(9)) == []
    (closed,) = again.findings("", a_frame(10))
    assert closed.event.id == opened.event.id
    over = DiskTold(replace(opened.event))
    assert over.findings(SAID, a_frame(9)) == []
    (cut,) = over.last(goes_on=False)
    assert (cut.event.state, cut.event.cut) == ("closed", True)
