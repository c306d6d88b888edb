"""What people said of events, in a small SQLite file that lies with the detector of the view.

Who looks with that detector heeds it, in whatever folder its results are; so it outlives a run. It
is a file of its own because the store of a run has one writer, and a verdict comes while a watch
runs.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.errors import FeedbackError
from novic.database import connect, transaction

FEEDBACK = "feedback.sqlite"
VERSION = 3
_WAIT_S = 5.0
_TABLE = """
CREATE TABLE verdict(
  number INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice, since events tell it
  kind TEXT NOT NULL,          -- what was said: 'normal'
  event_id TEXT NOT NULL,      -- of which event
  camera TEXT NOT NULL,
  change TEXT NOT NULL,        -- what had changed there
  noun TEXT NOT NULL,          -- what it was called
  nouns TEXT NOT NULL,         -- and might have been: JSON, nouns with probabilities
  note TEXT NOT NULL,          -- why, in the user's words
  said_us INTEGER NOT NULL,    -- UTC microseconds
  keep_s REAL,                 -- expires so long after the last match; NULL for never
  matched_us INTEGER,          -- when it last silenced something; NULL for not yet
  matches INTEGER NOT NULL DEFAULT 0,
  embedder TEXT NOT NULL,      -- that made the vector
  unit BLOB NOT NULL,          -- of the event, float16, little-endian
  looks BLOB NOT NULL,         -- its signature (detectors.signatures), float16, little-endian
  likeness REAL NOT NULL,      -- log-odds from which on another event is the same thing
  others INTEGER,              -- how many other things were tried on it; NULL for not measured
  silenced TEXT NOT NULL DEFAULT '' -- which of them it would silence, one a line
)
"""
_ADDED = {
    2: "ALTER TABLE verdict ADD COLUMN same TEXT NOT NULL DEFAULT ''",  # see Leak.same
    3: """
CREATE TABLE quiet(             -- a rule: what is quiet where and when (app.feedback.quiet)
  number INTEGER PRIMARY KEY AUTOINCREMENT, -- no verdict has it, nor has had it
  event_id TEXT NOT NULL,      -- of which it was said
  camera TEXT NOT NULL,
  what TEXT NOT NULL,          -- a noun or a kind
  of_kind INTEGER NOT NULL,
  change TEXT NOT NULL,        -- what had changed there
  zone TEXT NOT NULL,          -- JSON: name, corners as shares of the view, words
  since_min INTEGER NOT NULL,  -- minutes of the day, on the clock of this machine
  until_min INTEGER NOT NULL,
  days TEXT NOT NULL,          -- JSON: 0 for Monday; empty for all
  made_us INTEGER NOT NULL,    -- UTC microseconds
  keep_s REAL,                 -- expires so long after the last use; NULL for never
  who TEXT NOT NULL,
  note TEXT NOT NULL,
  uses INTEGER NOT NULL DEFAULT 0,
  used_us INTEGER,             -- when it last quieted something; NULL for not yet
  leak TEXT,                   -- JSON; NULL for not measured
  embedder TEXT,               -- this and what follows as of a verdict; NULL for any looks
  unit BLOB,
  looks BLOB,
  nouns TEXT,
  likeness REAL
)
""",
}
"""What later versions added."""

type VerdictKind = Literal["normal"]


@dataclass(frozen=True, slots=True)
class Leak:
    """What else a verdict silences, as it was measured."""

    others: int
    """Other things that were tried."""
    silenced: tuple[str, ...]
    """What those of them are that would go silent; one named twice was tried in two places."""
    same: str = ""
    """One of the things tried that is seen to be what the verdict speaks of; not among the
    others. Empty for none."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What was said of one event."""

    number: int
    """0 before it was kept."""
    kind: VerdictKind
    event_id: str
    camera: str
    change: str
    noun: str
    nouns: tuple[tuple[str, float], ...]
    """Candidates of its name with their probabilities."""
    note: str
    said_us: int
    """UTC in microseconds."""
    keep_s: float | None
    """It expires so long after it last matched; None for never."""
    embedder: str
    vector: NDArray[np.float32]
    """Unit vector [F] of the event."""
    signature: NDArray[np.float32]
    """What its thing looks like; see detectors.signatures."""
    likeness: float
    """Log-odds from which on another event shows the same thing."""
    matched_us: int | None = None
    matches: int = 0
    leak: Leak | None = None

    @property
    def until_us(self) -> int | None:
        """When it expires, UTC in microseconds, unless it matches before; None for never."""
        if self.keep_s is None:
            return None
        return max(self.said_us, self.matched_us or 0) + round(1e6 * self.keep_s)

    def holds(self, time_us: int) -> bool:
        """Whether it has not expired at a time, UTC in microseconds."""
        return self.until_us is None or time_us <= self.until_us

    @property
    def why(self) -> str:
        """What is told of an event that it silences; the same as long as it is there."""
        said = f"{self.noun or 'this'} is {self.kind} here, said of {self.event_id}"
        return f"verdict {self.number}: {said}{f' ({self.note})' if self.note else ''}"

    def as_json(self) -> dict[str, Any]:
        """The verdict as scripts read it; keys are stable."""
        leak = self.leak
        return {
            "number": self.number,
            "verdict": self.kind,
            "event": self.event_id,
            "camera": self.camera,
            "change": self.change,
            "noun": self.noun,
            "note": self.note,
            "said_us": self.said_us,
            "until_us": self.until_us,
            "matched_us": self.matched_us,
            "matches": self.matches,
            "likeness": round(self.likeness, 4),
            "leak": leak
            and {"others": leak.others, "silenced": list(leak.silenced), "same": leak.same},
        }


class Verdicts:
    """The verdicts that lie in a detector's folder; opened for each use, so that many may."""

    def __init__(self, folder: Path) -> None:
        """Look at a folder; nothing is made there before something is said."""
        self.path = folder / FEEDBACK

    def all(self) -> list[Verdict]:
        """Every verdict in the order it was said, expired ones too; none without a file.

        Raises:
            FeedbackError: If the file cannot be read, or is from a newer Nomaly.
        """
        if not self.path.exists():
            return []
        with self.opened() as database:
            return [_verdict(row) for row in database.execute("SELECT * FROM verdict")]

    def add(self, verdict: Verdict) -> int:
        """Keep what was said; returns its number.

        Raises:
            FeedbackError: If it cannot be written.
        """
        values = {
            name: getattr(verdict, name)
            for name in (
                "kind", "event_id", "camera", "change", "noun", "note", "said_us", "keep_s",
                "embedder", "likeness",
            )
        }  # fmt: skip
        values["nouns"] = json.dumps(verdict.nouns, ensure_ascii=False)
        values["unit"] = verdict.vector.astype("<f2").tobytes()
        values["looks"] = verdict.signature.astype("<f2").tobytes()
        with self.opened() as database, transaction(database):
            values["number"] = next_number(database)
            return database.execute(
                f"INSERT INTO verdict({', '.join(values)})"  # noqa: S608 - our own names
                f" VALUES ({', '.join('?' * len(values))}) RETURNING number",
                tuple(values.values()),
            ).fetchone()[0]

    def measured(self, number: int, likeness: float, leak: Leak) -> None:
        """Keep from where on it matches, and what else it silences then.

        Raises:
            FeedbackError: If it cannot be written.
        """
        with self.opened() as database, transaction(database):
            database.execute(
                "UPDATE verdict SET likeness = ?, others = ?, silenced = ?, same = ?"
                " WHERE number = ?",
                (likeness, leak.others, "\n".join(leak.silenced), leak.same, number),
            )

    def matched(self, number: int, time_us: int) -> None:
        """Note that it silenced an event that began at a time, UTC in microseconds.

        Raises:
            FeedbackError: If it cannot be written.
        """
        with self.opened() as database, transaction(database):
            database.execute(
                "UPDATE verdict SET matches = matches + 1,"
                " matched_us = max(coalesce(matched_us, 0), ?) WHERE number = ?",
                (time_us, number),
            )

    def forget(self, number: int) -> None:
        """Drop a verdict; nothing happens if there is none of this number.

        Raises:
            FeedbackError: If it cannot be written.
        """
        with self.opened() as database, transaction(database):
            database.execute("DELETE FROM verdict WHERE number = ?", (number,))

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """The file, brought up to date; made if it is not there.

        Raises:
            FeedbackError: If it cannot be used, or is from a newer Nomaly.
        """
        try:
            with closing(connect(self.path, _WAIT_S)) as database:
                database.row_factory = sqlite3.Row
                self._prepare(database)
                yield database
        except sqlite3.Error as error:
            raise FeedbackError(f"{self.path}: cannot be used: {error}") from error

    def _prepare(self, database: sqlite3.Connection) -> None:
        if _version(database) < VERSION:
            with transaction(database):
                # Another process may have made it meanwhile.
                if (found := _version(database)) == 0:
                    database.execute(_TABLE)
                for version in range(max(found, 1) + 1, VERSION + 1):
                    database.execute(_ADDED[version])
                database.execute(f"PRAGMA user_version={max(found, VERSION)}")
        if (found := _version(database)) > VERSION:
            raise FeedbackError(
                f"{self.path}: written by a newer Nomaly (version {found} of feedback, this one "
                f"knows {VERSION}); update Nomaly"
            )


def next_number(database: sqlite3.Connection) -> int:
    """A number that no verdict and no rule has or has had."""
    return database.execute(
        "SELECT 1 + coalesce(max(seq), 0) FROM sqlite_sequence WHERE name IN ('verdict', 'quiet')"
    ).fetchone()[0]


def now_us() -> int:
    """UTC in microseconds, when somebody says something."""
    return int(datetime.now(UTC).timestamp() * 1e6)


def _version(database: sqlite3.Connection) -> int:
    return database.execute("PRAGMA user_version").fetchone()[0]


def _verdict(row: sqlite3.Row) -> Verdict:
    values = dict(row)
    others, silenced, same = (values.pop(name) for name in ("others", "silenced", "same"))
    vector, signature = (
        np.frombuffer(values.pop(name), "<f2").astype(np.float32) for name in ("unit", "looks")
    )
    leak = None if others is None else Leak(others, tuple(silenced.splitlines()), same)
    unit = vector / max(float(np.linalg.norm(vector)), 1e-6)
    values["nouns"] = tuple((noun, p) for noun, p in json.loads(values["nouns"]))
    return Verdict(**values, vector=unit, signature=signature, leak=leak)
