"""Ctrl-C that lets a long job put its results in order."""

import math
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

STOPPING = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
SAVING = "stopping; what is done is saved ..."


class Stop:
    """Whether the user asked to stop."""

    def __init__(self) -> None:
        self._asked = False
        self._asked_s = math.inf
        self.heeded_s = time.monotonic()
        """When the work that may be stopped last looked whether it is; our monotonic clock."""

    @property
    def asked(self) -> bool:
        """Whether the user asked to."""
        self.heeded_s = time.monotonic()
        return self._asked

    @asked.setter
    def asked(self, asked: bool) -> None:
        if asked and not self._asked:
            self._asked_s = time.monotonic()
        self._asked = asked

    def left_s(self, within_s: float) -> float:
        """Seconds left of so many since it was asked, 0 at least; without end if it was not."""
        if not self._asked:
            return math.inf
        return max(0.0, self._asked_s + within_s - time.monotonic())

    def check(self, *_: object) -> None:
        """Raise if the user asked to stop; fits wherever a progress callback does.

        Raises:
            KeyboardInterrupt: If so.
        """
        if self.asked:
            raise KeyboardInterrupt


def announced(check: Callable[[], None], say: Callable[[str], None]) -> Callable[[], None]:
    """A check for what waits for answers under way: it says so before it raises."""

    def announcing() -> None:
        try:
            check()
        except KeyboardInterrupt:
            say("Stopping when the answers under way are kept; Ctrl-C again drops them")
            raise

    return announcing


@contextmanager
def stoppable(say: Callable[[str], None] | None = None) -> Iterator[Stop]:
    """Turn the first Ctrl-C, SIGTERM or SIGHUP inside into a flag; another interrupts at once.

    But a further SIGHUP does not: a terminal that is closed may send several. Where SIGHUP is
    ignored, as under nohup, it still is. Outside the main thread no signal arrives, and nothing is
    changed.

    Args:
        say: Told at once that it was heard, whatever the main thread is doing, and however long
            the work then takes to put itself in order.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(number: int, frame: FrameType | None) -> None:
        del frame
        if stop.asked and number == signal.SIGHUP:
            return
        if stop.asked:
            raise KeyboardInterrupt
        stop.asked = True

    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        with acknowledged(say, SAVING) if say is not None else nullcontext():
            yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def acknowledged(
    say: Callable[[str], None], text: str, stopping: frozenset[signal.Signals] = STOPPING
) -> Iterator[None]:
    """Say a text once, on a thread of its own, when a signal asks to stop.

    Outside the main thread no signal arrives, and nothing is changed.

    Python calls a signal's handler between two steps of the main thread, and a step may be a whole
    batch of a network.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard, woken = socket.socketpair()
    woken.setblocking(False)

    def listen() -> None:
        told = False
        while signals := heard.recv(64):
            if not told and not stopping.isdisjoint(signals):
                told = True
                say(text)

    listener = threading.Thread(target=listen, name="acknowledged", daemon=True)
    listener.start()
    before = signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        woken.close()
        listener.join()
        heard.close()
