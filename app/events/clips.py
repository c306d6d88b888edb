"""Which events have a clip, and where it lies: clips/ID.mp4 beside the store."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from app.events.media import CLIPS
from app.events.schema import WAIT_S, faults, open_database
from novic.database import transaction


def clips_folder(folder: Path) -> Path:
    """Where the clips of an output folder lie."""
    return folder / CLIPS


def keep_clips(folder: Path, clips: Mapping[str, int]) -> None:
    """Note the clips of events that are stored; of others nothing is noted.

    Args:
        folder: The output folder.
        clips: By the event's id UTC in microseconds at the clip's start.

    Raises:
        app.errors.StoreError: If it cannot be written; nothing of it is then.
    """
    with faults(folder), closing(open_database(folder, WAIT_S)) as database, transaction(database):
        database.executemany(
            "UPDATE event SET clip_from_us = ? WHERE id = ?",
            [(from_us, event_id) for event_id, from_us in clips.items()],
        )
