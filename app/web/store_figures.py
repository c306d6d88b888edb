"""What one store says of itself in numbers, for metrics.

Counters never go down, also where retention removes what was counted: what is new is added to what
was there when the process began.
"""

import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from app.events.folders import StoreFolder
from app.events.media import MEDIA
from app.events.schema import STORE
from app.redact import redact
from app.web.looking import looked_into

MEDIA_EVERY_S = 60.0
"""A folder's pictures are counted so often at most: there may be a hundred thousand."""
_NEW_EVENTS = """
SELECT CASE WHEN event.kind = 'camera' THEN 'fault'
            WHEN best.p >= event.sure_from THEN 'sure'
            WHEN json_extract(event.thing, '$.sure') THEN 'kind'
            WHEN best.p IS NULL THEN 'unnamed' ELSE 'unsure' END AS noun_state,
       COUNT(*), SUM(event.muted != ''), MAX(event.rowid)
FROM event LEFT JOIN candidate AS best ON best.event_id = event.id AND best.rank = 0
WHERE event.rowid > ? GROUP BY noun_state
"""
_NEW_GAPS = """
SELECT reason, COUNT(*), SUM(MAX(0, end_us - start_us)), MAX(end_us) FROM gap
WHERE end_us > ? GROUP BY reason
"""
_OPEN_GAPS = """
SELECT reason, MAX(start_us) FROM gap
WHERE end_us IS NULL AND run_id = (SELECT MAX(id) FROM run WHERE state = 'running') GROUP BY reason
"""
_OUTBOX = "SELECT sink, COUNT(*), MIN(created_us) FROM outbox GROUP BY sink"

type Figure = tuple[str, list[str], float]
"""Which metric (`app.web.metrics`), its labels, and the value."""


class StoreFigures:
    """The figures of one store."""

    def __init__(self, place: StoreFolder) -> None:
        """Take a store, which may not be there yet."""
        self._place = place
        self._row = 0
        self._gap_us = -1
        self._events: defaultdict[str, int] = defaultdict(int)
        self._muted = 0
        self._gaps: defaultdict[str, int] = defaultdict(int)
        self._blind_us: defaultdict[str, int] = defaultdict(int)
        self._told_blind_s: dict[str, float] = {}
        self._media = (0.0, 0)

    def figures(self) -> Iterator[Figure]:
        """Those of this moment; of a store that cannot be read only that."""
        name, now_us = self._place.name, time.time_ns() // 1000
        try:
            with closing(looked_into(self._place.folder)) as database:
                self._count(database)
                blind_s = self._blind_s(database, now_us)
                waiting = database.execute(_OUTBOX).fetchall()
        except sqlite3.Error:
            yield "readable", [name], 0
            return
        yield "readable", [name], 1
        yield "stored", [name], _store_bytes(self._place.folder)
        yield "media", [name], self._media_bytes()
        yield "muted", [name], self._muted
        for state, count in self._events.items():
            yield "events", [name, state], count
        for reason, count in self._gaps.items():
            yield "gaps", [name, reason], count
        for reason, lasted_s in blind_s.items():
            yield "blind", [name, reason], lasted_s
        for sink, count, since_us in waiting:
            yield "waits", [name, redact(sink)], count
            yield "oldest", [name, redact(sink)], max(0.0, (now_us - since_us) / 1e6)

    def _count(self, database: sqlite3.Connection) -> None:
        """Add what is new since the last time."""
        for state, count, muted, row in database.execute(_NEW_EVENTS, (self._row,)).fetchall():
            self._events[state] += count
            self._muted += muted
            self._row = max(self._row, row)
        for reason, count, lasted_us, end_us in database.execute(
            _NEW_GAPS, (self._gap_us,)
        ).fetchall():
            self._gaps[reason] += count
            self._blind_us[reason] += lasted_us
            self._gap_us = max(self._gap_us, end_us)

    def _blind_s(self, database: sqlite3.Connection, now_us: int) -> dict[str, float]:
        """Time of blindness by reason, that which lasts included."""
        lasted = dict(self._blind_us)
        for reason, since_us in database.execute(_OPEN_GAPS):
            lasted[reason] = lasted.get(reason, 0) + max(0, now_us - since_us)
        for reason, lasted_us in lasted.items():
            # One that ended was stored a moment later: the clock had run on.
            before_s = self._told_blind_s.get(reason, 0.0)
            self._told_blind_s[reason] = max(before_s, lasted_us / 1e6)
        return self._told_blind_s

    def _media_bytes(self) -> int:
        at_s, counted = self._media
        if not at_s or time.monotonic() - at_s > MEDIA_EVERY_S:
            counted = sum(_folder_bytes(self._place.folder / kind) for kind in MEDIA)
            self._media = (time.monotonic(), counted)
        return counted


def _store_bytes(folder: Path) -> int:
    return sum(_size(folder / f"{STORE}{end}") for end in ("", "-wal", "-shm"))


def _folder_bytes(folder: Path) -> int:
    try:
        return sum(_size(path) for path in folder.iterdir())
    except OSError:
        return 0


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.lstat().st_size
    return 0
