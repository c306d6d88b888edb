"""A look into a store that another thread or process writes: nothing is changed, nobody waits."""

import sqlite3
from pathlib import Path

from app.events.schema import STORE

_WAIT_S = 1.0


def looked_into(folder: Path) -> sqlite3.Connection:
    """A connection that can only read; for one call, and to be closed.

    Raises:
        sqlite3.Error: If there is no store that can be read.
    """
    address = f"{(folder / STORE).absolute().as_uri()}?mode=ro"
    return sqlite3.connect(address, uri=True, timeout=_WAIT_S)
