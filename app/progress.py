"""Progress of long work: a live bar in a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TextIO, cast

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from app.lasting import LastingStream

LINE_EVERY_S = 15.0
"""Pause between lines where there is no terminal."""


class Meter:
    """One task under way."""

    def __init__(self, console: Console, label: str, total: float | None) -> None:
        self._console = console
        self._label = label
        self._total = total
        self._done = 0.0
        self._line_at = time.monotonic() + LINE_EVERY_S
        self._bar: Progress | None = None
        self._task = TaskID(0)
        if console.is_terminal:
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description:<22}"),
                BarColumn(bar_width=30),
                TaskProgressColumn(),
                TimeRemainingColumn(compact=True),
                TextColumn("{task.fields[note]}"),
                console=console,
            )
            self._task = self._bar.add_task(label, total=total, note="")

    def shown(self) -> AbstractContextManager[object]:
        """Draws the bar while it is entered."""
        return self._bar if self._bar is not None else nullcontext()

    def to(self, done: float, note: str = "") -> None:
        """Say how far the task is.

        Args:
            done: In the unit of its total.
            note: What else to show: a rate, a count.
        """
        self._done = done
        if self._bar is not None:
            self._bar.update(self._task, completed=done, note=note)
        elif time.monotonic() >= self._line_at and not self._console.quiet:
            self._line_at = time.monotonic() + LINE_EVERY_S
            self._console.print(
                f"{self._label}: {self._share()}{note}", highlight=False, soft_wrap=True
            )

    def count(self, done: int, total: int, note: str = "") -> None:
        """The same for tasks that count their steps and tell the total as they go."""
        self._total = total
        if self._bar is not None:
            self._bar.update(self._task, total=total)
        self.to(done, note)

    def _share(self) -> str:
        return f"{100 * self._done / self._total:.0f}%  " if self._total else ""


class Reporter:
    """Where a command tells people what it is doing; never stdout, which belongs to results."""

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        # A lost terminal ends the telling, not the work.
        stderr = cast(TextIO, LastingStream(sys.stderr))
        self.console = console or Console(file=stderr, quiet=quiet)

    @contextmanager
    def task(self, label: str, total: float | None = None) -> Iterator[Meter]:
        """Show a task while it runs.

        Args:
            label: What is being done.
            total: Its size in any unit; None if unknown.
        """
        meter = Meter(self.console, label, total)
        with meter.shown():
            yield meter

    @contextmanager
    def stages(self) -> Iterator[Callable[[str, int, int, str], None]]:
        """Show work that names its own stages, one bar after the other.

        Yields:
            What to call with a stage's name, how much is done, of how much, and a note.
        """
        with ExitStack() as bar:
            shown: dict[str, Meter] = {}

            def told(stage: str, done: int, total: int, note: str) -> None:
                if stage not in shown:
                    bar.close()
                    shown[stage] = bar.enter_context(self.task(stage, total))
                shown[stage].to(done, note)

            yield told

    def say(self, text: str) -> None:
        """One line for people."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)
