"""Everything a run found, in one SQLite file with its pictures beside it (app.events.media).

events.sqlite   runs, sources, events, candidates, sightings, gaps, vectors, outbox
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from app.errors import StoreError
from app.events.event import Event, Finding, Lasting, box_sides
from app.events.media import MEDIA, media_path, pictures_at, pictures_of, remove, sweep
from app.events.outbox import Outbox
from app.events.schema import STORE, faults, open_database
from app.sources.base import Gap
from detectors.types import Box
from novic.database import transaction


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


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What is new of a source and becomes final together."""

    source: SourceProgress
    findings: Sequence[Finding] = ()
    """Events that changed, in the order they are to be told."""
    lasting: Sequence[Lasting] = ()
    """Events that are still open, so that a kill leaves the time at which they were seen last."""
    peaks: Mapping[int, float] = field(default_factory=dict)
    """The highest score of some seconds."""
    gaps: Sequence[Gap] = ()
    """Times of blindness that are new, or that were still open when they were saved before."""
    embedder: str = ""
    """Spec of the embedder that made the findings' vectors, for example `starter`."""


class Store:
    """The event store of one output folder. One writer at a time; readers may look on."""

    def __init__(self, folder: Path, *, sinks: Sequence[str] = ()) -> None:
        """Open the store, made or brought up to date if need be.

        Args:
            folder: The output folder.
            sinks: For whom every event state that is saved is left in the outbox.

        Raises:
            StoreError: If the folder or file cannot be written, or is from a newer Nomaly.
        """
        self.folder = folder
        self._sinks = sinks
        self._forgotten: list[Path] = []
        with faults(folder):
            for name in MEDIA:
                (folder / name).mkdir(parents=True, exist_ok=True)
            self._db = open_database(folder)
        self.outbox = Outbox(self._db, lambda: faults(folder), self.saving)

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
        self._forgotten.clear()
        with faults(self.folder), transaction(self._db):
            yield
        # Only now does nothing speak of them any more.
        remove(self._forgotten)

    def save(self, run_id: int, changes: Changes) -> None:
        """Write what is new of a source, pictures included; all of it is final, or nothing.

        Raises:
            StoreError: If it cannot be written, for example on a full disk.
        """
        with faults(self.folder):
            pictured = [one for one in changes.findings if self._has_news_to_show(one.event)]
            # Before the transaction: encoding takes longer than anybody should wait for the file.
            with pictures_of(self.folder, pictured), self.saving():
                self.save_source(run_id, changes.source)
                for finding in changes.findings:
                    self._save_finding(run_id, finding)
                    self._save_vector(finding, changes.embedder)
                self._save_lasting(changes.lasting)
                self._save_seconds(run_id, changes.source.uri, changes.peaks)
                self._save_gaps(run_id, changes.source.camera, changes.gaps)

    def _has_news_to_show(self, event: Event) -> bool:
        """Whether the store holds no pictures of the event, or those of another moment."""
        row = self._db.execute("SELECT snapshot_s FROM event WHERE id = ?", (event.id,)).fetchone()
        return row is None or row["snapshot_s"] != event.snapshot_s

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

    def go_on(self, run_id: int) -> tuple[Run, list[Event]]:
        """Take up a run that was stopped or killed.

        Events that were left open are closed at their last sighting: nobody knows how they ended.
        Pictures that a kill left behind are removed.

        Returns:
            The run, which is running again, and the events that were closed, as they are now.

        Raises:
            StoreError: If it cannot be written; nothing of it is then.
        """
        rows = self._db.execute(
            "SELECT * FROM event WHERE run_id = ? AND state != 'closed' ORDER BY start_us, id",
            (run_id,),
        ).fetchall()
        closed = [replace(self._event(dict(row)), state="closed", cut=True) for row in rows]
        with self.saving():
            for event in closed:
                self._save_event(run_id, event)
                self.outbox.put(event, self._sinks, _now_us())
            self._db.execute(
                "UPDATE run SET state = 'running', ended_us = NULL WHERE id = ?", (run_id,)
            )
        self._tidy()
        return self._newest_run(), closed

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
        self._upsert("source", ("run_id", "uri"), values)

    def sources(self, run_id: int) -> list[SourceProgress]:
        """The sources of a run in the order they were begun."""
        rows = self._db.execute("SELECT * FROM source WHERE run_id = ? ORDER BY rowid", (run_id,))
        return [_source(dict(row)) for row in rows]

    def _save_finding(self, run_id: int, finding: Finding) -> None:
        event = finding.event
        self._save_event(run_id, event)
        self._db.execute(
            "DELETE FROM candidate WHERE event_id = ? AND rank >= ?",
            (event.id, len(event.candidates)),
        )
        self._db.executemany(
            "INSERT INTO candidate VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET noun = excluded.noun, p = excluded.p",
            [(event.id, rank, noun, p) for rank, (noun, p) in enumerate(event.candidates)],
        )
        self._save_sightings(finding)
        self.outbox.put(event, self._sinks, _now_us())

    def _save_event(self, run_id: int, event: Event) -> None:
        values = asdict(event)
        box, (height, width) = values.pop("box"), values.pop("frame_size")
        del values["candidates"]
        values |= {"run_id": run_id, **box, "frame_height": height, "frame_width": width}
        self._upsert("event", ("id",), values)

    def _upsert(self, table: str, key: Sequence[str], values: Mapping[str, Any]) -> None:
        """Write a row in place of the one of the same key, if there is one."""
        news = ", ".join(f"{name} = excluded.{name}" for name in values if name not in key)
        self._db.execute(
            f"INSERT INTO {table}({', '.join(values)})"  # noqa: S608 - our own names
            f" VALUES ({', '.join('?' * len(values))})"
            f" ON CONFLICT({', '.join(key)}) DO UPDATE SET {news}",
            tuple(values.values()),
        )

    def _save_sightings(self, finding: Finding) -> None:
        # Not only the new ones: of a very long path the older half is thinned out now and then.
        self._db.execute("DELETE FROM sighting WHERE event_id = ?", (finding.event.id,))
        self._db.executemany(
            "INSERT INTO sighting VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (finding.event.id, pts_s, *box_sides(box), score)
                for pts_s, box, score in finding.path
            ],
        )

    def _save_lasting(self, lasting: Sequence[Lasting]) -> None:
        self._db.executemany(
            "UPDATE event SET end_s = ?, end_us = ?, score = ?, frames = ?"
            " WHERE id = ? AND state != 'closed'",
            [(one.end_s, one.end_us, one.score, one.frames, one.id) for one in lasting],
        )
        for one in lasting:
            if one.thinned:
                self._db.execute("DELETE FROM sighting WHERE event_id = ?", (one.id,))
            self._db.executemany(
                # An event that is still being named has no row yet; its path comes with that.
                "INSERT OR IGNORE INTO sighting SELECT id, ?, ?, ?, ?, ?, ? FROM event"
                " WHERE id = ? AND state != 'closed'",
                [(pts_s, *box_sides(box), score, one.id) for pts_s, box, score in one.path],
            )

    def _save_vector(self, finding: Finding, embedder: str) -> None:
        if finding.vector is None:
            return
        unit = finding.vector.astype("<f2")
        self._db.execute(
            "INSERT INTO vector VALUES (?, ?, ?, ?) ON CONFLICT(event_id) DO UPDATE SET"
            " embedder = excluded.embedder, width = excluded.width, unit = excluded.unit",
            (finding.event.id, embedder, len(unit), unit.tobytes()),
        )

    def _save_seconds(self, run_id: int, uri: str, peaks: Mapping[int, float]) -> None:
        self._db.executemany(
            "INSERT INTO second VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET peak = max(peak, excluded.peak)",
            [(run_id, uri, second, peak) for second, peak in peaks.items()],
        )

    def _save_gaps(self, run_id: int, camera: str, gaps: Iterable[Gap]) -> None:
        self._db.executemany(
            "INSERT INTO gap VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET end_us = excluded.end_us, detail = excluded.detail",
            [(run_id, camera, g.start_us, g.end_us, g.reason, g.detail) for g in gaps],
        )

    def forget_from(self, run_id: int, uri: str, from_s: float) -> None:
        """Drop the events of a video that began at `from_s` or later (inside `saving`)."""
        rows = self._db.execute(
            "DELETE FROM event WHERE run_id = ? AND video = ? AND start_s >= ?"
            " RETURNING id, snapshot_s",
            (run_id, uri, from_s),
        ).fetchall()
        for event_id, snapshot_s in rows:
            self._forgotten += pictures_at(self.folder, event_id, snapshot_s)

    def events(self, run_id: int) -> list[Event]:
        """All events of a run by video and time."""
        rows = self._db.execute(
            "SELECT * FROM event WHERE run_id = ? ORDER BY start_us, id", (run_id,)
        ).fetchall()
        return [self._event(dict(row)) for row in rows]

    def sightings(self, event_id: str) -> list[tuple[float, Box, float]]:
        """(pts_s, box, score) of an event's sightings in order, boxes in pixels of the frame."""
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
        rows = self._db.execute(
            "SELECT * FROM gap WHERE run_id = ? ORDER BY start_us, reason", (run_id,)
        )
        return [dict(row) for row in rows]

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

    def _tidy(self) -> None:
        """Remove pictures that a kill left behind; only the one writer may."""
        events = self._db.execute("SELECT id, snapshot_s FROM event").fetchall()
        sweep(self.folder, [(event_id, snapshot_s) for event_id, snapshot_s in events])

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


def _source(row: dict[str, Any]) -> SourceProgress:
    del row["run_id"]
    row["size"] = (row.pop("height"), row.pop("width"))
    row["finished"] = bool(row["finished"])
    return SourceProgress(**row)


def _now_us() -> int:
    return int(datetime.now(UTC).timestamp() * 1e6)
