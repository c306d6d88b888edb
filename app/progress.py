"""Progress of long work: a live bar in a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TextIO, cast

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID
from rich.table import Column
from rich.text import Text

from app.hiding import tame
from app.lasting import LastingStream
from app.redact import redact

LINE_EVERY_S = 15.0
"""Pause between lines where there is no terminal."""
TOLD_S = 5.0
"""Where there is no terminal, work that took less is not told to be done."""

_SIZES = ((80, 24, 30), (56, 24, 10), (0, 14, 4))
"""From how many columns of a terminal on the label and the bar have which widths."""


class Meter:
    """One task under way."""

    def __init__(self, console: Console, label: str, total: float | None) -> None:
        self._console = console
        self._label = label
        self._total = total
        self._done = 0.0
        self._first: tuple[float, float] | None = None
        self._began = time.monotonic()
        self._line_at = self._began + LINE_EVERY_S
        self._note = ""
        self._bar: Progress | None = None
        self._task = TaskID(0)
        if console.is_terminal:
            self._bar = _bar(console)
            self._task = self._bar.add_task(label, total=total, note="", state="")

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Draws the bar while it is entered; afterwards the line says how it ended."""
        if self._bar is None:
            yield
            self._tell_done()
            return
        with self._bar:
            try:
                yield
            except BaseException:
                self._bar.update(self._task, state="stopped")
                self._bar.stop_task(self._task)
                raise
            total = self._total or 1.0
            self._bar.update(self._task, total=total, completed=total, state="done")
            self._bar.stop_task(self._task)

    def to(self, done: float, note: str = "") -> None:
        """Say how far the task is.

        Args:
            done: In the unit of its total.
            note: What else to show: a rate, a count; no time left, which is shown anyway.
        """
        self._done, self._note = done, note
        if self._first is None:
            # What goes on where it was stopped begins with something done.
            self._first = done, time.monotonic()
        if self._bar is not None:
            self._bar.update(self._task, completed=done, note=note)
        elif time.monotonic() >= self._line_at and not self._console.quiet:
            self._line_at = time.monotonic() + LINE_EVERY_S
            left = f", {clock(self._left_s())} left" if self._left_s() is not None else ""
            self._line(f"{self._share()}{left}")

    def count(self, done: int, total: int, note: str = "") -> None:
        """The same for tasks that count their steps and tell the total as they go."""
        self._total = total
        if self._bar is not None:
            self._bar.update(self._task, total=total)
        self.to(done, note)

    def _share(self) -> str:
        return f"{100 * self._done / self._total:.0f}%" if self._total else "under way"

    def _left_s(self) -> float | None:
        """Seconds that are left if it goes on as it went; None if nobody knows."""
        if not self._total or self._first is None or self._done <= self._first[0]:
            return None
        step_s = (time.monotonic() - self._first[1]) / (self._done - self._first[0])
        return max(0.0, step_s * (self._total - self._done))

    def _tell_done(self) -> None:
        spent_s = time.monotonic() - self._began
        if spent_s >= TOLD_S and not self._console.quiet:
            self._line(f"done in {clock(spent_s)}")

    def _line(self, text: str) -> None:
        note = f"  {self._note}" if self._note else ""
        self._console.print(f"{self._label}: {text}{note}", highlight=False, soft_wrap=True)


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
        """One line for people, without secrets and what would steer their terminal."""
        text = tame(redact(text))
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)


def clock(seconds: float | None) -> str:
    """Seconds as 0:05 or 1:02:03; dashes if unknown."""
    if seconds is None:
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _bar(console: Console) -> Progress:
    label, width = next(sizes for least, *sizes in _SIZES if console.width >= least)
    return Progress(
        _Sign(),
        _Words(label),
        BarColumn(bar_width=width, table_column=Column(no_wrap=True, min_width=width)),
        _Share(table_column=Column(no_wrap=True, min_width=4)),
        _Clock(table_column=Column(no_wrap=True, min_width=7)),
        _Note(console, used=2 + label + width + 4 + 7 + 4),
        console=console,
    )


class _Sign(SpinnerColumn):
    """Turns while the task runs; a tick once it is done."""

    def render(self, task: Task) -> RenderableType:
        state = task.fields["state"]
        if state == "done":
            return Text("✓", style="green")
        if state == "stopped":
            return Text("-", style="yellow")
        return super().render(task)


class _Words(ProgressColumn):
    """What is done, no wider than its column."""

    def __init__(self, width: int) -> None:
        super().__init__(Column(no_wrap=True, min_width=width, max_width=width))
        self._width = width

    def render(self, task: Task) -> Text:
        words = Text(task.description)
        words.truncate(self._width, overflow="ellipsis")
        return words


class _Share(ProgressColumn):
    """Per cent, if it is known of how much."""

    def render(self, task: Task) -> Text:
        known = task.total is not None and task.fields["state"] != "done"
        return Text(f"{task.percentage:>3.0f}%" if known else "    ", style="magenta")


class _Clock(ProgressColumn):
    """How long it will still take; once it has ended, and where nobody knows, how long it took."""

    def render(self, task: Task) -> Text:
        if task.fields["state"] or task.total is None:
            return Text(f"{clock(task.elapsed or 0.0):>7}", style="yellow")
        return Text(f"{clock(task.time_remaining):>7}", style="cyan")


class _Note(ProgressColumn):
    """A rate or a count, cut to what room the terminal has left."""

    def __init__(self, console: Console, used: int) -> None:
        super().__init__(Column(no_wrap=True))
        self._console = console
        self._used = used

    def render(self, task: Task) -> Text:
        note = Text(task.fields["note"])
        note.truncate(max(0, self._console.width - self._used), overflow="ellipsis")
        return note
