"""A watch whose settings have changed since it was started last: what goes on all the same."""

import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from app.events.differences import difference
from app.events.outputs import earlier_run
from app.events.schema import WAIT_S, faults, open_database
from app.events.store import Run, Store
from novic.database import transaction

VIEW = ("source", "detector", "detector_config")
"""Settings that make another view of it, or another judge: what was learned is of no use then."""


def adopted_run(store: Store, settings: Mapping[str, Any], unsaid: Mapping[str, Any]) -> Run | None:
    """The watch that a folder holds, with the settings that are asked for now.

    A note of the run tells what changed. The same view goes on: what is open stays open.

    Args:
        store: Of the folder.
        settings: What decides the run's result, as it comes back from the store.
        unsaid: See `app.events.outputs.earlier_run`.

    Returns:
        None if there is none, or another view is watched from now on.

    Raises:
        UsageError: If the folder holds an audit.
        StoreError: If the change cannot be written.
    """
    last = store.last_run()
    if last is None:
        return None
    before = {**unsaid, **last.settings}
    if last.kind != "watch" or before == settings:
        return earlier_run(store, "watch", settings, unsaid)
    if any(before.get(name) != settings.get(name) for name in VIEW):
        return None
    with faults(store.folder), closing(open_database(store.folder, WAIT_S)) as database:
        text = json.dumps(settings, sort_keys=True)
        with transaction(database):
            database.execute("UPDATE run SET settings = ? WHERE id = ?", (text, last.id))
    store.add_note(last.id, f"settings changed: {difference(settings, before)}")
    return store.run(last.id)
