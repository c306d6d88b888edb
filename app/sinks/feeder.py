"""Carries messages from the outbox to a sink, on a thread of its own for each."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.errors import StoreError
from app.events.outbox import MOST
from app.events.store import Store
from app.sinks.base import RefusedError, SinkError
from app.sinks.build import AnySink, build_sink, grouping_of
from app.sinks.grouping import Bundle

_AT_ONCE = 100
"""Messages read from the store at once."""
_GATHERED = 10_000
"""The same where they are told together."""
TEND_S = 5.0
"""Pause after which a sink is tended also where there is nothing to deliver."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How a sink that fails is tried again."""

    first_s: float = 1.0
    """Pause after a failure; it doubles with every further one."""
    longest_s: float = 60.0
    close_s: float | None = 5.0
    """How long the end of a run waits for what is still to be delivered; None until the first
    failure."""
    most: int = MOST
    """So many messages wait for a sink that fails; the oldest are dropped for new ones."""


class Feeder:
    """Feeds one sink in order, at least once, however often it fails."""

    def __init__(
        self,
        folder: Path,
        config: AnySink,
        say: Callable[[str], None] = lambda _: None,
        patience: Patience | None = None,
    ) -> None:
        """Start with what an earlier run left.

        Args:
            folder: Of a store that has the sink's `key` among its sinks.
            config: Where to deliver.
            say: Told a sentence when the sink begins to fail and when it works again.
            patience: How to try again.
        """
        self._folder = folder
        self._key = config.key
        self._say = say
        self._patience = patience or Patience()
        self._sink = build_sink(config, folder)
        self._grouping = grouping_of(config)
        self._news = threading.Event()
        self._closing = threading.Event()
        self._failures = 0
        self._ends_s = 0.0
        self.fault = ""
        """Why it failed last."""
        self._thread = threading.Thread(target=self._feed, name=f"sink {self._key}", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Tell that there may be new messages."""
        self._news.set()

    def end(self, within_s: float = math.inf) -> None:
        """Begin to come to an end, `within_s` at most; `close` waits for it."""
        close_s = math.inf if self._patience.close_s is None else self._patience.close_s
        self._ends_s = time.monotonic() + min(within_s, close_s)
        self._closing.set()
        self._news.set()

    def close(self) -> None:
        """Deliver what can be, within `close_s`; the rest waits for the same command."""
        if not self._closing.is_set():
            self.end()
        left_s = max(0.0, self._ends_s - time.monotonic())
        self._thread.join(None if math.isinf(left_s) else left_s)

    def _feed(self) -> None:
        try:
            while not self._fed():
                if self._failures:
                    # News do not make a sink work again.
                    self._closing.wait(self._pause_s())
                else:
                    self._news.wait(self._grouping.wait_s(time.monotonic(), TEND_S))
        finally:
            self._sink.close()

    def _fed(self) -> bool:
        """Deliver all that waits; returns whether this was the last time."""
        # In this order: whoever closes between the two is seen the next time.
        self._news.clear()
        last = self._closing.is_set()
        try:
            self._sink.tend()
            with Store(self._folder) as store:
                self._bound(store)
                for bundle in self._due(store, last=last):
                    if not self._deliver(store, bundle):
                        return last
        except (StoreError, SinkError) as error:
            self._failed(str(error))
        except Exception as error:  # noqa: BLE001 - no fault of a sink may end a watch
            self._failed(f"{type(error).__name__}: {error}")
        else:
            self._works()
        return last

    def _bound(self, store: Store) -> None:
        """Drop the oldest messages of a sink that has failed for long, and say so."""
        dropped = store.outbox.drop_oldest(self._key, self._patience.most) if self._failures else 0
        if not dropped:
            return
        text = (
            f"{self._key}: {dropped} messages that it never took were dropped, the oldest first: "
            f"no more than {self._patience.most} wait for it. Their events are in the store."
        )
        self._say(text)
        run = store.last_run()
        if run is not None:
            store.add_note(run.id, text)

    def _due(self, store: Store, *, last: bool) -> Iterator[Bundle]:
        """What is to be delivered, one after the other, as long as each was."""
        most = _GATHERED if self._grouping.window_s else _AT_ONCE
        while waiting := store.outbox.waiting(self._key, most):
            while waiting:
                bundle = self._grouping.next(waiting, time.monotonic(), last=last)
                if bundle is None:
                    return
                yield bundle
                done = {message.number for message in bundle.messages}
                waiting = [message for message in waiting if message.number not in done]

    def _deliver(self, store: Store, bundle: Bundle) -> bool:
        """Deliver what belongs together; returns whether that is done with."""
        try:
            if bundle.told is not None:
                self._sink.send(bundle.told)
                self._grouping.delivered(time.monotonic())
        except RefusedError as error:
            self._say(f"{error}; it is not tried again")
            store.outbox.taken(*bundle.messages)
            self._failures = 0
            return True
        except SinkError as error:
            self._failed(str(error))
        except Exception as error:  # noqa: BLE001 - no fault of a sink may end a watch
            self._failed(f"{type(error).__name__}: {error}")
        else:
            store.outbox.taken(*bundle.messages)
            if bundle.told is not None:
                self._works()
            return True
        store.outbox.refused(bundle.messages[0], self.fault)
        return False

    def _failed(self, why: str) -> None:
        self.fault = why
        if not self._failures:
            self._say(f"{self._key}: {why}; it is tried again, and no event is lost")
        self._failures += 1

    def _works(self) -> None:
        if self._failures:
            self._say(f"{self._key}: works again")
        self._failures = 0

    def _pause_s(self) -> float:
        # More doublings than this only overflow.
        doubled_s = self._patience.first_s * 2 ** min(self._failures - 1, 20)
        return min(doubled_s, self._patience.longest_s)


@contextmanager
def feeding(
    folder: Path,
    configs: Sequence[AnySink],
    say: Callable[[str], None],
    patience: Patience | None = None,
    within_s: Callable[[], float] = lambda: math.inf,
) -> Iterator[Callable[[], None]]:
    """Feed several sinks as long as it lasts; says at the end for whom messages are left.

    Args:
        folder: Of a store that has the keys of all among its sinks.
        configs: Where to deliver.
        say: Told what fails.
        patience: How to try again.
        within_s: How long the end may take at most, asked when it comes.

    Yields:
        To be called when there may be new messages.
    """
    feeders = [Feeder(folder, config, say, patience) for config in configs]

    def wake() -> None:
        for feeder in feeders:
            feeder.wake()

    try:
        yield wake
    finally:
        # All at once: several that hang take no longer than one.
        for feeder in feeders:
            feeder.end(within_s())
        for feeder, config in zip(feeders, configs, strict=True):
            feeder.close()
            left = _left(folder, config.key)
            if left:
                say(f"{config.key}: {left} undelivered; the same command goes on with them")


def _left(folder: Path, key: str) -> str:
    """What waits for a sink; empty if nothing."""
    try:
        with Store(folder) as store:
            count = store.outbox.count(key)
    except StoreError as error:
        return f"nobody knows how many events are ({error})"
    return f"{count}" if count else ""
