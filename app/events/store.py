"""Everything a run found, in one SQLite file with its pictures beside it.

events.sqlite   runs, sources, events, candidates, sightings, gaps
crops/          what was named, one JPEG an event
snapshots/      the whole frame, one JPEG an event
heat/           the anomaly map as a small transparent PNG, one an event
"""

import errno
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from app.errors import StoreError
from app.events.event import Event, Finding, box_sides
from app.media.pictures import heat_image, write_image
from app.sources.base import Gap
from detectors.types import Box

STORE = "events.sqlite"
MEDIA = ("crops", "snapshots", "heat")


@dataclass(slots=True)
class SourceProgress:
    """How far a source has been watched."""

    camera: str
    uri: str
    size: tuple[int, int]
    """(height, width)"""
    from_s: float
    """Where the watch began, behind the stretch that it learned from."""
    done_s: float
    """Everything before is final; a stopped audit goes on from here."""
    done_frames: int = 0
    """Frames analysed before `done_s`."""
    seen_s: float = 0.0
    """Time of the last frame that was analysed."""
    frames: int = 0
    """All frames analysed."""
    start_us: int | None = None
    time_from: str = ""
    finished: bool = False
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One audit or watch."""

    id: int
    kind: str
    state: str
    started_us: int
    ended_us: int | None
    settings: dict[str, Any]
    facts: dict[str, Any]
    app_version: str


class Store:
    """The event store of one output folder. One writer at a time; readers may look on."""

    def __init__(self, folder: Path) -> None:
        """Open the store, made or brought up to date if need be.

        Raises:
            StoreError: If the folder or file cannot be written, or is from a newer Nomaly.
        """
        self.folder = folder
        with _faults(folder):
            for name in MEDIA:
                (folder / name).mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(folder / STORE, isolation_level=None)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA busy_timeout=5000")
            # The file keeps the mode; who is refused finds it set by who opens the file right now.
            with suppress(sqlite3.OperationalError):
                self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("PRAGMA foreign_keys=ON")
            self._migrate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Make all that is saved inside final together, or nothing of it.

        Raises:
            StoreError: If it cannot be written, for example on a full disk.
        """
        with _faults(self.folder):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def begin_run(self, kind: str, settings: Mapping[str, Any]) -> Run:
        """Start a run."""
        with self.saving():
            self._db.execute(
                "INSERT INTO run(kind, state, started_us, settings, app_version)"
                " VALUES (?, 'running', ?, ?, ?)",
                (kind, _now_us(), json.dumps(settings, sort_keys=True), version("nomaly")),
            )
        return self._newest_run()

    def end_run(self, run_id: int, state: str, facts: Mapping[str, Any]) -> Run:
        """End a run as `stopped` or `finished`."""
        with self.saving():
            self._db.execute(
                "UPDATE run SET state = ?, ended_us = ?, facts = ? WHERE id = ?",
                (state, _now_us(), json.dumps(facts), run_id),
            )
        return self._newest_run()

    def last_run(self) -> Run | None:
        """The newest run, if there is one."""
        row = self._db.execute("SELECT * FROM run ORDER BY id DESC LIMIT 1").fetchone()
        if row is None:
            return None
        values = dict(row)
        settings, facts = json.loads(values.pop("settings")), json.loads(values.pop("facts"))
        return Run(**values, settings=settings, facts=facts)

    def _newest_run(self) -> Run:
        run = self.last_run()
        if run is None:
            raise StoreError(f"{self.folder / STORE}: the run that was just written is gone")
        return run

    def save_source(self, run_id: int, source: SourceProgress) -> None:
        """Write how far a source has been watched (inside `saving`)."""
        values = asdict(source)
        height, width = values.pop("size")
        values |= {"run_id": run_id, "height": height, "width": width}
        self._db.execute(
            f"INSERT OR REPLACE INTO source({', '.join(values)})"  # noqa: S608 - our own names
            f" VALUES ({', '.join('?' * len(values))})",
            tuple(values.values()),
        )

    def sources(self, run_id: int) -> list[SourceProgress]:
        """The sources of a run in the order they were begun."""
        rows = self._db.execute("SELECT * FROM source WHERE run_id = ? ORDER BY rowid", (run_id,))
        return [_source(dict(row)) for row in rows]

    def save_finding(self, run_id: int, finding: Finding) -> None:
        """Write an event, new or changed, with its pictures (inside `saving`)."""
        event, picture = finding.event, finding.picture
        write_image(self.media("crops", event), picture.crops[-1])
        write_image(self.media("snapshots", event), picture.snapshot)
        write_image(self.media("heat", event), heat_image(picture.heat))
        self._db.execute("DELETE FROM event WHERE id = ?", (event.id,))
        values = asdict(event)
        box, (height, width) = values.pop("box"), values.pop("frame_size")
        del values["candidates"]
        values |= {"run_id": run_id, **box, "frame_height": height, "frame_width": width}
        self._db.execute(
            f"INSERT INTO event({', '.join(values)})"  # noqa: S608 - our own names
            f" VALUES ({', '.join('?' * len(values))})",
            tuple(values.values()),
        )
        self._db.executemany(
            "INSERT INTO candidate VALUES (?, ?, ?, ?)",
            [(event.id, rank, noun, p) for rank, (noun, p) in enumerate(event.candidates)],
        )
        self._db.executemany(
            "INSERT OR REPLACE INTO sighting VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(event.id, pts_s, *box_sides(box), score) for pts_s, box, score in finding.path],
        )

    def save_seconds(self, run_id: int, uri: str, peaks: Mapping[int, float]) -> None:
        """Write the highest score of some seconds of a source (inside `saving`)."""
        self._db.executemany(
            "INSERT INTO second VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET peak = max(peak, excluded.peak)",
            [(run_id, uri, second, peak) for second, peak in peaks.items()],
        )

    def save_gaps(self, run_id: int, camera: str, gaps: Iterable[Gap]) -> None:
        """Write when a camera was blind (inside `saving`)."""
        self._db.executemany(
            "INSERT OR REPLACE INTO gap VALUES (?, ?, ?, ?, ?, ?)",
            [(run_id, camera, g.start_us, g.end_us, g.reason, g.detail) for g in gaps],
        )

    def forget_from(self, run_id: int, uri: str, from_s: float) -> None:
        """Drop the events of a video that began at `from_s` or later (inside `saving`)."""
        rows = self._db.execute(
            "SELECT id FROM event WHERE run_id = ? AND video = ? AND start_s >= ?",
            (run_id, uri, from_s),
        ).fetchall()
        for (event_id,) in rows:
            self._db.execute("DELETE FROM event WHERE id = ?", (event_id,))
            for kind in MEDIA:
                for file in (self.folder / kind).glob(f"{event_id}.*"):
                    file.unlink()

    def events(self, run_id: int) -> list[Event]:
        """All events of a run by video and time."""
        rows = self._db.execute(
            "SELECT * FROM event WHERE run_id = ? ORDER BY start_us, id", (run_id,)
        ).fetchall()
        return [self._event(dict(row)) for row in rows]

    def sightings(self, event_id: str) -> list[tuple[float, Box, float]]:
        """(pts_s, box, score) of an event's sightings in order."""
        rows = self._db.execute(
            "SELECT * FROM sighting WHERE event_id = ? ORDER BY pts_s", (event_id,)
        )
        return [
            (row["pts_s"], Box(row["x1"], row["y1"], row["x2"], row["y2"]), row["score"])
            for row in rows
        ]

    def seconds(self, run_id: int, uri: str) -> list[tuple[int, float]]:
        """(second, highest score) of a source in order."""
        rows = self._db.execute(
            "SELECT second, peak FROM second WHERE run_id = ? AND uri = ? ORDER BY second",
            (run_id, uri),
        )
        return [(row["second"], row["peak"]) for row in rows]

    def gaps(self, run_id: int) -> list[dict[str, Any]]:
        """All gaps of a run in order."""
        rows = self._db.execute("SELECT * FROM gap WHERE run_id = ? ORDER BY start_us", (run_id,))
        return [dict(row) for row in rows]

    def media(self, kind: str, event: Event) -> Path:
        """Where a picture of an event lies; `kind` is one of MEDIA."""
        return self.folder / kind / f"{event.id}.{'png' if kind == 'heat' else 'jpg'}"

    def _event(self, row: dict[str, Any]) -> Event:
        candidates = self._db.execute(
            "SELECT noun, p FROM candidate WHERE event_id = ? ORDER BY rank", (row["id"],)
        ).fetchall()
        del row["run_id"]
        return Event(
            **{name: row.pop(name) for name in ("id", "camera", "video", "state")},
            box=Box(*(row.pop(side) for side in ("x1", "y1", "x2", "y2"))),
            frame_size=(row.pop("frame_height"), row.pop("frame_width")),
            candidates=tuple((noun, p) for noun, p in candidates),
            cut=bool(row.pop("cut")),
            **row,
        )

    def _migrate(self) -> None:
        steps = _migrations()
        have = self._version()
        if have > len(steps):
            raise StoreError(
                f"{self.folder / STORE}: written by a newer Nomaly (version {have} of the store, "
                f"this one knows {len(steps)}); update Nomaly or use another folder"
            )
        if have == len(steps):
            return
        with self.saving():
            # Another process may have opened the same new store meanwhile.
            for number in range(self._version(), len(steps)):
                for statement in _statements(steps[number]):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version={number + 1}")

    def _version(self) -> int:
        """How many migrations the store has had."""
        return self._db.execute("PRAGMA user_version").fetchone()[0]


def _statements(script: str) -> Iterator[str]:
    """One by one, because `executescript` ends the transaction that it is called in."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _migrations() -> Sequence[str]:
    scripts = [f for f in files("app.events.migrations").iterdir() if f.name.endswith(".sql")]
    return [script.read_text(encoding="utf-8") for script in sorted(scripts, key=lambda f: f.name)]


def _source(row: dict[str, Any]) -> SourceProgress:
    del row["run_id"]
    row["size"] = (row.pop("height"), row.pop("width"))
    row["finished"] = bool(row["finished"])
    return SourceProgress(**row)


def _now_us() -> int:
    return int(datetime.now(UTC).timestamp() * 1e6)


@contextmanager
def _faults(folder: Path) -> Iterator[None]:
    """Turn faults of disk and database into one sentence."""
    try:
        yield
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        why = "the disk is full" if full else str(error)
        raise StoreError(f"{folder / STORE}: cannot be used: {why}") from error
    except OSError as error:
        why = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise StoreError(f"{error.filename or folder}: cannot be written: {why}") from error
