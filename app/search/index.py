"""What is known of the events of a store, kept in memory so that it is searched at once.

It is brought up to date before each search: new events are read, and those that were still open;
after a verdict or new names all are read again. So whoever keeps it, as the page, pays once.
"""

import json
import re
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.events.folders import StoreFolder
from app.events.reading import in_place
from app.search.tables import LooksTable, NamesTable
from novic.database import connect
from novic.embedder import Vectors
from novic.kinds import kind_masses
from novic.synonyms import further_words

WEIGHTS = (6.0, 2.0, 1.0)
"""Of words in an event's name, among its guesses, and in the rest: bm25 (Robertson 2009)."""
_ROWS = """
SELECT event.rowid AS number, event.id, event.state, camera, video, name, said, change, thing,
  (SELECT json_group_array(json_array(noun, p)) FROM
    (SELECT noun, p FROM candidate WHERE event_id = event.id ORDER BY rank)) AS names,
  (SELECT noun FROM answer WHERE event_id = event.id AND noun != '' ORDER BY answer.id DESC LIMIT 1)
    AS truly,
  (SELECT group_concat(answer.verdict || ' ' || answer.note, ' ') FROM answer
    WHERE event_id = event.id) AS told,
  embedder, unit
FROM event LEFT JOIN vector ON event_id = event.id
"""
_CHANGES = (
    "SELECT (SELECT ifnull(max(id), 0) FROM answer), (SELECT ifnull(max(id), 0) FROM naming),"
    " (SELECT count(undone_us) FROM naming), (SELECT id FROM event WHERE rowid = ?)"
)
"""What was said or named again, and the last event; events that were deleted are left out later."""


class StoreIndex:
    """The words and vectors of one store. One thread at a time works in it."""

    def __init__(self, folder: StoreFolder) -> None:
        """Remember a folder; nothing is read yet."""
        self.folder = folder
        self._lock = threading.RLock()
        self._words: sqlite3.Connection | None = None
        self._forget()

    def _forget(self) -> None:
        if self._words is not None:
            self._words.close()
        self._words = None
        self._ids: dict[int, str] = {}
        self._open: set[int] = set()
        self._last = 0
        self._state: tuple[object, ...] = ()
        self._looks: dict[str, LooksTable] = {}
        self._names: dict[str, NamesTable] = {}

    def refresh(self) -> None:
        """Read what is new since the last time.

        Raises:
            app.errors.UsageError: If there is no store any more.
            app.errors.StoreError: If it cannot be read.
        """
        with self._lock, in_place(self.folder.folder) as store:
            database = store.database
            if self._state != self._changes(database):
                self._forget()
            self._read(database)
            self._state = self._changes(database)

    def _changes(self, database: sqlite3.Connection) -> tuple[object, ...]:
        return tuple(database.execute(_CHANGES, (self._last,)).fetchone())

    def _read(self, database: sqlite3.Connection) -> None:
        still = ", ".join(str(number) for number in sorted(self._open))
        rows = database.execute(
            f"{_ROWS} WHERE event.rowid > ? OR event.rowid IN ({still})",
            (self._last,),
        )
        while some := rows.fetchmany(1000):
            self._take(some)

    def _take(self, rows: Sequence[sqlite3.Row]) -> None:
        words = self._table()
        known = [(row["number"],) for row in rows if row["number"] in self._ids]
        words.executemany("DELETE FROM words WHERE rowid = ?", known)
        words.executemany(
            "INSERT INTO words(rowid, names, guesses, rest) VALUES (?, ?, ?, ?)",
            [(row["number"], *_texts(row)) for row in rows],
        )
        for row in rows:
            number = row["number"]
            self._ids[number] = row["id"]
            self._last = max(self._last, number)
            (self._open.discard if row["state"] == "closed" else self._open.add)(number)
            if row["unit"] is not None:
                self._looks.setdefault(row["embedder"], LooksTable()).add(number, row["unit"])
                self._names.setdefault(row["embedder"], NamesTable()).add(number, _names(row))

    def _table(self) -> sqlite3.Connection:
        if self._words is None:
            # One thread at a time, but a page answers each call by another.
            self._words = connect(Path(":memory:"), 0.0, any_thread=True)
            self._words.execute(
                "CREATE VIRTUAL TABLE words USING fts5(names, guesses, rest,"
                " tokenize = 'porter unicode61 remove_diacritics 2')"
            )
        return self._words

    @property
    def embedders(self) -> list[str]:
        """Whose vectors there are."""
        return sorted(self._looks)

    def by_words(self, words: Iterable[str], most: int) -> list[tuple[str, float]]:
        """(id, how well) of events that hold some of the words, the best first."""
        asked = " OR ".join(f'"{word}"' for word in words)
        if not asked or self._words is None:
            return []
        with self._lock:
            rows = self._table().execute(
                f"SELECT rowid, -bm25(words, {', '.join(map(str, WEIGHTS))}) AS score"  # noqa: S608
                " FROM words WHERE words MATCH ? ORDER BY score DESC, rowid DESC LIMIT ?",
                (asked, most),
            )
            return [(self._ids[number], score) for number, score in rows.fetchall()]

    def by_looks(
        self, embedder: str, vector: NDArray[np.float32], most: int
    ) -> list[tuple[str, float]]:
        """(id, cosine) of events whose vectors are most like a unit vector [F]."""
        with self._lock:
            kept = self._looks.get(embedder)
            found = [] if kept is None else kept.nearest(vector, most)
            return [(self._ids[number], score) for number, score in found]

    def by_names(
        self,
        embedder: str,
        vector: NDArray[np.float32],
        most: int,
        vectors_of: Callable[[Sequence[str]], Vectors],
    ) -> list[tuple[str, float]]:
        """(id, cosine) of events whose names mean most nearly what a unit vector [F] means."""
        with self._lock:
            kept = self._names.get(embedder)
            found = [] if kept is None else kept.nearest(vector, most, vectors_of)
            return [(self._ids[number], score) for number, score in found]

    def newest(self, most: int) -> list[str]:
        """Ids of the events that came last, the newest first."""
        with self._lock:
            return [self._ids[number] for number in sorted(self._ids, reverse=True)[:most]]


def _names(row: sqlite3.Row) -> list[tuple[str, float]]:
    """What an event is called, with p; what people said it is, if they did."""
    if row["truly"]:
        return [(row["truly"], 1.0)]
    return [(noun, p) for noun, p in json.loads(row["names"] or "[]")]


def _texts(row: sqlite3.Row) -> tuple[str, str, str]:
    """What is told of an event: its name, its guesses, the rest."""
    nouns = [noun for noun, _ in _names(row)]
    thing: dict[str, Any] = json.loads(row["thing"] or "{}")
    best = row["truly"] or row["name"] or (nouns[0] if nouns else "")
    kinds = [kind for kind, share in kind_masses([(best, 1.0)]).items() if share >= 0.5]
    also = [*further_words(best), *kinds, thing.get("noun", ""), thing.get("maybe", "")]
    change = "" if row["change"] == "arrived" else row["change"]
    rest = [row["camera"], Path(row["video"]).stem, row["said"], row["told"] or "", change]
    return best, " ".join([*nouns, *also]), re.sub(r"[_/]+", " ", " ".join(rest))
