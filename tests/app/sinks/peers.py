"""The other side of every sink: what arrived there, and how it goes away and comes back.

Whoever adds a sink adds its peer to `PEERS`; without it the contract test fails.
"""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from app.sinks.build import AnySink
from app.sinks.command import CommandConfig
from app.sinks.jsonl import JsonlConfig
from novic.append_log import AppendLog


class Peer(Protocol):
    """What the sink of `config` delivers to."""

    @property
    def config(self) -> AnySink:
        """Where the sink delivers."""
        ...

    def arrived(self) -> list[dict[str, Any]]:
        """The bodies of all messages that are safe there, in order, with their `number`."""
        ...

    def go_away(self) -> None:
        """Take no message any more."""
        ...

    def come_back(self) -> None:
        """Take messages again."""
        ...


class File:
    """A file that goes away by becoming a folder."""

    def __init__(self, folder: Path) -> None:
        self.config = JsonlConfig(path=folder / "there" / "events.jsonl")
        self._aside = folder / "aside"

    def arrived(self) -> list[dict[str, Any]]:
        return AppendLog(self.config.path).read(dict)

    def go_away(self) -> None:
        if self.config.path.exists():
            self.config.path.rename(self._aside)
        self.config.path.mkdir(parents=True)

    def come_back(self) -> None:
        self.config.path.rmdir()
        if self._aside.exists():
            self._aside.rename(self.config.path)


class Program:
    """A program that keeps what it is given, and goes away by losing its name."""

    def __init__(self, folder: Path) -> None:
        self._kept = folder / "kept.jsonl"
        self._program, self._aside = folder / "keep it", folder / "aside"
        self._program.write_text(f"#!/bin/sh\ncat >> {shlex.quote(str(self._kept))}\n")
        self._program.chmod(0o700)
        self.config = CommandConfig(words=(str(self._program),))

    def arrived(self) -> list[dict[str, Any]]:
        text = self._kept.read_text() if self._kept.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def go_away(self) -> None:
        self._program.rename(self._aside)

    def come_back(self) -> None:
        self._aside.rename(self._program)


PEERS: dict[str, Callable[[Path], Peer]] = {"jsonl": File, "command": Program}
