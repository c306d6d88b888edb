"""What cameras of one site say on one terminal: each line names its camera."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from app.progress import Meter, Reporter

_AT = re.compile(r"(\d\d:\d\d:\d\d )(.*)", re.DOTALL)


class CameraReporter(Reporter):
    """Tells people about one camera of several, a line at a time: bars would overwrite each other.

    Lines of all go through one console, which writes each whole.
    """

    def __init__(self, camera: str, console: Console) -> None:
        """Take the camera's name and a console that is no terminal; see `lines`."""
        super().__init__(console)
        self._camera = camera

    @contextmanager
    def task(self, label: str, total: float | None = None) -> Iterator[Meter]:
        """See `Reporter.task`."""
        with super().task(f"{self._camera}: {label}", total) as meter:
            yield meter

    def say(self, text: str) -> None:
        """One line for people, with the camera's name in it once."""
        found = _AT.fullmatch(text)
        at, said = (found[1], found[2]) if found else ("", text)
        of_it = (f"{self._camera}: ", f"camera {self._camera} ")
        super().say(text if said.startswith(of_it) else f"{at}{self._camera}: {said}")


def lines(reporter: Reporter) -> Console:
    """A console to the same place, for lines alone."""
    console = reporter.console
    return Console(file=console.file, quiet=console.quiet, force_terminal=False)
