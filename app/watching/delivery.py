"""What happens to everything that a watch found: stored, in the file, told, handed to sinks."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.events.event import Event, Finding
from app.events.live_file import LiveFile
from app.events.room import Room
from app.events.store import Changes
from app.events.writer import Writer
from app.sinks.build import AnySink
from app.sinks.feeder import feeding
from app.watching.blurring import People, opened_store
from app.watching.telling import Tell

SOON_S = 0.4
"""For the sinks of a watch that must end in a moment; what waits is kept for the next one."""


@dataclass(frozen=True, slots=True)
class Besides:
    """What is not the same in every watch."""

    heed: Callable[[Sequence[Finding]], None] = lambda _: None
    """Given besides what was stored of events, also of those that nobody is told of."""
    sinks_s: Callable[[], float] = lambda: math.inf
    """How long the end may wait for sinks that hang, asked when it comes."""
    people: People | None = None
    """Hides people in what is kept; None where they may be seen."""


@contextmanager
def delivering(
    out: Path,
    run_id: int,
    sinks: Sequence[AnySink],
    tell: Tell,
    say: Callable[[str], None],
    besides: Besides | None = None,
) -> Iterator[Writer]:
    """Keep and tell on other threads as long as it lasts.

    Args:
        out: Folder of the store.
        run_id: Of the run.
        sinks: Who is given every event state besides.
        tell: Called with every event state once it is stored.
        say: Told what cannot be written or delivered.
        besides: What is not the same in every watch.

    Yields:
        What saves.

    Raises:
        app.errors.StoreError: If the store cannot be opened.
    """
    besides = besides or Besides()
    keys = [sink.key for sink in sinks]
    file = LiveFile(out, run_id, say)
    with feeding(out, sinks, say, within_s=besides.sinks_s) as wake:

        def saved(changes: Changes) -> None:
            wake()
            file.add([finding.event for finding in changes.findings])
            besides.heed(changes.findings)
            for finding in changes.findings:
                if not finding.silent:
                    tell(as_told(finding.event))

        writer = Writer(lambda: opened_store(out, besides.people, keys), saved, say, room=Room(out))
        with closing(writer):
            yield writer


def as_told(event: Event) -> dict[str, Any]:
    """An event's state as it is told while a watch goes on."""
    return event.as_told()
