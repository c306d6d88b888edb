"""The output folder of a run: who may write there, and the plain files beside the store."""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from app.errors import StoreError, UsageError
from app.events.age_clock import CLOCK
from app.events.differences import difference
from app.events.event import Event
from app.events.lock import HOLDER, LOCK, locked
from app.events.logins import LOGINS
from app.events.media import MEDIA
from app.events.schema import STORE
from app.events.store import Run, Store
from novic.whole_files import write_whole

EVENTS = "events.jsonl"
REPORT = "report.html"
PARTS = "parts"
"""What the workers of an audit have found so far, until it is joined."""
OURS = (
    STORE,
    f"{STORE}-wal",
    f"{STORE}-shm",
    EVENTS,
    REPORT,
    "detector",
    "normal.jpg",
    "promise.json",
    CLOCK,
    PARTS,
    LOCK,
    HOLDER,
    *MEDIA,
)
"""Everything that a run writes, besides annotated videos."""

_KINDS = {"audit": "an audit", "watch": "a watch"}


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
        # What a camera saw is not for every user of the machine; a folder that is there stays so.
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        present = {entry.name for entry in out.iterdir()}
        # An early end may leave nothing of ours but a part; a page is there before its watch.
        if present and STORE not in present and not present <= {*OURS, *LOGINS}:
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


@contextmanager
def sole_writer(out: Path, *, overwrite: bool) -> Iterator[None]:
    """Claim a folder (see `claim_folder`) and keep other processes from writing there meanwhile.

    Raises:
        app.errors.InUseError: If another process is writing there.
        UsageError: If it cannot be claimed.
    """
    claim_folder(out, overwrite=False)
    with locked(out):
        claim_folder(out, overwrite=overwrite)
        yield


def earlier_run(
    store: Store,
    kind: str,
    settings: Mapping[str, Any],
    unsaid: Mapping[str, Any] = MappingProxyType({}),
) -> Run | None:
    """The run that a folder holds, if it is the one asked for, so that it can be taken up.

    Args:
        store: Of the folder.
        kind: `audit` or `watch`.
        settings: What decides the run's result, as it comes back from the store.
        unsaid: What held in runs of an earlier Nomaly that did not keep these settings yet.

    Raises:
        UsageError: If it is another one.
    """
    last = store.last_run()
    if last is None:
        return None
    before = {**unsaid, **last.settings}
    if last.kind == kind and before == settings:
        return last
    if last.kind != kind:
        differs = _KINDS[last.kind]
    elif settings.keys() - before.keys():
        differs = f"{_KINDS[kind]} of an earlier Nomaly, which did not keep how it was started"
    else:
        differs = difference(settings, before)
    raise UsageError(
        f"--out {store.folder}: holds the results of another run: {differs}; "
        "name another folder, or use --overwrite to replace them"
    )


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all.

    Raises:
        StoreError: If it cannot be written.
    """
    try:
        # What is no UTF-8, as an odd file name among the settings, is shown by its bytes.
        write_whole(path, text.encode(errors="backslashreplace"))
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error


def drawn_name(number: int, of: int) -> str:
    """The file name of the annotated video of a run's source, counted from 1."""
    return "annotated.mp4" if of == 1 else f"annotated-{number}.mp4"


def write_events(out: Path, events: Iterable[Event]) -> None:
    """Write `events.jsonl`, one event a line; those are left out that are not told.

    Raises:
        StoreError: If it cannot be written.
    """
    lines = (json.dumps(event.as_json(), ensure_ascii=False) for event in events if not event.muted)
    write_text(out / EVENTS, "".join(f"{line}\n" for line in lines))


def _remove_earlier(out: Path) -> None:
    for entry in out.iterdir():
        if entry.name in (LOCK, HOLDER):
            continue
        if entry.name in OURS or (entry.name.startswith("annotated") and entry.suffix == ".mp4"):
            # A link goes, and what it leads to stays.
            real_folder = entry.is_dir() and not entry.is_symlink()
            shutil.rmtree(entry) if real_folder else entry.unlink()
