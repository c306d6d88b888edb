"""What an event's name rests on: vectors and ballots, and what its thing looks like."""

import sqlite3

from app.events.event import Finding
from app.events.reading import SIGNATURE_VERSION


def save(database: sqlite3.Connection, finding: Finding, embedder: str) -> None:
    """Keep what a finding brings of it (inside a transaction).

    Args:
        database: Of the store.
        finding: Its event is kept already.
        embedder: Spec of the embedder that made its vectors.
    """
    event_id = finding.event.id
    if finding.signature is not None:
        looks = finding.signature.astype("<f2").tobytes()
        database.execute(
            "INSERT OR REPLACE INTO signature(event_id, version, looks) VALUES (?, ?, ?)",
            (event_id, SIGNATURE_VERSION, looks),
        )
    if finding.vector is not None:
        unit = finding.vector.astype("<f2")
        database.execute(
            "INSERT OR REPLACE INTO vector(event_id, embedder, width, unit) VALUES (?, ?, ?, ?)",
            (event_id, embedder, len(unit), unit.tobytes()),
        )
    if finding.ballots is not None:
        database.execute(
            "INSERT OR REPLACE INTO ballot(event_id, embedder, packed) VALUES (?, ?, ?)",
            (event_id, embedder, finding.ballots.as_bytes),
        )
