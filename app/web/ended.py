"""That a page ends, as its streams learn it: at once, not when they look the next time."""

import asyncio
import threading


class Ended:
    """Set once, from any thread; who waits for it on any event loop is woken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set = False
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    def is_set(self) -> bool:
        """Whether the page has ended."""
        return self._set

    def set(self) -> None:
        """End it."""
        with self._lock:
            self._set = True
            waiting = list(self._waiting.items())
        for event, loop in waiting:
            try:
                loop.call_soon_threadsafe(event.set)
            except RuntimeError:
                # Its server is gone already.
                continue

    def wake(self, event: asyncio.Event) -> None:
        """Set an event of the running loop when it ends; see `leave`."""
        with self._lock:
            self._waiting[event] = asyncio.get_running_loop()
        if self._set:
            event.set()

    def leave(self, event: asyncio.Event) -> None:
        """Do so no longer."""
        with self._lock:
            self._waiting.pop(event, None)

    async def wait(self, timeout_s: float) -> bool:
        """Wait for the end, seconds at most; returns whether it has come."""
        event = asyncio.Event()
        self.wake(event)
        try:
            await asyncio.wait_for(event.wait(), timeout_s)
        except TimeoutError:
            return self._set
        finally:
            self.leave(event)
        return True
