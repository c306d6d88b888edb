"""The output folder of a run: who may write there, and the plain files beside the store."""

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from app.errors import StoreError, UsageError
from app.events.event import Event
from app.events.store import MEDIA, STORE
from novic.whole_files import write_whole

OURS = (
    STORE,
    f"{STORE}-wal",
    f"{STORE}-shm",
    "events.jsonl",
    "report.html",
    "detector",
    *MEDIA,
)
"""Everything that a run writes, besides annotated videos."""


def claim_folder(out: Path, *, overwrite: bool) -> None:
    """Make sure that `out` is a folder that a run may write into.

    A folder that holds other people's files is left alone. With `overwrite`, the files of an
    earlier run are removed, and only those.

    Raises:
        UsageError: If it is a file, holds other files, or cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        present = {entry.name for entry in out.iterdir()}
        # An early end may leave nothing of ours but a part.
        if present and STORE not in present and not present <= set(OURS):
            raise UsageError(
                f"--out {out}: holds files that are not Nomaly's ({sorted(present)[0]}, ...); "
                "name a new or empty folder"
            )
        if overwrite:
            _remove_earlier(out)
        probe = out / ".nomaly-probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(f"--out {out}: cannot be written: {error.strerror or error}") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all.

    Raises:
        StoreError: If it cannot be written.
    """
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error


def write_events(out: Path, events: Iterable[Event]) -> None:
    """Write `events.jsonl`, one event a line.

    Raises:
        StoreError: If it cannot be written.
    """
    lines = (json.dumps(event.as_json(), ensure_ascii=False) for event in events)
    write_text(out / "events.jsonl", "".join(f"{line}\n" for line in lines))


def difference(asked: Mapping[str, Any], earlier: Mapping[str, Any]) -> str:
    """In words, in which settings two runs differ."""
    names = [name for name in asked if asked[name] != earlier.get(name)]
    return ", ".join(f"{name} ({earlier.get(name)} before, {asked[name]} now)" for name in names)


def _remove_earlier(out: Path) -> None:
    for entry in out.iterdir():
        if entry.name in OURS or (entry.name.startswith("annotated") and entry.suffix == ".mp4"):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
