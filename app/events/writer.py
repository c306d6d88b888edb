"""Saves what a watch found beside the thread that looks at frames."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from app.events.store import Changes, Store

MOST_WAITING = 16
"""Changes that may wait for the disk; their pictures are held in memory."""


class Saver(Protocol):
    """Saves changes in order, at once or soon."""

    def save(self, run_id: int, changes: Changes) -> None:
        """Save changes, or see to it that they are saved behind those before them.

        Raises:
            app.errors.StoreError: If these or earlier ones could not be written.
        """
        ...


class Writer:
    """Encodes, saves and tells changes on one thread of its own, in their order.

    What could not be saved stays first in the queue and is tried again with what comes next, so
    that nothing is told or saved out of order.
    """

    def __init__(self, open_store: Callable[[], Store], saved: Callable[[Changes], None]) -> None:
        """Open the store on the new thread.

        Args:
            open_store: Opens it; SQLite keeps a connection to its thread.
            saved: Called on that thread with what has just become final.

        Raises:
            app.errors.StoreError: If the store cannot be opened.
        """
        self._saved = saved
        self._thread = ThreadPoolExecutor(1, "writer")
        self._unsaved: deque[tuple[int, Changes]] = deque()
        self._tasks: deque[Future[None]] = deque()
        try:
            self._store = self._thread.submit(open_store).result()
        except BaseException:
            self._thread.shutdown()
            raise

    def save(self, run_id: int, changes: Changes) -> None:
        """Save changes soon; waits only while MOST_WAITING others do.

        Raises:
            app.errors.StoreError: If earlier ones could not be written.
        """
        self._unsaved.append((run_id, changes))
        self._tasks.append(self._thread.submit(self._save_waiting))
        while self._tasks and (self._tasks[0].done() or len(self._tasks) > MOST_WAITING):
            self._tasks.popleft().result()

    def flush(self) -> None:
        """Return when all is saved and told.

        Raises:
            app.errors.StoreError: If something could not be written.
        """
        while self._tasks:
            self._tasks.popleft().result()

    def close(self) -> None:
        """Save what can be and let go of the file; what cannot be is lost."""
        self._thread.submit(self._store.close)
        self._thread.shutdown()

    def _save_waiting(self) -> None:
        while self._unsaved:
            self._store.save(*self._unsaved[0])
            _, changes = self._unsaved.popleft()
            self._saved(changes)
