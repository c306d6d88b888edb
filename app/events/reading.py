"""What a store holds, read: for reports, summaries and the annotated video."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import StoreError, UsageError
from app.events import bets as kept_bets
from app.events import checkpoint as checkpoints
from app.events import moment, trace
from app.events.bets import Bet
from app.events.checkpoint import Checkpoint
from app.events.event import Event
from app.events.giving_up import kept_events
from app.events.media import CLIPS, media_path
from app.events.moment import Moment
from app.events.rows import event_of
from app.events.runs import Note, Run, SourceProgress, run_of, source_of
from app.events.schema import STORE, copy_database, faults, read_database
from detectors.types import Box

__all__ = [
    "SIGNATURE_VERSION",
    "Left",
    "Note",
    "Run",
    "Snapshot",
    "SourceProgress",
    "StoreReader",
    "as_left",
    "in_place",
    "require_store",
    "snapshot",
]

SIGNATURE_VERSION = 3
"""Of detectors.signatures."""


type Left = tuple[Event, list[tuple[float, Box, float]]]
"""An event with its sightings (pts_s, box, score)."""


class StoreReader:
    """The events of one output folder, to be read."""

    def __init__(self, folder: Path, database: sqlite3.Connection) -> None:
        """Read from a database.

        Args:
            folder: Where the pictures lie.
            database: Up to date, its rows of `sqlite3.Row`.
        """
        self.folder = folder
        self._db = database

    @property
    def database(self) -> sqlite3.Connection:
        """What it reads from, for tables of other packages."""
        return self._db

    def last_run(self) -> Run | None:
        """The newest run, if there is one."""
        row = self._db.execute("SELECT * FROM run ORDER BY id DESC LIMIT 1").fetchone()
        return None if row is None else run_of(dict(row))

    def runs(self) -> list[Run]:
        """All runs in the order they were begun."""
        rows = self._db.execute("SELECT * FROM run ORDER BY id")
        return [run_of(dict(row)) for row in rows]

    def required_run(self) -> Run:
        """The newest run.

        Raises:
            UsageError: If there is none.
        """
        run = self.last_run()
        if run is None:
            raise UsageError(f"{self.folder}: nothing was audited or watched there yet")
        return run

    def run(self, run_id: int) -> Run:
        """A run by its id.

        Raises:
            StoreError: If there is none.
        """
        row = self._db.execute("SELECT * FROM run WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise StoreError(f"{self.folder / STORE}: run {run_id} is gone")
        return run_of(dict(row))

    def sources(self, run_id: int) -> list[SourceProgress]:
        """The sources of a run in the order they were begun."""
        rows = self._db.execute("SELECT * FROM source WHERE run_id = ? ORDER BY rowid", (run_id,))
        return [source_of(dict(row)) for row in rows]

    def event_counts(self, run_id: int) -> tuple[int, int]:
        """How many events of a run are told, and how many are silent."""
        told, silent = self._db.execute(
            "SELECT count(*) - count(nullif(muted, '')), count(nullif(muted, '')) FROM event"
            " WHERE run_id = ?",
            (run_id,),
        ).fetchone()
        return told, silent

    def events(self, run_id: int) -> list[Event]:
        """All events of a run by time, those behind the others that are muted."""
        rows = self._db.execute(
            "SELECT * FROM event WHERE run_id = ? ORDER BY muted != '', start_us, id", (run_id,)
        ).fetchall()
        return [self._event(dict(row)) for row in rows]

    def event(self, event_id: str) -> Event | None:
        """The event of an id, of whatever run; None if there is none."""
        row = self._db.execute("SELECT * FROM event WHERE id = ?", (event_id,)).fetchone()
        return None if row is None else self._event(dict(row))

    def vector(self, event_id: str) -> tuple[str, NDArray[np.float32]] | None:
        """Spec of the embedder and unit vector [F] of an event; None while it has no name."""
        row = self._db.execute(
            "SELECT embedder, unit FROM vector WHERE event_id = ?", (event_id,)
        ).fetchone()
        if row is None:
            return None
        unit = np.frombuffer(row["unit"], "<f2").astype(np.float32)
        return row["embedder"], unit / np.linalg.norm(unit)

    def signature(self, event_id: str) -> NDArray[np.float32] | None:
        """What an event's thing looks like; None where nobody knows, or an older Nomaly saw it."""
        row = self._db.execute(
            "SELECT looks FROM signature WHERE event_id = ? AND version = ?",
            (event_id, SIGNATURE_VERSION),
        ).fetchone()
        return None if row is None else np.frombuffer(row["looks"], "<f2").astype(np.float32)

    def sightings(self, event_id: str) -> list[tuple[float, Box, float]]:
        """(pts_s, box, score) of an event's sightings in order, boxes in pixels of the frame."""
        rows = self._db.execute(
            "SELECT * FROM sighting WHERE event_id = ? ORDER BY pts_s", (event_id,)
        )
        return [
            (row["pts_s"], Box(row["x1"], row["y1"], row["x2"], row["y2"]), row["score"])
            for row in rows
        ]

    def left(self, run_id: int, since_s: float) -> list[Left]:
        """Events of objects that may go on: open, or cut when they were seen since `since_s`.

        Returns:
            Each with its sightings, of which there is at least one.
        """
        rows = self._db.execute(
            "SELECT * FROM event WHERE run_id = ? AND kind = 'object'"
            " AND (state != 'closed' OR (cut AND end_s >= ?)) ORDER BY muted != '', start_us, id",
            (run_id, since_s),
        ).fetchall()
        lasting = [self._event(dict(row)) for row in rows]
        found = [(event, self.sightings(event.id)) for event in lasting]
        return [(event, path) for event, path in found if path]

    def untouchable(self) -> Collection[str]:
        """Ids of the events of which nothing may be given up; see app.events.giving_up."""
        return kept_events(self._db, confirmed=True)

    def faults_left(self, run_id: int, names: Collection[str]) -> list[Event]:
        """The camera's own events of some names that are open, in order."""
        rows = self._db.execute(
            "SELECT * FROM event WHERE run_id = ? AND kind = 'camera' AND state != 'closed'"
            " ORDER BY start_us",
            (run_id,),
        ).fetchall()
        return [self._event(dict(row)) for row in rows if row["name"] in names]

    def seconds(self, run_id: int, uri: str) -> list[tuple[int, float]]:
        """(second, highest score) of a source in order."""
        rows = self._db.execute(
            "SELECT second, peak FROM second WHERE run_id = ? AND uri = ? ORDER BY second",
            (run_id, uri),
        )
        return [(row["second"], row["peak"]) for row in rows]

    def gaps(self, run_id: int) -> list[dict[str, Any]]:
        """All gaps of a run in order."""
        rows = self._db.execute(
            "SELECT * FROM gap WHERE run_id = ? ORDER BY start_us, reason", (run_id,)
        )
        return [dict(row) for row in rows]

    def moments(self, run_id: int, since_us: int, until_us: int) -> Sequence[Moment]:
        """What came near in a stretch of time, UTC in microseconds, and was not told."""
        return moment.read(self._db, run_id, since_us, until_us)

    def stretches(self, run_id: int, since_us: int) -> list[trace.Stretch]:
        """What is kept of what was followed in a run from a time on, UTC in microseconds."""
        return trace.stretches(self._db, run_id, since_us)

    def followed(self, stretch: trace.Stretch) -> list[trace.SeenFrame]:
        """The frames of a stretch.

        Raises:
            StoreError: If they are damaged.
        """
        try:
            return trace.frames_of(self._db, stretch)
        except ValueError as error:
            raise StoreError(
                f"{self.folder / STORE}: {error}; ask of a later time with --since"
            ) from error

    def ballots(self, run_id: int, since_us: int) -> dict[str, tuple[str, bytes]]:
        """Spec of the embedder and packed ballots (`app.events.ballots`) by event."""
        rows = self._db.execute(
            "SELECT event_id, embedder, packed FROM ballot JOIN event ON event.id = event_id"
            " WHERE run_id = ? AND end_us >= ?",
            (run_id, since_us),
        )
        return {row["event_id"]: (row["embedder"], row["packed"]) for row in rows}

    def bets(self, run_id: int, calibration: str) -> Sequence[Bet]:
        """What was bet in a run against a calibration of this SHA-256, in order.

        Raises:
            StoreError: If it cannot be read.
        """
        with faults(self.folder):
            return kept_bets.read(self._db, run_id, calibration)

    def checkpoint(self, run_id: int, source: SourceProgress) -> Checkpoint | None:
        """What was followed at a source's `done_s`; None if nothing was.

        Raises:
            StoreError: If it cannot be read.
        """
        with faults(self.folder):
            found = checkpoints.read(self._db, run_id, source.uri)
        return found if found is not None and found.at_s == source.done_s else None

    def notes(self, run_id: int) -> list[Note]:
        """What people should know about a run, in order."""
        rows = self._db.execute(
            "SELECT time_us, text FROM note WHERE run_id = ? ORDER BY id", (run_id,)
        )
        return [Note(*row) for row in rows]

    def vectors(self, embedder: str) -> tuple[list[str], NDArray[np.float32]]:
        """The vectors of all events of all runs that rest on an embedder.

        Returns:
            The events' ids [N] in order of time, and their unit vectors [N, F], kept as float16;
            [0, 0] if there are none.
        """
        rows = self._db.execute(
            "SELECT event_id, width, unit FROM vector JOIN event ON event.id = event_id"
            " WHERE embedder = ? ORDER BY start_us, event_id",
            (embedder,),
        ).fetchall()
        numbers = np.frombuffer(b"".join(row["unit"] for row in rows), "<f2").astype(np.float32)
        units = numbers.reshape(len(rows), rows[0]["width"] if rows else 0)
        units /= np.linalg.norm(units, axis=1, keepdims=True)
        return [row["event_id"] for row in rows], units

    def media(self, kind: str, event: Event) -> Path:
        """Where a picture of an event lies; `kind` is one of MEDIA."""
        return media_path(self.folder, kind, event.id, event.snapshot_s)

    def _event(self, row: dict[str, Any]) -> Event:
        candidates = self._db.execute(
            "SELECT noun, p FROM candidate WHERE event_id = ? ORDER BY rank", (row["id"],)
        ).fetchall()
        if row["clip_from_us"] and not media_path(self.folder, CLIPS, row["id"], 0.0).exists():
            row["clip_from_us"] = None
        return event_of(row, ((noun, p) for noun, p in candidates))


class Snapshot(StoreReader):
    """A store as it was at a moment; what is noted in it stays in memory."""

    def close_left(self, run_id: int) -> None:
        """Close what a killed run left open; see `as_left`."""
        self._db.execute(
            "UPDATE event SET state = 'closed', cut = 1 WHERE run_id = ? AND state != 'closed'",
            (run_id,),
        )

    def add_note(self, run_id: int, text: str) -> None:
        """Add to the notes of a run, behind its last one."""
        now_us = int(datetime.now(UTC).timestamp() * 1e6)
        self._db.execute(
            "INSERT INTO note(run_id, time_us, text) VALUES (?, ?, ?)", (run_id, now_us, text)
        )


def require_store(folder: Path) -> None:
    """Refuse a folder without the results of a run.

    Raises:
        UsageError: If it holds none.
    """
    if not (folder / STORE).is_file():
        raise UsageError(
            f"{folder}: holds no results of an audit or a watch ({STORE} is missing); "
            "name the --out of one"
        )


@contextmanager
def snapshot(folder: Path) -> Iterator[Snapshot]:
    """What a folder holds just now, whoever writes there; nothing in it is changed.

    Raises:
        UsageError: If there is no store.
        StoreError: If it cannot be read, or is from a newer Nomaly.
    """
    require_store(folder)
    with faults(folder):
        database = copy_database(folder)
    with closing(database):
        yield Snapshot(folder, database)


@contextmanager
def in_place(folder: Path) -> Iterator[StoreReader]:
    """What a folder holds just now, read without a copy; for a short look, whoever writes there.

    Raises:
        UsageError: If there is no store.
        StoreError: If it cannot be read, or is from a newer Nomaly.
    """
    require_store(folder)
    with faults(folder):
        database = read_database(folder)
    with closing(database), faults(folder):
        yield StoreReader(folder, database)


def as_left(event: Event) -> Event:
    """An event of a run that was killed: closed at its last sighting, nobody knows how it ended."""
    return event if event.state == "closed" else replace(event, state="closed", cut=True)
