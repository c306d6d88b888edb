"""Writes files that others depend on whole or not at all."""

import os
from pathlib import Path

NEW = ".new"
"""Ends the name of a file that is not in its place yet."""


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file in one go, and only once the new one is on the disk.

    Neither a kill nor a power cut nor a full disk leaves half of it. A kill may leave the new one
    beside it, under its name and `NEW`; the next write replaces that.

    Args:
        path: The file, in a folder that exists. No two may write it at once.
        content: All that it is to hold.

    Raises:
        OSError: If it cannot be written; what was there before stays.
    """
    fresh = path.with_name(f"{path.name}{NEW}")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            # Without it a power cut may leave the name with no content.
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
