"""What a site needs of the machine: each fault told with its remedy."""

import os
import socket
import time
from pathlib import Path

import pytest

from app.checkup import machine
from app.checkup.machine import (
    examine_clock,
    examine_folder,
    examine_memory,
    examine_port,
    watched_by,
)
from app.doctor import Finding
from app.events.lock import locked
from app.service.config import Page


def told(*findings: Finding) -> list[tuple[str, str]]:
    for finding in findings:
        assert finding.detail
        assert finding.remedy or finding.state == "ok"
    return [(finding.name, finding.state) for finding in findings]


def test_a_folder_that_can_be_written_is_told_with_its_room_and_speed(tmp_path: Path):
    found = list(examine_folder(tmp_path / "not" / "yet"))
    assert told(*found) == [("results", "ok"), ("disk", "ok")]
    assert "GiB free" in found[0].detail
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_and_a_slow_disk_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (found,) = examine_folder(Path("/proc/results"))
    assert told(found) == [("results", "fault")]
    assert "cannot be written" in found.detail
    monkeypatch.setattr(machine, "SLOW_FSYNC_S", 0.0)
    assert told(*examine_folder(tmp_path))[1] == ("disk", "warning")


def test_a_clock_that_was_set_back_is_known_by_what_was_written_before(tmp_path: Path):
    assert told(*examine_clock(tmp_path)) == [("clock", "ok")]
    store = tmp_path / "hall" / "events.sqlite"
    store.parent.mkdir()
    store.touch()
    later_s = time.time_ns() / 1e9 + 3600
    os.utime(store, (later_s, later_s))
    (found,) = examine_clock(tmp_path)
    assert told(found) == [("clock", "warning")]
    assert "it was set back" in found.remedy


def test_a_port_that_another_program_has_is_told_unless_the_site_is_watched():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        page = Page(port=other.getsockname()[1])
        assert told(*examine_port(page, watched=False)) == [("page", "fault")]
        assert told(*examine_port(page, watched=True)) == [("page", "ok")]
    assert told(*examine_port(page, watched=False)) == [("page", "ok")]
    assert list(examine_port(None, watched=False)) == []


def test_a_page_for_others_without_a_password_and_a_foreign_address_are_told(
    monkeypatch: pytest.MonkeyPatch,
):
    for name in ("NOMALY_TOKEN", "NOMALY_PASSWORD_HASH"):
        monkeypatch.delenv(name, raising=False)
    (found,) = examine_port(Page(host="0.0.0.0", port=8123), watched=False)  # noqa: S104
    assert told(found) == [("page", "fault")]
    assert "nothing keeps them out" in found.detail
    page = Page(host="192.0.2.77", token="canary-token-0123456789")  # noqa: S106
    (found,) = examine_port(page, watched=False)
    assert "cannot be listened on" in found.detail
    assert "canary" not in f"{found}"


def test_memory_for_too_many_cameras_is_told(monkeypatch: pytest.MonkeyPatch):
    for free_mb, state in ((1500, "fault"), (2500, "warning"), (9000, "ok")):
        monkeypatch.setattr(machine, "available_mb", lambda free_mb=free_mb: free_mb)
        (found,) = examine_memory(4, watched=False)
        assert (found.state, f"{free_mb} MB" in found.detail) == (state, True)
    monkeypatch.setattr(machine, "available_mb", lambda: 100)
    assert told(*examine_memory(4, watched=True)) == [("memory of the site", "ok")]


def test_a_site_that_is_being_watched_is_known_by_its_process(tmp_path: Path):
    assert watched_by(tmp_path) is None
    with locked(tmp_path):
        assert watched_by(tmp_path) == os.getpid()
    assert watched_by(tmp_path) is None
    (tmp_path / ".nomaly-process").write_text("4194304999")
    assert watched_by(tmp_path) is None
