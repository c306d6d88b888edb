"""The rating store: what was asked of raters and what came back, in one SQLite file.

Answers cost money or hours. Each is therefore final in one transaction before the next is asked,
and kept by question: all runs and scenarios of a user share one file, and who asks the same again
finds the answer. Order is the order of arrival; the clock is kept for people only.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from itertools import groupby
from pathlib import Path
from typing import Self

from novic.database import connect, primary_code, transaction, write_ahead
from scenarios.ratings.records import (
    Answer,
    Backend,
    Line,
    Planned,
    Question,
    Rating,
    RatingError,
    Spent,
)
from scenarios.ratings.schema import OWNER, SCHEMA, VERSION

_RATING = "target_noun, asked_as, raw, role, opinion, line"
_SUMS = "COUNT(*), TOTAL(tokens_in), TOTAL(tokens_out), TOTAL(cost_usd)"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the store holds about one question, for provenance."""

    question: Question
    backends: Mapping[Backend, int]
    """Number of answers each brought."""
    spent: Spent
    first_us: int
    """Lowest time of an answer: UTC, microseconds."""
    last_us: int
    """And the highest."""


class RatingStore:
    """All answers of one user. Several processes may use it at once, each writes for moments."""

    def __init__(self, path: Path, *, wait_s: float = 30.0) -> None:
        """Open the store; it is made if there is none.

        Args:
            path: The SQLite file. Its folder is made, too.
            wait_s: How long to wait for another process that is writing.

        Raises:
            RatingError: If the file is damaged, of another program or of a newer Nomaly, or if it
                cannot be written.
        """
        self.path = path
        self._wait_s = wait_s
        with self._faults():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._db = connect(path, wait_s)
            try:
                self._open()
            except BaseException:
                self._db.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def plan(self, run: str, requests: Sequence[Planned]) -> None:
        """Fix the next round of a run: what is asked together, before any of it is sent.

        Args:
            run: The run's name, chosen by the caller.
            requests: In their order. An empty round leaves no trace.

        Raises:
            RatingError: If it cannot be written; nothing of it is then.
        """
        with self._saving():
            (last,) = self._db.execute(
                "SELECT IFNULL(MAX(round), 0) FROM planned WHERE run = ?", (run,)
            ).fetchone()
            self._db.executemany(
                "INSERT INTO planned VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (run, last + 1, place, _lines_text(p.lines), p.opinion, p.attempt, p.split)
                    for place, p in enumerate(requests)
                ],
            )

    def rounds(self, run: str) -> list[list[Planned]]:
        """All that was planned for a run, round by round; empty if nothing was."""
        with self._faults():
            rows = self._db.execute(
                "SELECT round, lines, opinion, attempt, split FROM planned WHERE run = ?"
                " ORDER BY round, place",
                (run,),
            ).fetchall()
        return [
            [Planned(_lines(text), *numbers) for _, text, *numbers in of_round]
            for _, of_round in groupby(rows, key=lambda row: row[0])
        ]

    def add(self, question: Question, answer: Answer) -> bool:
        """Keep an answer: on disk with all its ratings when this returns.

        Returns:
            Whether it was new. If its request was answered before, the first answer stays.

        Raises:
            RatingError: If it cannot be written, for example on a full disk; what was kept before
                is unharmed, and the same answer can be added again later.
        """
        with self._saving():
            self._db.execute(
                "INSERT OR IGNORE INTO question VALUES (?, ?, ?, ?, ?, ?)",
                (question.key, *astuple(question)),
            )
            fresh = self._db.execute(
                "INSERT INTO answer(request_id, question, status, reason, backend, tokens_in,"
                " tokens_out, cost_usd, created_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (request_id) DO NOTHING RETURNING number",
                (
                    answer.request_id,
                    question.key,
                    answer.status,
                    answer.reason,
                    answer.backend,
                    answer.tokens_in,
                    answer.tokens_out,
                    answer.cost_usd,
                    answer.created_us,
                ),
            ).fetchone()
            if fresh is not None:
                self._db.executemany(
                    f"INSERT INTO rating(answer, place, {_RATING})"  # noqa: S608 - our own names
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [(*fresh, place, *astuple(r)) for place, r in enumerate(answer.ratings)],
                )
        return fresh is not None

    def answers(self, request_ids: Iterable[str]) -> dict[str, Answer]:
        """Those of these requests that have an answer, in order of arrival."""
        asked = json.dumps(list(request_ids))
        with self._faults():
            rows = self._db.execute(
                "SELECT number, request_id, status, reason, backend, tokens_in, tokens_out,"
                " cost_usd, created_us FROM answer"
                " WHERE request_id IN (SELECT value FROM json_each(?)) ORDER BY number",
                (asked,),
            ).fetchall()
            return {
                request_id: Answer(request_id, status, self._ratings_of(number), *rest)
                for number, request_id, status, *rest in rows
            }

    def ratings(self, question: Question) -> list[Rating]:
        """All ratings of a question's answers, in order of arrival, of every role.

        Of nouns from usable answers alone; of hidden lines also from rejected ones, so that a rater
        is judged by all that it said.
        """
        with self._faults():
            rows = self._db.execute(
                f"SELECT {_RATING} FROM answer JOIN rating ON rating.answer = answer.number"  # noqa: S608 - our own names
                " WHERE question = ? ORDER BY number, place",
                (question.key,),
            )
            return [Rating(*row) for row in rows]

    def spent(self, question: Question) -> Spent:
        """What a question's answers took, rejected and failed ones included."""
        with self._faults():
            row = self._db.execute(
                f"SELECT {_SUMS} FROM answer WHERE question = ?",  # noqa: S608 - our own names
                (question.key,),
            ).fetchone()
        return _spent(row)

    def questions(self) -> list[Asked]:
        """All questions that have an answer, in the order of their first one."""
        with self._faults():
            rows = self._db.execute(
                "SELECT kind, model, model_sha256, prompt_sha256, site_sha256 FROM question"
                " JOIN answer ON question = key GROUP BY key ORDER BY MIN(number)"
            ).fetchall()
            return [self._asked(Question(*row)) for row in rows]

    def _asked(self, question: Question) -> Asked:
        backends = self._db.execute(
            "SELECT backend, COUNT(*) FROM answer WHERE question = ?"
            " GROUP BY backend ORDER BY backend",
            (question.key,),
        ).fetchall()
        first_us, last_us = self._db.execute(
            "SELECT MIN(created_us), MAX(created_us) FROM answer WHERE question = ?",
            (question.key,),
        ).fetchone()
        return Asked(question, dict(backends), self.spent(question), first_us, last_us)

    def _ratings_of(self, number: int) -> tuple[Rating, ...]:
        rows = self._db.execute(
            f"SELECT {_RATING} FROM rating WHERE answer = ? ORDER BY place",  # noqa: S608 - our own names
            (number,),
        )
        return tuple(Rating(*row) for row in rows)

    def _open(self) -> None:
        """Check whose file this is, then make ready to write."""
        (objects,) = self._db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if objects:
            self._check_ours()
        write_ahead(self._db, self._wait_s, "FULL")
        self._db.execute("PRAGMA foreign_keys=ON")
        if not objects:
            self._make()

    def _check_ours(self) -> None:
        (owner,) = self._db.execute("PRAGMA application_id").fetchone()
        if owner != OWNER:
            raise RatingError(
                f"{self.path}: is a database of another program, not a rating store; "
                "move it away or name another file"
            )
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise RatingError(
                f"{self.path}: written by a newer Nomaly (version {version} of the rating store, "
                f"this one knows {VERSION}); update Nomaly or name another file"
            )
        (first, *_) = self._db.execute("PRAGMA quick_check(1)").fetchone()
        if first != "ok":
            raise RatingError(self._damaged(first))

    def _make(self) -> None:
        try:
            self._db.executescript(SCHEMA)
        except sqlite3.OperationalError:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            (objects,) = self._db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
            if not objects:
                raise
            self._check_ours()  # another process made it between our look and now

    @contextmanager
    def _saving(self) -> Iterator[None]:
        """Make all that is written inside final together, or nothing of it."""
        with self._faults(), transaction(self._db):
            yield

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn faults of disk and database into one sentence."""
        try:
            yield
        except sqlite3.Error as error:
            raise RatingError(self._sentence(error)) from error
        except OSError as error:
            raise RatingError(
                f"{error.filename or self.path}: cannot be written: {error.strerror or error}; "
                "make the folder writable or free some space"
            ) from error

    def _sentence(self, error: sqlite3.Error) -> str:
        match primary_code(error):
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                return self._damaged(str(error))
            case sqlite3.SQLITE_FULL:
                return (
                    f"{self.path}: cannot be written: the disk is full; free some space and start "
                    "again, every answer kept so far is unharmed"
                )
            case sqlite3.SQLITE_BUSY:
                return (
                    f"{self.path}: another process has been writing for over {self._wait_s:g} s; "
                    "wait until it is done or end it, then start again"
                )
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN:
                return (
                    f"{self.path}: cannot be written: {error}; "
                    "make the file and its folder writable or name another file"
                )
        return f"{self.path}: cannot be used: {error}"

    def _damaged(self, what: str) -> str:
        return (
            f"{self.path}: is damaged or no rating store ({what}); put back a copy of it, or move "
            "it away to start anew: then all that was asked before is asked, and paid, again"
        )


def _spent(row: tuple[int, float, float, float]) -> Spent:
    requests, tokens_in, tokens_out, cost_usd = row
    return Spent(requests, round(tokens_in), round(tokens_out), cost_usd)


def _lines_text(lines: tuple[Line, ...]) -> str:
    return json.dumps([astuple(line) for line in lines], ensure_ascii=False)


def _lines(text: str) -> tuple[Line, ...]:
    return tuple(Line(*line) for line in json.loads(text))
