"""The files that people read of a run, and the end of a watch that cannot write all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.errors import StoreError
from app.events.outputs import EVENTS, REPORT, write_events
from app.events.reading import Run, StoreReader
from app.events.store import Store
from app.report.page import write_report
from app.watching.results import looked_at


def write_results(store: StoreReader, run: Run) -> None:
    """Write `events.jsonl` and `report.html` of a run from its store.

    Raises:
        StoreError: If one of them cannot be written.
    """
    write_events(store.folder, store.events(run.id))
    write_report(store, run)


def complete_results(store: StoreReader, run: Run) -> None:
    """The same, if one of them is missing.

    Raises:
        StoreError: If one of them cannot be written.
    """
    if not all((store.folder / name).exists() for name in (EVENTS, REPORT)):
        write_results(store, run)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a watch ends."""

    state: str
    """`stopped`, `finished` or `failed`."""
    complaint: str = ""
    """What could not be stored; empty if all was."""
    files: bool = True
    """Whether to write what people read; of weeks that takes longer than an end may."""


def end_watch(store: Store, run: Run, ending: Ending, say: Callable[[str], None]) -> list[str]:
    """Write the files and end the run; what cannot be written is said, and the rest is written.

    Returns:
        What could not be done, a sentence each.
    """

    def note() -> None:
        if ending.complaint:
            store.add_note(run.id, ending.complaint)

    files = (
        lambda: write_events(store.folder, store.events(run.id)),
        lambda: write_report(store, replace(run, state=ending.state)),
    )
    # Last of all the state: a run that is marked as ended has its files.
    steps: tuple[Callable[[], object], ...] = (
        note,
        *(files if ending.files else ()),
        lambda: store.end_run(run.id, ending.state, run.facts),
    )
    faults = [fault for fault in map(_fault, steps) if fault]
    if faults:
        faults.append(f"nomaly report {store.folder} writes the report once there is room again")
    for fault in faults:
        say(fault)
    return faults


def _fault(step: Callable[[], object]) -> str:
    """Why a step cannot be done; empty if it is."""
    try:
        step()
    except StoreError as error:
        return str(error)
    return ""


def counted(
    store: StoreReader, run: Run, *, dropped: int = 0, faults: Sequence[str] = ()
) -> dict[str, Any]:
    """A watch in a few numbers, however many weeks it lasted; keys are stable.

    Args:
        store: That holds it.
        run: The watch.
        dropped: Frames that were missed.
        faults: What could not be written at its end.
    """
    events, silent = store.event_counts(run.id)
    return {
        **looked_at(store, run, dropped=dropped, faults=faults),
        "gaps": len(store.gaps(run.id)),
        "events": events,
        "muted": silent,
        "faults": list(faults),
        "stopped": run.state == "stopped",
        "folder": str(store.folder),
    }
