"""Events that were stored are marked as not to be told, beside whoever else writes there."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from app.events.schema import WAIT_S, faults, open_database
from novic.database import transaction


def mute(folder: Path, event_ids: Sequence[str], why: str) -> None:
    """Mark events as muted, unless they are already.

    Raises:
        app.errors.StoreError: If the store cannot be written.
    """
    with faults(folder), closing(open_database(folder, WAIT_S)) as database, transaction(database):
        database.executemany(
            "UPDATE event SET muted = ? WHERE id = ? AND muted = ''",
            [(why, event_id) for event_id in event_ids],
        )


def unmute(folder: Path, why: str) -> list[str]:
    """Take back what `mute` or a run marked for this reason.

    Returns:
        Ids of the events that are told again.

    Raises:
        app.errors.StoreError: If the store cannot be written.
    """
    with faults(folder), closing(open_database(folder, WAIT_S)) as database, transaction(database):
        rows = database.execute(
            "UPDATE event SET muted = '' WHERE muted = ? RETURNING id", (why,)
        ).fetchall()
    return sorted(row["id"] for row in rows)
