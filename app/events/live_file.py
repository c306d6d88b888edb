"""`events.jsonl` of a run under way: a line for every event that has closed, as soon as it has."""

from collections.abc import Callable, Sequence
from pathlib import Path

from app.errors import StoreError
from app.events.event import Event
from app.events.outputs import EVENTS, write_events
from app.events.store import Store
from novic.append_log import AppendLog


class LiveFile:
    """Appends whole lines, each on the disk before the next step.

    The store is the truth: the file is written from it at the beginning, and again whenever it
    could not be appended to. At its end a run writes it once more, in order of time.
    """

    def __init__(self, folder: Path, run_id: int, say: Callable[[str], None]) -> None:
        """Write what the store has of the run.

        Args:
            folder: Of the store.
            run_id: Of the run.
            say: Told in a sentence that the file cannot be written, once for each time.
        """
        self._folder = folder
        self._run_id = run_id
        self._say = say
        self._log = AppendLog(folder / EVENTS)
        self._whole = True
        self._rewrite()

    def add(self, events: Sequence[Event]) -> None:
        """Append those of these events that are closed; they are stored already."""
        closed = [event for event in events if event.state == "closed" and not event.muted]
        if not closed:
            return
        if not self._whole:
            self._rewrite()
            return
        try:
            self._log.append(*(event.as_json() for event in closed))
        except OSError as error:
            self._failed(f"{self._log.path}: cannot be written: {error.strerror or error}")

    def _rewrite(self) -> None:
        try:
            with Store(self._folder) as store:
                events = store.events(self._run_id)
            write_events(self._folder, (event for event in events if event.state == "closed"))
        except StoreError as error:
            self._failed(str(error))
        else:
            self._whole = True

    def _failed(self, why: str) -> None:
        if self._whole:
            self._say(f"{why}; its lines follow later")
        self._whole = False
