"""Gives up what a store need not keep, in small steps, also while a watch writes there.

Too old events go whole, with all that is known of them; of what is beyond the bytes the pictures go
and the rows stay. An event that is kept, that is still open, or of which a sink was not told yet is
never touched.
"""

import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.events.media import remove
from app.events.media_files import MediaFile, as_given_up, enough_of, media_files
from app.events.retention import Retained, RetentionRule
from app.events.schema import WAIT_S, faults, open_database
from novic.database import transaction

ROWS = 200
"""Most rows of events in one step."""
SIGHTINGS = 1000
"""Most rows of what hangs on them; of seconds as many."""
PAGES = 50
"""Most pages of the file that one step gives back to the disk."""
SECONDS_DAYS = 90.0
"""How unusual each second was is kept no longer, whatever the rule says."""
_DAY_US = 86_400_000_000
_GIGABYTE = 1_000_000_000
_INCREMENTAL = 2
_DROP_SECONDS = (
    "DELETE FROM second WHERE run_id = ? AND uri = ? AND second IN"
    " (SELECT second FROM second WHERE run_id = ? AND uri = ? AND second < ? LIMIT ?)"
)
_MAY_GO = "state = 'closed' AND keep = 0 AND id NOT IN (SELECT event_id FROM outbox)"
_TIMED = (
    ("moment", "rowid", "end_us < ?"),
    ("note", "rowid", "time_us < ?"),
    ("gap", "run_id, camera, start_us, reason", "end_us < ?"),
)
"""What has a time of its own: table, key, and which rows are too old."""


def retain(
    folder: Path,
    rule: RetentionRule,
    *,
    dry: bool = False,
    now_us: int | None = None,
    pause: Callable[[], bool] = lambda: False,
) -> Retained:
    """Give up what a store need not keep, also while a watch writes there.

    Args:
        folder: Of the store.
        rule: How much is kept.
        dry: Only tell what would go.
        now_us: By which age is measured, UTC in microseconds; None for now.
        pause: Called between two steps; the rest is left for another time if it says True.

    Raises:
        app.errors.StoreError: If the store cannot be read or written; what went before is gone.
    """
    with faults(folder), closing(open_database(folder, WAIT_S)) as database:
        work = _Work(folder, database, rule, _now_us() if now_us is None else now_us)
        for _ in work.looks() if dry else work.steps():
            if pause():
                break
        return work.done


class _Work:
    """One time that a store is put in order."""

    def __init__(
        self, folder: Path, database: sqlite3.Connection, rule: RetentionRule, now_us: int
    ) -> None:
        self._folder, self._db, self._rule = folder, database, rule
        self._now_us = now_us
        self._files = media_files(folder)
        self._kept = kept_events(database, confirmed=rule.keep_confirmed)
        self.done = Retained(folder)

    def looks(self) -> Iterator[None]:
        """Count what would go."""
        gone: set[str] = set()
        if (before_us := self._before_us(self._rule.days)) is not None:
            for some in self._too_old(before_us):
                gone.update(row["id"] for row in some)
                self.done = self.done.with_events([row["start_us"] for row in some])
                yield
            self.done = self.done.with_files([one for one in self._files if one.event_id in gone])
            self._count_staying(before_us)
        self._files = [one for one in self._files if one.event_id not in gone]
        self.done = self.done.with_files(self._beyond())
        rows = sum(self._count_timed(*one) for one in _TIMED) + self._count_seconds()
        self.done = replace(self.done, rows=rows)
        self._sum_up()
        yield

    def steps(self) -> Iterator[None]:
        """Do it, a step at a time."""
        if (before_us := self._before_us(self._rule.days)) is not None:
            for some in self._too_old(before_us):
                self._drop(some)
                yield
            self._count_staying(before_us)
        for some in _in_parts(self._beyond()):
            remove(one.path for one in some)
            self._gone(some)
            yield
        yield from self._drop_rows()
        yield from self._shrink()
        self._sum_up()

    def _before_us(self, days: float | None) -> int | None:
        return None if days is None else self._now_us - round(days * _DAY_US)

    def _too_old(self, before_us: int) -> Iterator[list[sqlite3.Row]]:
        """Events that may go, the oldest first, so many that one step can drop them."""
        after = (-1, "")
        while True:
            rows = self._db.execute(
                "SELECT id, start_us, end_us,"  # noqa: S608 - our own words
                " (SELECT COUNT(*) FROM sighting WHERE event_id = event.id) AS sightings"
                f" FROM event WHERE end_us < ? AND {_MAY_GO} AND (end_us, id) > (?, ?)"
                " ORDER BY end_us, id LIMIT ?",
                (before_us, *after, ROWS),
            ).fetchall()
            some = _few(rows)
            if not some:
                return
            after = (some[-1]["end_us"], some[-1]["id"])
            free = [row for row in some if row["id"] not in self._kept]
            if free:
                yield free

    def _drop(self, some: Sequence[sqlite3.Row]) -> None:
        """Delete events, their pictures first: no file may outlive what speaks of it."""
        ids = {row["id"] for row in some}
        gone = [one for one in self._files if one.event_id in ids]
        remove(one.path for one in gone)
        with self._holding():
            self._db.executemany("DELETE FROM event WHERE id = ?", [(one,) for one in ids])
        self._gone(gone)
        self.done = self.done.with_events([row["start_us"] for row in some])

    def _gone(self, files: Sequence[MediaFile]) -> None:
        gone = {one.path for one in files}
        self._files = [one for one in self._files if one.path not in gone]
        self.done = self.done.with_files(files)

    def _beyond(self) -> list[MediaFile]:
        """The files that are beyond the bytes, in the order to give them up."""
        return enough_of(as_given_up(self._files, self._kept), self._over_bytes())

    def _over_bytes(self) -> int:
        if self._rule.gigabytes is None:
            return 0
        return max(0, self._bytes() - round(self._rule.gigabytes * _GIGABYTE))

    def _bytes(self) -> int:
        return sum(one.size for one in self._files) + used_bytes(self._db)

    def _drop_rows(self) -> Iterator[None]:
        """Delete what has a time of its own, and the seconds of each source."""
        before_us = self._before_us(self._rule.days)
        for table, key, old in _TIMED if before_us is not None else ():
            yield from self._drop_until_none(
                f"DELETE FROM {table} WHERE ({key}) IN"  # noqa: S608 - our own names
                f" (SELECT {key} FROM {table} WHERE {old} LIMIT {ROWS})",
                (before_us,),
            )
        for run_id, uri, until in self._old_seconds():
            yield from self._drop_until_none(
                _DROP_SECONDS, (run_id, uri, run_id, uri, until, SIGHTINGS)
            )

    def _old_seconds(self) -> Iterator[tuple[int, str, int]]:
        """Of each source the run, its address, and the second before which they go."""
        before_us = self._now_us - round(
            min(self._rule.days or SECONDS_DAYS, SECONDS_DAYS) * _DAY_US
        )
        rows = self._db.execute("SELECT run_id, uri, start_us FROM source WHERE start_us NOT NULL")
        for run_id, uri, start_us in rows.fetchall():
            yield run_id, uri, (before_us - start_us) // 1_000_000

    def _drop_until_none(self, order: str, values: Sequence[Any]) -> Iterator[None]:
        while self._drop_some(order, values):
            yield

    def _drop_some(self, order: str, values: Sequence[Any]) -> int:
        with self._holding():
            count = self._db.execute(order, values).rowcount
        self.done = replace(self.done, rows=self.done.rows + count)
        return count

    def _shrink(self) -> Iterator[None]:
        """Give the pages that are free by now back to the disk, where the file can."""
        if self._pragma("auto_vacuum") != _INCREMENTAL:
            return
        while self._pragma("freelist_count"):
            began = time.monotonic()
            self._db.execute(f"PRAGMA incremental_vacuum({PAGES})").fetchall()
            self.done = self.done.held(time.monotonic() - began)
            yield

    def _pragma(self, name: str) -> int:
        return self._db.execute(f"PRAGMA {name}").fetchone()[0]

    @contextmanager
    def _holding(self) -> Iterator[None]:
        """Change the database, and note for how long others had to wait."""
        with transaction(self._db):
            began = time.monotonic()
            yield
        self.done = self.done.held(time.monotonic() - began)

    def _count_staying(self, before_us: int) -> None:
        old = "FROM event WHERE end_us < ? AND state = 'closed'"
        ids = [row[0] for row in self._db.execute(f"SELECT id {old}", (before_us,))]
        (waiting,) = self._db.execute(
            f"SELECT COUNT(*) {old} AND id IN (SELECT event_id FROM outbox)",  # noqa: S608
            (before_us,),
        ).fetchone()
        kept = sum(one in self._kept for one in ids)
        self.done = replace(self.done, kept=kept, waiting=waiting)

    def _count_timed(self, table: str, _: str, old: str) -> int:
        if (before_us := self._before_us(self._rule.days)) is None:
            return 0
        order = f"SELECT COUNT(*) FROM {table} WHERE {old}"  # noqa: S608 - our own names
        return self._db.execute(order, (before_us,)).fetchone()[0]

    def _count_seconds(self) -> int:
        order = "SELECT COUNT(*) FROM second WHERE run_id = ? AND uri = ? AND second < ?"
        return sum(self._db.execute(order, one).fetchone()[0] for one in self._old_seconds())

    def _sum_up(self) -> None:
        gone = {one.path for one in self._beyond()}
        left = [one for one in self._files if one.path not in gone]
        self._files = left
        self.done = replace(self.done, bytes_left=self._bytes(), over_bytes=self._over_bytes())


def kept_events(database: sqlite3.Connection, *, confirmed: bool) -> Collection[str]:
    """Ids of the events of which nothing may go: kept, open, or not told yet to every sink.

    Args:
        database: The store.
        confirmed: Whether those that people confirmed are among them.
    """
    rows = database.execute(
        "SELECT id FROM event WHERE keep OR state != 'closed' UNION SELECT event_id FROM outbox"
    )
    ids = {row[0] for row in rows}
    return ids | _confirmed(database) if confirmed else ids


def too_old_events(
    database: sqlite3.Connection, rule: RetentionRule, now_us: int | None
) -> Collection[str]:
    """Ids of the events that go whole since they ended too long ago.

    Args:
        database: The store.
        rule: How much is kept.
        now_us: By which age is measured, UTC in microseconds; None for now.
    """
    if rule.days is None:
        return set()
    before_us = (_now_us() if now_us is None else now_us) - round(rule.days * _DAY_US)
    order = f"SELECT id FROM event WHERE end_us < ? AND {_MAY_GO}"  # noqa: S608 - our own words
    ids = {row[0] for row in database.execute(order, (before_us,))}
    return ids - {*kept_events(database, confirmed=rule.keep_confirmed)}


def used_bytes(database: sqlite3.Connection) -> int:
    """What a database takes, without pages that are free and are used again."""
    pages, free, size = (
        database.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _confirmed(database: sqlite3.Connection) -> set[str]:
    """Ids of the events of which people said last that they are what they are called."""
    rows = database.execute(
        "SELECT event_id FROM answer WHERE verdict = 'confirmed'"
        " AND id IN (SELECT MAX(id) FROM answer GROUP BY event_id)"
    )
    return {row[0] for row in rows}


def _few(rows: Sequence[sqlite3.Row]) -> list[sqlite3.Row]:
    """The first of these events, so many that not too much hangs on them; one at least."""
    hanging, some = 0, []
    for row in rows:
        hanging += row["sightings"]
        if some and hanging > SIGHTINGS:
            break
        some.append(row)
    return some


def _in_parts(files: Sequence[MediaFile]) -> Iterator[Sequence[MediaFile]]:
    for start in range(0, len(files), ROWS):
        yield files[start : start + ROWS]


def _now_us() -> int:
    return int(datetime.now(UTC).timestamp() * 1e6)
