"""A site watched until a signal ends it: SIGINT and SIGTERM stop, SIGHUP reads the file again."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import FrameType
from typing import Any

from app.service.notify import Notifier
from app.service.service import SiteService
from app.stop import SAVING, acknowledged
from novic.errors import NomalyError

TICK_S = 0.25
"""How often it is looked how the cameras do."""
_STOPPING = frozenset({signal.SIGINT, signal.SIGTERM})
_GONE = ("ended", "stopped")

type Companion = Callable[[SiteService], AbstractContextManager[object]]
"""What runs beside the cameras while it is entered, as a page."""


class _Asked:
    """What signals have asked for."""

    def __init__(self) -> None:
        self.stop = self.reload = False
        self.news = threading.Event()

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Note a signal; a second one to stop ends at once."""
        del frame
        if number in _STOPPING:
            if self.stop:
                raise KeyboardInterrupt
            self.stop = True
        else:
            self.reload = True
        self.news.set()


def serve(
    service: SiteService,
    say: Callable[[str], None],
    *,
    for_s: float | None = None,
    notifier: Notifier | None = None,
    companions: Sequence[Companion] = (),
) -> dict[str, Any]:
    """Watch a site until it is stopped, on the main thread.

    Args:
        service: Not entered yet.
        say: Told what people should read.
        for_s: Stop by itself after so many seconds.
        notifier: Told how it does; by default systemd, if that asks.
        companions: Entered once the cameras are watched, left while they end.

    Returns:
        The summary of all cameras.

    Raises:
        NomalyError: If it cannot begin.
    """
    notifier = notifier or Notifier()
    with _listening(say) as asked, service:
        with ExitStack() as stack:
            for companion in companions:
                stack.enter_context(companion(service))
            say(
                f"Watching {len(service.cameras())} cameras of {service.config.site}; Ctrl-C stops."
            )
            notifier.ready()
            _watch(service, asked, say, notifier, time.monotonic() + (for_s or 1e9))
            notifier.stopping()
            # Before the page: all end side by side.
            service.stop()
        service.close()
        return service.summary() | {"stopped": asked.stop}


def _watch(
    service: SiteService,
    asked: _Asked,
    say: Callable[[str], None],
    notifier: Notifier,
    until_s: float,
) -> None:
    """See to it until it is to end."""
    reloading: threading.Thread | None = None
    still = False
    while not asked.stop and time.monotonic() < until_s:
        service.check()
        states = service.cameras()
        busy = reloading is not None and reloading.is_alive()
        if not busy and all(state.doing in _GONE for state in states):
            break
        notifier.status(in_words(service))
        if service.moving():
            notifier.alive()
            still = False
        elif not still:
            still = True
            say("a camera's thread hangs; systemd is not told that all is well")
        if asked.reload and not busy:
            asked.reload = False
            reloading = threading.Thread(target=_reload, args=(service, say, notifier))
            reloading.start()
        asked.news.wait(TICK_S)
        asked.news.clear()


def _reload(service: SiteService, say: Callable[[str], None], notifier: Notifier) -> None:
    notifier.reloading()
    try:
        changes = str(service.reload())
    except NomalyError as error:
        say(f"{error}\nThe settings stay as they were.")
    else:
        say(f"Read again: {changes or 'nothing has changed'}.")
    finally:
        notifier.ready()


def in_words(service: SiteService) -> str:
    """How a site does, in a line."""
    states = service.cameras()
    blind = {one.camera: one.blind for one in (s.doing() for s in service.board.stations())}
    counts = Counter(
        "blind" if state.doing == "watching" and blind.get(state.camera) else state.doing
        for state in states
    )
    said = ", ".join(f"{count} {doing}" for doing, count in sorted(counts.items()))
    why = "; ".join(f"{state.camera}: {state.why}" for state in states if state.why)
    return f"{len(states)} cameras: {said}{f' ({why})' if why else ''}"


@contextmanager
def _listening(say: Callable[[str], None]) -> Iterator[_Asked]:
    asked = _Asked()
    hangup = getattr(signal, "SIGHUP", None)
    numbers = [*_STOPPING, *([hangup] if hangup is not None else [])]
    before = {number: signal.signal(number, asked.handle) for number in numbers}
    try:
        with acknowledged(say, SAVING, _STOPPING):
            yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
