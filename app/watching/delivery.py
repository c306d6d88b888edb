"""What happens to everything that a watch found: stored, in the file, told, handed to sinks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from app.events.event import Event
from app.events.live_file import LiveFile
from app.events.room import Room
from app.events.store import Changes, Store
from app.events.writer import Writer
from app.sinks.build import AnySink
from app.sinks.feeder import feeding
from app.watching.telling import Tell


@contextmanager
def delivering(
    out: Path, run_id: int, sinks: Sequence[AnySink], tell: Tell, say: Callable[[str], None]
) -> Iterator[Writer]:
    """Keep and tell on other threads as long as it lasts.

    Args:
        out: Folder of the store.
        run_id: Of the run.
        sinks: Who is given every event state besides.
        tell: Called with every event state once it is stored.
        say: Told what cannot be written or delivered.

    Yields:
        What saves.

    Raises:
        app.errors.StoreError: If the store cannot be opened.
    """
    keys = [sink.key for sink in sinks]
    file = LiveFile(out, run_id, say)
    with feeding(out, sinks, say) as wake:

        def saved(changes: Changes) -> None:
            wake()
            file.add([finding.event for finding in changes.findings])
            for finding in changes.findings:
                if not finding.silent:
                    tell(as_told(finding.event))

        writer = Writer(lambda: Store(out, sinks=keys), saved, say, room=Room(out))
        with closing(writer):
            yield writer


def as_told(event: Event) -> dict[str, Any]:
    """An event's state as it is told while a watch goes on."""
    return event.as_told()
