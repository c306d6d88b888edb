"""The report of a run, made again from its store: also of one that was killed, or still goes on."""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import InUseError, StoreError, UsageError
from app.events.outputs import REPORT, sole_writer, write_events, write_text
from app.events.reading import require_store, snapshot
from app.report.page import render_report
from app.watching.results import audit_result, watch_summary

_LEFT = (
    "this run was not brought to its end: it was killed, or the machine was switched off; "
    "the same command goes on with it"
)
_GOES_ON = "this run goes on; the report holds what it had found by now"


@dataclass(frozen=True, slots=True)
class Again:
    """A run whose report was made again."""

    summary: dict[str, Any]
    """The run as its own command tells it with `--json`."""
    goes_on: bool
    """Whether somebody still writes there."""


def report_again(out: Path) -> Again:
    """Write `report.html` of a folder's newest run from its store, and `events.jsonl`.

    The store stays as it is. Beside a run that goes on only the report is written; `events.jsonl`
    grows there by itself.

    Raises:
        UsageError: If there is no run, or the folder cannot be written.
        StoreError: If the store cannot be read or a file cannot be written.
    """
    require_store(out)
    with ExitStack() as stack:
        goes_on = not _alone(out, stack)
        store = stack.enter_context(snapshot(out))
        run = store.last_run()
        if run is None:
            raise UsageError(f"{out}: nothing was audited or watched there yet")
        if goes_on:
            store.add_note(run.id, _GOES_ON)
        elif run.state == "running":
            store.close_left(run.id)
            store.add_note(run.id, _LEFT)
        if not goes_on:
            write_events(out, store.events(run.id))
        _put(out / REPORT, render_report(store, run))
        told = audit_result(store, run).as_json() if run.kind == "audit" else None
        return Again(told or watch_summary(store, run), goes_on)


def _alone(out: Path, stack: ExitStack) -> bool:
    """Whether nobody else writes there; nobody will until the stack is left, then."""
    try:
        stack.enter_context(sole_writer(out, overwrite=False))
    except InUseError:
        return False
    return True


def _put(path: Path, text: str) -> None:
    """Write a file that another process may be writing just now, too; the later one stays.

    Raises:
        StoreError: If it cannot be written.
    """
    fresh = path.with_name(f".{path.name}-{os.getpid()}")
    write_text(fresh, text)
    try:
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error
