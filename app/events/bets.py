"""What was bet against a camera's calibration: kept, as whether it holds is what they make it."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass


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
    """From what was normal when the camera was calibrated."""
    light: float
    """Mean grey of its frame, 0 to 255."""


def save(database: sqlite3.Connection, run_id: int, bets: Iterable[Bet]) -> None:
    """Keep bets, behind those before (inside a transaction)."""
    database.executemany(
        "INSERT INTO bet VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [(run_id, *astuple(b)) for b in bets]
    )


def drop_since(database: sqlite3.Connection, run_id: int, uri: str, from_s: float) -> None:
    """Drop those of what is looked at again (inside a transaction)."""
    database.execute(
        "DELETE FROM bet WHERE run_id = ? AND uri = ? AND at_s > ?", (run_id, uri, from_s)
    )


def read(database: sqlite3.Connection, run_id: int, calibration: str) -> Sequence[Bet]:
    """The bets of a run against one calibration, in their order."""
    rows = database.execute(
        "SELECT uri, calibration, at_s, time_us, place, distance, light FROM bet"
        " WHERE run_id = ? AND calibration = ? ORDER BY rowid",
        (run_id, calibration),
    )
    return [Bet(*row) for row in rows]
