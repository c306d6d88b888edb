"""Saves what a watch found beside the thread that looks at frames, also on a disk that is full."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Protocol

from app.errors import PicturesError, StoreError
from app.events.backlog import MOST_PICTURED, Backlog
from app.events.event import Finding
from app.events.room import Room
from app.events.store import Changes, Store

MOST_WAITING = 16
"""Changes that may wait for a disk that works before the caller does."""


_OF_THE_DISK = ("the disk is full", "readonly", "Read-only")
"""Faults that somebody must see to; a store that another program locks is free again soon."""


class Saver(Protocol):
    """Saves changes in order, at once or soon."""

    def save(self, run_id: int, changes: Changes) -> None:
        """Save changes, or see to it that they are saved behind those before them.

        Raises:
            app.errors.StoreError: If they were to be written at once and could not.
        """
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How a store that cannot be written is tried again."""

    retry_s: float = 5.0
    hurry_s: float = 1.0
    """The same once everything is to come to an end."""
    end_s: float = 10.0
    """How long the end waits for what could not be stored yet."""
    slow_s: float = 5.0
    """How long a caller waits for a disk that is slower than it; then the disk counts as stuck."""


@dataclass(slots=True)
class _Trouble:
    """A time in which something could not be stored."""

    since_s: float
    why: str
    stopped: bool = False
    """Whether nothing could be stored at all, not only no pictures."""


class Writer:
    """Encodes, saves and tells changes on one thread of its own, in their order.

    No fault of the disk reaches the caller. What cannot be stored waits in memory, within the
    bounds of `Backlog`, and is tried again every few seconds; nothing is told before it is stored.
    Where only pictures cannot be written, events are kept without, and the pictures follow.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        saved: Callable[[Changes], None],
        say: Callable[[str], None] = lambda _: None,
        patience: Patience | None = None,
        room: Room | None = None,
    ) -> None:
        """Open the store on the new thread.

        Args:
            open_store: Opens it; SQLite keeps a connection to its thread.
            saved: Called on that thread with what has just become final.
            say: Told in a sentence that the store cannot be written, and when it can be again.
            patience: How to try again.
            room: Keeps some of the disk free for new pictures; None not to.

        Raises:
            app.errors.StoreError: If the store cannot be opened.
        """
        self._room = room
        self._saved = saved
        self._say = say
        self._patience = patience or Patience()
        self._changed = threading.Condition()
        self._backlog = Backlog()
        self._owed: dict[str, Finding] = {}
        """Events that were saved without their pictures, by id."""
        self._trouble: _Trouble | None = None
        self._blocked = False
        self._under_way: Changes | None = None
        self._slow = self._hurrying = self._closing = False
        self._run_id = 0
        self._fault: BaseException | None = None
        opened: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._work, args=(open_store, opened), name="writer", daemon=True
        )
        self._thread.start()
        opened.result()

    def save(self, run_id: int, changes: Changes) -> None:
        """Save changes soon; waits a little while MOST_WAITING others do, never for a fault."""
        with self._changed:
            self._check()
            self._run_id = run_id
            self._backlog.add(run_id, changes)
            self._changed.notify_all()
            wait_s = 0.0 if self._slow else self._patience.slow_s
            self._slow = not self._changed.wait_for(self._has_room, wait_s)
            if self._slow or self._trouble is not None:
                self._backlog.thin()

    def flush(self) -> list[Finding]:
        """Wait until all is saved and told, within the patience for the end if something fails.

        Returns:
            What could not be stored: empty if all is well.
        """
        with self._changed:
            self._hurrying = True
            self._changed.notify_all()
            over = self._changed.wait_for(lambda: self._idle or self._fault, self._patience.end_s)
            if not over and self._trouble is None:
                # Slow, but nothing has failed: that is worth a longer wait.
                self._changed.wait_for(
                    lambda: self._idle or self._fault or self._trouble, 6 * self._patience.end_s
                )
            self._hurrying = False
            self._check()
            return self._waiting

    @property
    def complaint(self) -> str:
        """What is not stored just now, in a sentence; empty if nothing is missing."""
        with self._changed:
            if self._trouble is None:
                return self._missed()
            waiting = {one.event.id for one in self._waiting}
            owed = {*self._owed, *self._backlog.dropped} - waiting
            parts = [
                *([f"{len(waiting)} events"] if waiting else []),
                *([f"the pictures of {len(owed)} events"] if owed else []),
            ]
            return f"{self._trouble.why}; not stored: {' and '.join(parts) or 'the last seconds'}"

    @property
    def disk_fault(self) -> str:
        """That the disk is full or read-only, in a sentence; empty if it is not."""
        with self._changed:
            if self._trouble is not None and any(one in self._trouble.why for one in _OF_THE_DISK):
                return f"{self._trouble.why}; what is not stored waits in memory."
        return "" if self._room is None else self._room.said

    @property
    def lost(self) -> bool:
        """Whether some state of an event was dropped, and so will never be stored."""
        return bool(self._backlog.lost)

    def close(self) -> None:
        """Save what can be and let go of the file; what cannot be is lost."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(self._patience.end_s)

    @property
    def _waiting(self) -> list[Finding]:
        under_way = self._under_way.findings if self._under_way is not None else ()
        return [*under_way, *self._backlog.findings]

    @property
    def _idle(self) -> bool:
        return not (self._backlog or self._under_way or self._trouble)

    def _has_room(self) -> bool:
        waits = len(self._backlog) >= MOST_WAITING
        return not waits or self._trouble is not None or self._fault is not None

    def _check(self) -> None:
        """Raise what ended the thread: a fault of ours, not of the disk."""
        if self._fault is not None:
            raise self._fault

    def _work(self, open_store: Callable[[], Store], opened: Future[None]) -> None:
        try:
            store = open_store()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            opened.set_exception(error)
            return
        opened.set_result(None)
        with closing(store):
            try:
                last = False
                while not last:
                    last = self._wait()
                    self._try(store)
            except BaseException as error:  # noqa: BLE001 - `_check` raises it
                with self._changed:
                    self._fault = error
                    self._changed.notify_all()

    def _wait(self) -> bool:
        """Wait until there is something to do; returns whether it is the last time."""
        with self._changed:
            if self._trouble is None:
                self._changed.wait_for(lambda: self._backlog or self._closing)
                return self._closing
            hurried = self._hurrying
            pause_s = self._patience.hurry_s if hurried else self._patience.retry_s
            self._changed.wait_for(
                lambda: self._closing or self._hurrying != hurried or self._can_go_on(), pause_s
            )
            return self._closing

    def _can_go_on(self) -> bool:
        """Whether there is news that can be stored although pictures cannot."""
        return bool(self._backlog) and not self._blocked

    def _try(self, store: Store) -> None:
        """Store and tell all that waits."""
        try:
            self._save_waiting(store)
            if self._owed:
                self._make_room(store)
                store.add_pictures([*self._owed.values()])
                self._owed.clear()
            self._end_trouble(store)
        except StoreError as error:
            self._in_trouble(error)

    def _save_waiting(self, store: Store) -> None:
        while True:
            with self._changed:
                if not self._backlog:
                    return
                run_id, changes = self._backlog.take()
                self._under_way = changes
            try:
                self._save(store, run_id, changes)
            except StoreError:
                with self._changed:
                    self._backlog.put_back(run_id, changes)
                    self._under_way = None
                raise
            self._saved(changes)
            with self._changed:
                self._under_way = None
                self._changed.notify_all()

    def _save(self, store: Store, run_id: int, changes: Changes) -> None:
        """Save changes, without their pictures if those cannot be written."""
        try:
            if any(one.picture is not None for one in changes.findings):
                self._make_room(store)
            store.save(run_id, changes)
        except PicturesError:
            bare = [replace(one, picture=None) for one in changes.findings]
            store.save(run_id, replace(changes, findings=bare))
            for finding in changes.findings:
                self._owe(finding)

    def _make_room(self, store: Store) -> None:
        if self._room is not None:
            self._room.make(store.untouchable)

    def _owe(self, finding: Finding) -> None:
        if finding.picture is None:
            return
        self._owed.pop(finding.event.id, None)
        self._owed[finding.event.id] = finding
        if len(self._owed) > MOST_PICTURED:
            oldest = next(iter(self._owed))
            del self._owed[oldest]
            self._backlog.dropped.add(oldest)

    def _in_trouble(self, error: StoreError) -> None:
        """Say that something cannot be stored, once."""
        blocked = not isinstance(error, PicturesError)
        with self._changed:
            trouble = self._trouble or _Trouble(time.monotonic(), "")
            said = bool(trouble.why) and trouble.stopped >= blocked
            if not said:
                trouble.why, trouble.stopped = str(error), blocked
            self._trouble, self._blocked = trouble, blocked
            self._changed.notify_all()
        if not said and blocked:
            self._say(f"{error}; what is seen waits in memory, and is stored and told later")
        elif not said:
            self._say(f"{error}; events are told all the same, their pictures wait in memory")

    def _end_trouble(self, store: Store) -> None:
        """Keep a note of a trouble that is over, and say it.

        Raises:
            app.errors.StoreError: If it is not over.
        """
        if self._trouble is None:
            return
        missed = self._missed() or "all of it is stored by now"
        what = "nothing" if self._trouble.stopped else "no pictures"
        lasted_s = time.monotonic() - self._trouble.since_s
        note = f"for {lasted_s:.0f} s {what} could be stored ({self._trouble.why}); {missed}"
        store.add_note(self._run_id, note)
        self._say(f"{store.folder}: can be written again; {missed}")
        with self._changed:
            self._trouble, self._blocked = None, False
            self._backlog.dropped.clear()
            self._changed.notify_all()

    def _missed(self) -> str:
        """What is missing for good; empty if nothing is."""
        dropped, lost = len(self._backlog.dropped), len(self._backlog.lost)
        missed = [
            *([f"the pictures of {dropped} events are lost"] if dropped else []),
            *([f"something of {lost} events is lost"] if lost else []),
        ]
        return " and ".join(missed)
