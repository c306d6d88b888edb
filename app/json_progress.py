"""Progress of long work for programs: a JSON object a line on stderr."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, cast

from rich.console import Console

from app.hiding import tame
from app.lasting import LastingStream
from app.progress import Meter, Reporter
from app.redact import redact

_EVERY_S = 1.0


class _JsonMeter(Meter):
    """One task under way, told at most once a second."""

    def __init__(self, stream: TextIO, label: str, total: float | None) -> None:
        super().__init__(Console(quiet=True), label, total)
        self._stream = stream
        self._facts = {"task": label, "total": total}
        self._at_s = -_EVERY_S

    def to(self, done: float, note: str = "") -> None:
        """See `Meter.to`."""
        super().to(done, note)
        now_s = time.monotonic()
        if now_s - self._at_s >= _EVERY_S:
            self._at_s = now_s
            left = self._left_s()
            left_s = None if left is None else round(left, 1)
            facts = {**self._facts, "done": round(done, 3), "left_s": left_s, "note": note}
            _tell(self._stream, {"progress": facts})


class JsonReporter(Reporter):
    """Tells programs what a command is doing: `{"progress": ...}` and `{"said": TEXT}`."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self._stream = cast(TextIO, LastingStream(sys.stderr))

    @contextmanager
    def task(self, label: str, total: float | None = None) -> Iterator[Meter]:
        """See `Reporter.task`."""
        meter = _JsonMeter(self._stream, label, total)
        ended = "stopped"
        try:
            yield meter
            ended = "done"
        finally:
            _tell(self._stream, {"progress": {"task": label, "state": ended}})

    def say(self, text: str) -> None:
        """One line for people, without secrets."""
        _tell(self._stream, {"said": tame(redact(text))})


def _tell(stream: TextIO, facts: dict[str, object]) -> None:
    stream.write(json.dumps(facts) + "\n")
    stream.flush()
