"""Which stores the page shows, and what is watched of them in this process."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.errors import UsageError
from app.events.folders import StoreFolder, watched_folders
from app.events.reading import StoreReader
from app.events.schema import faults, read_database
from app.watching.board import Board, Station
from novic.errors import NomalyError


class NotThereError(NomalyError):
    """The page was asked for a camera, event or picture that is not there."""


@dataclass(frozen=True, slots=True)
class Place:
    """One store that the page shows."""

    name: str
    """In addresses; no two are alike."""
    folder: Path
    station: Station | None
    """What is watched there just now by this process."""


class Reader(StoreReader):
    """A store as the page reads it."""

    @property
    def db(self) -> sqlite3.Connection:
        """The store itself, for questions that only the page asks."""
        return self._db


class Places:
    """The stores of all folders that were named; those that come later are found, too."""

    def __init__(self, roots: Sequence[Path], board: Board | None = None) -> None:
        """Take folders of runs or of sites; they may hold nothing yet."""
        self._roots = tuple(roots)
        self._board = board or Board()

    def all(self) -> list[Place]:
        """Every store, by name."""
        found: dict[str, Place] = {}
        for one in self.folders():
            name, number = one.name, 2
            while name in found:
                name, number = f"{one.name}-{number}", number + 1
            found[name] = Place(name, one.folder, self.station(one.folder))
        return [found[name] for name in sorted(found)]

    def place(self, name: str) -> Place:
        """The store of a name.

        Raises:
            NotThereError: If there is none.
        """
        for one in self.all():
            if one.name == name:
                return one
        raise NotThereError(f"{name}: there is no such camera here")

    def station(self, folder: Path) -> Station | None:
        """What this process watches whose store lies in a folder; None if nothing."""
        there = folder.resolve()
        return next((one for one in self._board.stations() if one.folder.resolve() == there), None)

    def folders(self) -> list[StoreFolder]:
        """Every store that there is just now."""
        found: list[StoreFolder] = []
        for root in self._roots:
            try:
                found += watched_folders(root)
            except UsageError:
                # A watch that has just begun has no store yet.
                continue
        return found


@contextmanager
def reading(folder: Path) -> Iterator[Reader]:
    """What a store holds just now; who writes there is not kept waiting.

    Raises:
        app.errors.StoreError: If it cannot be read.
    """
    with faults(folder):
        database = read_database(folder)
    with closing(database), faults(folder):
        yield Reader(folder, database)
