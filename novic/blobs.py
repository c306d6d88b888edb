"""What takes long to make and can be made again: kept in the cache folder, behind its digest."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from novic.whole_files import write_whole

MOST_KEPT = 64
"""Files in one folder; beyond that those go that were read longest ago."""
_DIGEST = hashlib.sha256().digest_size


def read_blob(path: Path) -> bytes:
    """What was kept.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is damaged: who reads it would not notice.
    """
    content = path.read_bytes()
    digest, blob = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(blob).digest() != digest:
        raise ValueError(f"{path}: damaged")
    with suppress(OSError):
        os.utime(path)
    return blob


def keep_blob(path: Path, blob: bytes) -> None:
    """Keep it behind its digest; two processes may do so at once.

    Raises:
        OSError: If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_suffix(f".{os.getpid()}")
    write_whole(own, hashlib.sha256(blob).digest() + blob)
    own.replace(path)
    _thin(path.parent)


def _thin(folder: Path) -> None:
    """Let go of what nobody has read for longest."""
    found: list[tuple[float, Path]] = []
    for path in folder.glob("*.blob"):
        with suppress(OSError):
            found.append((path.stat().st_mtime, path))
    for _, path in sorted(found)[:-MOST_KEPT]:
        path.unlink(missing_ok=True)
