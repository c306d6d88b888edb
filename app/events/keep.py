"""Events that are kept because a person asked for it, whatever the rule of the storage says."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from app.errors import UsageError
from app.events.folders import watched_folders
from app.events.schema import WAIT_S, faults, open_database
from novic.database import transaction


def keep(place: Path, event_ids: Sequence[str], *, kept: bool = True) -> None:
    """Keep events for good, or no longer; also while a watch writes there.

    Args:
        place: The --out of an audit or watch, or the folder of a site.
        event_ids: Ids of events in any store of it.
        kept: Whether they are kept.

    Raises:
        UsageError: If there is no such event; those that there are were marked.
        app.errors.StoreError: If a store cannot be written.
    """
    missing = [one for one in event_ids if not any([*_marked(place, one, kept)])]
    if missing:
        raise UsageError(
            f"{place}: holds no event {missing[0]}; nomaly events list shows their ids"
        )


def _marked(place: Path, event_id: str, kept: bool) -> list[bool]:
    """Whether each store of a place has the event; it is marked there."""
    found = []
    for one in watched_folders(place):
        with (
            faults(one.folder),
            closing(open_database(one.folder, WAIT_S)) as database,
            transaction(database),
        ):
            order = "UPDATE event SET keep = ? WHERE id = ?"
            found.append(database.execute(order, (int(kept), event_id)).rowcount > 0)
    return found
