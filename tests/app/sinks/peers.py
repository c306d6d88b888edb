"""The other side of every sink: what arrived there, and how it goes away and comes back.

Whoever adds a sink adds its peer to `PEERS`; without it the contract test fails.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from app.sinks.build import AnySink
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


PEERS: dict[str, Callable[[Path], Peer]] = {"jsonl": File}
