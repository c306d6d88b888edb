"""The ledger of an archive: what is done of it, in the store that its results are in.

It is the truth. Whatever a pool of processes or a cluster believes, a segment counts as done only
once this says so, in the same transaction that brings its results.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from app.archive.joining import Opened, bring
from app.archive.segments import Segment
from app.events.outbox import Outbox
from app.events.schema import WAIT_S, faults, open_database
from novic.database import transaction

MOST_TRIES = 3
"""A segment that ended so often without a result is given up, and told."""


class Ledger:
    """The segments of one run."""

    def __init__(self, folder: Path, run_id: int, sinks: Sequence[str] = ()) -> None:
        """Read what is there.

        Args:
            folder: The output folder, whose store is there.
            run_id: The run.
            sinks: Who is given the events that segments bring.

        Raises:
            app.errors.StoreError: If the store cannot be used.
        """
        self._folder, self._run_id, self._sinks = folder, run_id, sinks
        with faults(folder):
            self._db = open_database(folder, WAIT_S)
        self._outbox = Outbox(self._db, lambda: faults(folder), self._saving)
        self.segments: dict[int, Segment] = {}
        """By their numbers, in order."""
        with faults(folder):
            rows = self._db.execute(
                "SELECT * FROM audit_segment WHERE run_id = ? ORDER BY number", (run_id,)
            )
            self.segments = {row["number"]: _segment(dict(row)) for row in rows}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def plan(self, segments: Sequence[Segment]) -> None:
        """Begin with these.

        Raises:
            app.errors.StoreError: If they cannot be written.
        """
        with self._saving():
            for one in segments:
                self._write(one)

    def recover(self) -> None:
        """Take up what was running when its process ended: it has to be done again.

        Raises:
            app.errors.StoreError: If it cannot be written.
        """
        for one in [one for one in self.segments.values() if one.state == "running"]:
            self.note(one.number, state="open" if one.reached_s else "waiting", worker="")

    def note(self, number: int, **news: Any) -> Segment:  # noqa: ANN401 - values of fields
        """Write what is new of a segment.

        Raises:
            app.errors.StoreError: If it cannot be written.
        """
        with self._saving():
            return self._note(number, news)

    def failed(self, number: int, why: str) -> Segment:
        """Note that a segment ended without a result; it is given up after MOST_TRIES.

        Raises:
            app.errors.StoreError: If it cannot be written.
        """
        one = self.segments[number]
        tries = one.tries + 1
        state = "failed" if tries >= MOST_TRIES else "open" if one.reached_s else "waiting"
        return self.note(number, state=state, tries=tries, fault=why, worker="")

    def join(self, number: int, part: Path, frames_before: int) -> int:
        """Bring the results of a segment into the store, once, and note that they are there.

        Args:
            number: Of a segment that is over.
            part: Its folder.
            frames_before: Of its frames, those that belong to the segment before.

        Returns:
            How many of its events were there already, of another file.

        Raises:
            app.errors.StoreError: If it cannot be written; nothing of it is then.
        """
        one = self.segments[number]
        with faults(self._folder):
            into = Opened(self._folder, self._db)
            with open_part(part) as source, self._saving():
                told = bring(source, into, self._run_id, one, frames_before)
                for event in told.events:
                    self._outbox.put(event, self._sinks, _now_us())
                self._note(number, {"joined": True})
        return told.doubled

    def _note(self, number: int, news: dict[str, Any]) -> Segment:
        one = replace(self.segments[number], **news)
        self._write(one)
        return one

    def _write(self, one: Segment) -> None:
        values = {"run_id": self._run_id, **asdict(one)}
        self._db.execute(
            f"INSERT OR REPLACE INTO audit_segment({', '.join(values)})"  # noqa: S608 - our own
            f" VALUES ({', '.join('?' * len(values))})",
            tuple(values.values()),
        )
        self.segments[one.number] = one

    @contextmanager
    def _saving(self) -> Iterator[None]:
        before = dict(self.segments)
        try:
            with faults(self._folder), transaction(self._db):
                yield
        except BaseException:
            self.segments = before
            raise


@contextmanager
def open_part(part: Path) -> Iterator[Opened]:
    """The store of a part, which nobody writes any more.

    Raises:
        sqlite3.Error: If it cannot be read.
    """
    source = open_database(part, WAIT_S)
    try:
        yield Opened(part, source)
    finally:
        source.close()


def _segment(row: dict[str, Any]) -> Segment:
    row["joined"] = bool(row["joined"])
    return Segment(**{one.name: row[one.name] for one in fields(Segment)})


def _now_us() -> int:
    return int(datetime.now(UTC).timestamp() * 1e6)
