"""One process at a time writes into the folder of a run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from app.errors import InUseError

LOCK = ".nomaly-lock"
"""Held by the one process that writes into the folder; the system frees it however that ends."""
HOLDER = ".nomaly-process"
"""Holds the number of that process, for people: opening the lock empties it."""


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keep other processes from writing into a folder meanwhile.

    Raises:
        InUseError: If one is writing there.
        OSError: If the folder cannot be written.
    """
    lock = FileLock(out / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InUseError(
            f"--out {out}: is in use by {_process(out)}; stop it first, or name another folder"
        ) from error
    holder = out / HOLDER
    try:
        # On a full disk the number is missing, and nothing else.
        with suppress(OSError):
            holder.write_text(f"{os.getpid()}\n")
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def check_unused(out: Path) -> None:
    """Refuse a folder that another process writes into; quick, and nothing is left there.

    Raises:
        InUseError: If one does.
    """
    if (out / LOCK).exists():
        # Whatever else is wrong with the folder is told when it is claimed.
        with suppress(OSError), locked(out):
            pass


def _process(out: Path) -> str:
    try:
        return f"process {int((out / HOLDER).read_text())}"
    except (OSError, ValueError):
        return "another process"
