"""What was bet against a camera's calibration: kept, as whether it holds is what they make it."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

PERIOD = 40_000
"""Bets after which they begin anew: what is kept, read back and bet again has an end. It is a week
of a live camera and four of a recording."""


@dataclass(frozen=True, slots=True)
class Bet:
    """One crop of what a camera usually shows, held against its calibration."""

    uri: str
    """Of the source that showed it."""
    calibration: str
    """SHA-256 of the calibration (`calibration.site.calibrated.SiteCalibration.sha256`)."""
    at_s: float
    """When its frame was taken, in seconds from the start of the source."""
    time_us: int
    """The same by the clock, UTC in microseconds."""
    place: int
    """Where in the view; see `app.watching.sampling.Crop`."""
    distance: float
    """From what was normal when the camera was calibrated; infinite where nobody could tell, which
    is no bet, but its place was taken."""
    light: float
    """Mean grey of its frame, 0 to 255."""


def save(
    database: sqlite3.Connection, run_id: int, bets: Iterable[Bet], period: int = PERIOD
) -> None:
    """Keep bets, behind those before (inside a transaction).

    Of all before the newest period that is over nothing is kept.
    """
    new = [*bets]
    database.executemany(
        "INSERT INTO bet VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [(run_id, *astuple(b)) for b in new]
    )
    for calibration in {one.calibration for one in new}:
        if (old := _old(database, run_id, calibration, period)) > 0:
            database.execute(
                "DELETE FROM bet WHERE rowid IN (SELECT rowid FROM bet"
                " WHERE run_id = ? AND calibration = ? ORDER BY rowid LIMIT ?)",
                (run_id, calibration, old),
            )


def drop_since(database: sqlite3.Connection, run_id: int, uri: str, from_s: float) -> None:
    """Drop those of what is looked at again (inside a transaction)."""
    database.execute(
        "DELETE FROM bet WHERE run_id = ? AND uri = ? AND at_s > ?", (run_id, uri, from_s)
    )


def read(
    database: sqlite3.Connection, run_id: int, calibration: str, period: int = PERIOD
) -> Sequence[Bet]:
    """The bets of a run against one calibration, in their order: whole periods and what follows.

    Those of the newest period that is over are among them, as an audit may go back into it.
    """
    rows = database.execute(
        "SELECT uri, at_s, time_us, place, distance, light FROM bet"
        " WHERE run_id = ? AND calibration = ? ORDER BY rowid LIMIT -1 OFFSET ?",
        (run_id, calibration, _old(database, run_id, calibration, period)),
    )
    # One text for all: there are tens of thousands of them.
    uris: dict[str, str] = {}
    return [Bet(uris.setdefault(uri, uri), calibration, *rest) for uri, *rest in rows]


def newest(bets: Sequence[Bet], period: int = PERIOD) -> Sequence[Bet]:
    """Those of the period that goes on or was just filled, of what `read` gave."""
    return bets[max(0, len(bets) - 1) // period * period :]


def _old(database: sqlite3.Connection, run_id: int, calibration: str, period: int) -> int:
    """How many bets are of no use any more: whole periods, all but the newest that is over."""
    (count,) = database.execute(
        "SELECT count(*) FROM bet WHERE run_id = ? AND calibration = ?", (run_id, calibration)
    ).fetchone()
    return max(0, (count - 1) // period - 1) * period
