"""Everything a run found, in one SQLite file with its pictures beside it (app.events.media).

events.sqlite   runs, sources, events, candidates, sightings, gaps, vectors, outbox
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from app.events import bets as kept_bets
from app.events import checkpoint as checkpoints
from app.events import moment, trace, vectors
from app.events.bets import Bet
from app.events.checkpoint import Checkpoint
from app.events.event import Event, Finding, Lasting, box_sides
from app.events.media import MEDIA, has_pictures, pictures_at, pictures_of, remove, sweep
from app.events.moment import Moment
from app.events.outbox import Outbox
from app.events.reading import Run, SourceProgress, StoreReader, as_left
from app.events.rows import row_of, shown
from app.events.schema import WAIT_S, faults, open_database
from app.events.trace import Trace
from app.sources.base import Gap
from novic.database import transaction

__all__ = ["Changes", "Run", "SourceProgress", "Store"]


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
    checkpoint: Checkpoint | None = None
    """What was followed at `source.done_s`, if that is new."""
    moments: Sequence[Moment] = ()
    """What came near and was not told."""
    traces: Sequence[Trace] = ()
    """What was followed."""
    bets: Sequence[Bet] = ()
    """What was bet against the camera's calibration."""
    embedder: str = ""
    """Spec of the embedder that made the findings' vectors, for example `starter`."""


class Store(StoreReader):
    """The event store of one output folder. One writer at a time; readers may look on."""

    def __init__(self, folder: Path, *, sinks: Sequence[str] = (), wait_s: float = WAIT_S) -> None:
        """Open the store, made or brought up to date if need be.

        Args:
            folder: The output folder.
            sinks: For whom every event state that is saved is left in the outbox.
            wait_s: How long to wait for another process that is writing.

        Raises:
            StoreError: If the folder or file cannot be written, or is from a newer Nomaly.
        """
        self._sinks = sinks
        self._forgotten: list[Path] = []
        with faults(folder):
            for name in MEDIA:
                (folder / name).mkdir(parents=True, exist_ok=True)
            super().__init__(folder, open_database(folder, wait_s))
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
            PicturesError: If the pictures cannot be written; the rest may be, without them.
            StoreError: If it cannot be written, for example on a full disk.
        """
        with faults(self.folder):
            pictured = [one for one in changes.findings if self._has_news_to_show(one)]
            # Before the transaction: encoding takes longer than anybody should wait for the file.
            packed = self._packed(run_id, changes)
            with pictures_of(self.folder, pictured), self.saving():
                self.save_source(run_id, changes.source)
                for finding in changes.findings:
                    self._save_finding(run_id, finding)
                    vectors.save(self._db, finding, changes.embedder)
                self._save_lasting(changes.lasting)
                self._save_seconds(run_id, changes.source.uri, changes.peaks)
                self._save_gaps(run_id, changes.source.camera, changes.gaps)
                moment.save(self._db, run_id, changes.source.uri, changes.moments)
                trace.save(self._db, run_id, changes.source.uri, changes.traces)
                kept_bets.save(self._db, run_id, changes.bets)
                self._save_checkpoint(run_id, changes, packed)

    def add_pictures(self, findings: Sequence[Finding]) -> None:
        """Write the pictures of events that were saved without, unless they have later ones.

        Raises:
            StoreError: If they cannot be written; no event speaks of them then.
        """
        with faults(self.folder):
            wanted = [one for one in findings if self._lacks_pictures(one)]
            with pictures_of(self.folder, wanted), self.saving():
                for finding in wanted:
                    self._db.execute(
                        "UPDATE event SET x1 = ?, y1 = ?, x2 = ?, y2 = ?, frame_height = ?,"
                        " frame_width = ?, snapshot_s = ?, parts = ? WHERE id = ?",
                        (*shown(finding.event).values(), finding.event.id),
                    )

    def _has_news_to_show(self, finding: Finding) -> bool:
        """Whether it brings pictures, and the store holds none of the event and moment."""
        event = finding.event
        return finding.picture is not None and (
            self._shown_s(event.id) != event.snapshot_s or not has_pictures(self.folder, finding)
        )

    def _lacks_pictures(self, finding: Finding) -> bool:
        """Whether its pictures are not older than what the store shows of the event."""
        shown_s = self._shown_s(finding.event.id)
        return shown_s is not None and (
            shown_s <= finding.event.snapshot_s and self._has_news_to_show(finding)
        )

    def _shown_s(self, event_id: str) -> float | None:
        """When the pictures were taken that the store has of an event."""
        row = self._db.execute("SELECT snapshot_s FROM event WHERE id = ?", (event_id,)).fetchone()
        return None if row is None else row["snapshot_s"]

    def begin_run(self, kind: str, settings: Mapping[str, Any]) -> Run:
        """Start a run."""
        with self.saving():
            (run_id,) = self._db.execute(
                "INSERT INTO run(kind, state, started_us, settings, app_version)"
                " VALUES (?, 'running', ?, ?, ?) RETURNING id",
                (kind, _now_us(), json.dumps(settings, sort_keys=True), version("nomaly")),
            ).fetchone()
        return self.run(run_id)

    def end_run(self, run_id: int, state: str, facts: Mapping[str, Any]) -> Run:
        """End a run as `stopped`, `finished`, or `failed` if something could not be stored."""
        with self.saving():
            self._db.execute(
                "UPDATE run SET state = ?, ended_us = ?, facts = ? WHERE id = ?",
                (state, _now_us(), json.dumps(facts), run_id),
            )
        return self.run(run_id)

    def go_on(self, run_id: int, but: Collection[str] = ()) -> tuple[Run, list[Event]]:
        """Take up a run that was stopped or killed.

        Events that were left open are closed at their last sighting: nobody knows how they ended.
        Pictures that a kill left behind are removed.

        Args:
            run_id: The run.
            but: Ids of events that stay open.

        Returns:
            The run, which is running again, and the events that were closed, as they are now.

        Raises:
            StoreError: If it cannot be written; nothing of it is then.
        """
        with self.saving():
            closed = self._close_left(run_id, but)
            self._db.execute(
                "UPDATE run SET state = 'running', ended_us = NULL WHERE id = ?", (run_id,)
            )
        self._tidy()
        return self.run(run_id), closed

    def close_left(self, run_id: int) -> list[Event]:
        """Close what was left open at its last sighting; returns the events as they are now.

        Raises:
            StoreError: If it cannot be written; nothing of it is then.
        """
        with self.saving():
            return self._close_left(run_id)

    def _close_left(self, run_id: int, but: Collection[str] = ()) -> list[Event]:
        rows = self._db.execute(
            "SELECT * FROM event WHERE run_id = ? AND state != 'closed' ORDER BY start_us, id",
            (run_id,),
        ).fetchall()
        closed = [as_left(self._event(dict(row))) for row in rows if row["id"] not in but]
        for event in closed:
            self._save_event(run_id, event)
            if not event.muted:
                self.outbox.put(event, self._sinks, _now_us())
        return closed

    def keep_facts(self, run_id: int, facts: Mapping[str, Any]) -> None:
        """Add to the facts of a run, also of one that goes on."""
        with self.saving():
            text = json.dumps({**self.run(run_id).facts, **facts})
            self._db.execute("UPDATE run SET facts = ? WHERE id = ?", (text, run_id))

    def add_note(self, run_id: int, text: str) -> None:
        """Keep a sentence about a run that its report shows.

        Raises:
            StoreError: If it cannot be written.
        """
        with self.saving():
            self._db.execute(
                "INSERT INTO note(run_id, time_us, text) VALUES (?, ?, ?)",
                (run_id, _now_us(), text),
            )

    def save_source(self, run_id: int, source: SourceProgress) -> None:
        """Write how far a source has been watched (inside `saving`)."""
        values = asdict(source)
        height, width = values.pop("size")
        values |= {"run_id": run_id, "height": height, "width": width}
        self._upsert("source", ("run_id", "uri"), values)

    def _save_finding(self, run_id: int, finding: Finding) -> None:
        event = finding.event
        self._save_event(run_id, event, pictured=finding.picture is not None)
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
        # What happened in a recording is told once, when it is whole.
        if not finding.silent and (event.state == "closed" or not event.video):
            self.outbox.put(event, self._sinks, _now_us())

    def _save_event(self, run_id: int, event: Event, *, pictured: bool = True) -> None:
        values = {"run_id": run_id, **row_of(event)}
        # Without its pictures an event goes on speaking of those that it has.
        self._upsert("event", ("id",), values, unchanged=() if pictured else tuple(shown(event)))

    def _upsert(
        self,
        table: str,
        key: Sequence[str],
        values: Mapping[str, Any],
        unchanged: Sequence[str] = (),
    ) -> None:
        """Write a row, or into the one of the same key all values but the `unchanged`."""
        kept = {*key, *unchanged}
        news = ", ".join(f"{name} = excluded.{name}" for name in values if name not in kept)
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

    def _packed(self, run_id: int, changes: Changes) -> checkpoints.Packed:
        if changes.checkpoint is None:
            return {}
        return checkpoints.packed(self._db, run_id, changes.source.uri, changes.checkpoint)

    def _save_checkpoint(self, run_id: int, changes: Changes, packed: checkpoints.Packed) -> None:
        uri = changes.source.uri
        if changes.checkpoint is not None:
            checkpoints.write(self._db, run_id, uri, changes.checkpoint, packed)
        elif changes.source.finished:
            checkpoints.drop(self._db, run_id, uri)

    def go_back(
        self, run_id: int, uri: str, from_s: float, checkpoint: Checkpoint | None = None
    ) -> None:
        """Make the events of a video what they were at a moment (inside `saving`).

        Args:
            run_id: The run.
            uri: The video.
            from_s: What began later is dropped, ...
            checkpoint: ... and what became an event later; what was open is open again.
        """
        kept = checkpoint.kept if checkpoint is not None else ()
        moment.drop_since(self._db, run_id, uri, from_s)
        trace.drop_since(self._db, run_id, uri, from_s)
        kept_bets.drop_since(self._db, run_id, uri, from_s)
        self._drop_events("run_id = ? AND video = ? AND start_s >= ?", [(run_id, uri, from_s)])
        self._drop_events("id = ?", [(one.id,) for one in kept if not one.opened])
        self._db.executemany(
            "UPDATE event SET state = 'opened', cut = 0 WHERE id = ?",
            [(one.id,) for one in kept if one.opened],
        )

    def _drop_events(self, where: str, values: Iterable[tuple[Any, ...]]) -> None:
        for some in values:
            dropped = self._db.execute(
                f"DELETE FROM event WHERE {where} RETURNING id, snapshot_s",  # noqa: S608 - our own
                some,
            ).fetchall()
            for event_id, snapshot_s in dropped:
                self._forgotten += pictures_at(self.folder, event_id, snapshot_s)

    def _tidy(self) -> None:
        """Remove pictures that a kill left behind; only the one writer may."""
        events = self._db.execute("SELECT id, snapshot_s FROM event").fetchall()
        sweep(self.folder, [(event_id, snapshot_s) for event_id, snapshot_s in events])


def _now_us() -> int:
    return int(datetime.now(UTC).timestamp() * 1e6)
