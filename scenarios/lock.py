"""One run at a time on one scenario."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from scenarios.yaml_files import ScenarioError


@contextmanager
def running(folder: Path) -> Iterator[None]:
    """Keep other runs off a scenario meanwhile.

    The lock is the operating system's, so a run that was killed leaves none behind.

    Args:
        folder: The scenario's; it exists.

    Raises:
        ScenarioError: If another run is on it, by its process number; or if nothing can be written.
    """
    path = folder / "work" / "run.lock"
    lock = FileLock(path, timeout=0)
    try:
        path.parent.mkdir(exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise ScenarioError(
            f"{folder}: another run{_process(path)} is on this scenario; wait for it, or stop it"
        ) from error
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        path.with_suffix(".pid").write_text(f"{os.getpid()}\n")
        yield
    finally:
        path.with_suffix(".pid").unlink(missing_ok=True)
        lock.release()


def _process(path: Path) -> str:
    try:
        return f" (process {int(path.with_suffix('.pid').read_text())})"
    except (OSError, ValueError):
        return ""
