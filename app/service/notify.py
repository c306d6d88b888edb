"""What systemd is told of a service: that it is ready, how it does, and that it is alive.

As sd_notify(3): lines in one datagram to the socket whose address is in NOTIFY_SOCKET.
"""

import os
import socket
import time
from collections.abc import MutableMapping
from contextlib import suppress

_PATIENCE_S = 0.5


class Notifier:
    """Tells systemd, if it asked to be told."""

    def __init__(self, environment: MutableMapping[str, str] | None = None) -> None:
        """Take the socket's address out of the environment, which programs started here inherit.

        Args:
            environment: By default this process's.
        """
        found = os.environ if environment is None else environment
        address = found.pop("NOTIFY_SOCKET", "")
        # A name behind @ is one of Linux's that is in no folder.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        watchdog_us = found.pop("WATCHDOG_USEC", "")
        ours = found.pop("WATCHDOG_PID", "") in ("", str(os.getpid()))
        self._beat_s = int(watchdog_us) / 2e6 if ours and watchdog_us.isdecimal() else None
        self._beaten_s = -1.0
        self._status = ""

    def ready(self) -> None:
        """Say that cameras are being watched, at the start or again."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Say how it does, if that is news."""
        if text != self._status:
            self._status = text
            self._send(f"STATUS={' '.join(text.split())}")

    def alive(self) -> None:
        """Say that all goes on, twice in the time after which systemd would restart it."""
        now_s = time.monotonic()
        if self._beat_s is not None and now_s - self._beaten_s >= self._beat_s:
            self._beaten_s = now_s
            self._send("WATCHDOG=1")

    def reloading(self) -> None:
        """Say that the settings are read again; `ready` says that this is over."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that it ends."""
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        # Whoever does not listen any more misses nothing that he could be told otherwise.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as outlet:
            # systemd reads at once, unless the whole machine is stuck.
            outlet.settimeout(_PATIENCE_S)
            outlet.sendto(text.encode(), self._address)
