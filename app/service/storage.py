"""Keeps the folder of a site within its bytes while it is watched, all cameras together."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import StoreError, UsageError
from app.events.folders import watched_folders
from app.events.retaining import EVERY_S, FIRST_S, SaidOnce
from app.events.retention import RetentionRule
from app.events.together import retain_bytes

_PAUSE_S = 0.05
"""Between two steps, so that whoever waits for a database is next."""


@contextmanager
def keeping_bytes(
    folder: Path,
    most: Callable[[], float | None],
    say: Callable[[str], None],
    *,
    first_s: float = FIRST_S,
    every_s: float = EVERY_S,
) -> Iterator[None]:
    """Give up the oldest pictures of any camera beyond the bytes, as long as it lasts.

    Args:
        folder: Of the site.
        most: Tells how many gigabytes all cameras may take together; None for any.
        say: Told in a sentence when something goes for the first time, and what is wrong.
        first_s: When it is done first, seconds.
        every_s: Pause from one time to the next.
    """
    work = _Keeping(folder, most, say)
    thread = threading.Thread(
        target=work.run, args=(first_s, every_s), name="site bytes", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        work.over.set()
        thread.join()


class _Keeping:
    def __init__(
        self, folder: Path, most: Callable[[], float | None], say: Callable[[str], None]
    ) -> None:
        self.over = threading.Event()
        self._folder, self._most, self._told = folder, most, SaidOnce(say)

    def run(self, first_s: float, every_s: float) -> None:
        pause_s = first_s
        while not self.over.wait(pause_s):
            pause_s = every_s
            try:
                self._keep(self._most())
            except UsageError:
                # No camera has stored anything yet.
                continue
            except StoreError as error:
                self._told.say("fault", f"{error}; what is too much is given up later")
            else:
                self._told.over_with("fault")

    def _keep(self, gigabytes: float | None) -> None:
        if gigabytes is None:
            return
        folders = [one.folder for one in watched_folders(self._folder)]
        rule = RetentionRule(days=None, gigabytes=gigabytes)
        went = retain_bytes(folders, rule, pause=lambda: self.over.wait(_PAUSE_S))
        done = [one for one in went if one is not None]
        for one in done:
            if one.files:
                self._told.went(one)
        if left := sum(one.over_bytes for one in done):
            self._told.over(self._folder, left)
