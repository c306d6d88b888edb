"""systemd is told over a real socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.service.notify import Notifier


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        yield listening


def heard(systemd: socket.socket) -> str:
    return systemd.recv(4096).decode()


def test_what_systemd_hears(systemd: socket.socket):
    environment = {
        "NOTIFY_SOCKET": systemd.getsockname(),
        "WATCHDOG_USEC": "3000000",
        "WATCHDOG_PID": str(os.getpid()),
    }
    notifier = Notifier(environment)
    # Programs that are started from here would speak for us.
    assert environment == {}
    notifier.ready()
    notifier.status("2 cameras: 2 watching")
    notifier.status("2 cameras: 2 watching")
    notifier.alive()
    # Half of the time has not passed yet.
    notifier.alive()
    notifier.reloading()
    notifier.stopping()
    assert [heard(systemd) for _ in range(3)] == [
        "READY=1",
        "STATUS=2 cameras: 2 watching",
        "WATCHDOG=1",
    ]
    assert heard(systemd).startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert heard(systemd) == "STOPPING=1"


def test_an_address_in_no_folder_is_understood():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0nomaly-{os.getpid()}")
        listening.settimeout(10)
        Notifier({"NOTIFY_SOCKET": f"@nomaly-{os.getpid()}"}).ready()
        assert listening.recv(100) == b"READY=1"


def test_without_systemd_and_with_one_that_is_gone_nothing_happens(tmp_path: Path):
    for environment in ({}, {"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "9"}):
        notifier = Notifier(environment)
        notifier.ready()
        notifier.alive()


def test_the_watchdog_of_another_process_is_not_ours(systemd: socket.socket):
    notifier = Notifier(
        {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
    )
    notifier.alive()
    notifier.stopping()
    assert heard(systemd) == "STOPPING=1"
