"""Costly results that all processes of a test run share."""

import os
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder of a test run, filled by the first of pytest-xdist's processes that needs it.

    Args:
        factory: Knows the run's folder.
        name: Of the folder.
        make: Fills it; if it raises, the next process tries again.
    """
    base = factory.getbasetemp()
    # Each process of a run has a folder of its own in that of the run.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    done = folder / "made"
    with filelock.FileLock(f"{folder}.lock"):
        if not done.exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            done.touch()
    return folder
