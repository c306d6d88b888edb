"""The folder that an inspection writes into."""

import shutil
from pathlib import Path

from app.errors import UsageError

RESULTS, TABLE, PAGE, HEAT, DETECTOR = (
    "inspection.json",
    "images.csv",
    "report.html",
    "heat",
    "detector",
)
OURS = (RESULTS, TABLE, PAGE, HEAT, DETECTOR)
"""Everything that an inspection writes."""


def check_free(out: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds something, before anything is learned for it.

    Raises:
        UsageError: If it is a file, or holds files that are not ours, or ours without `overwrite`.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder")
    present = {entry.name for entry in out.iterdir()}
    if others := present - set(OURS):
        raise UsageError(
            f"--out {out}: holds files that no inspection wrote ({min(others)}, ...); "
            "name a new or empty folder"
        )
    # What a Ctrl-C left while it learned is no inspection.
    if RESULTS in present and not overwrite:
        raise UsageError(
            f"--out {out}: holds an earlier inspection; name another folder, or replace it with "
            "--overwrite"
        )


def claim(out: Path) -> None:
    """Make the folder, and empty it of what an earlier inspection wrote.

    Raises:
        UsageError: If it cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in OURS:
            entry = out / name
            # A link goes, and what it leads to stays.
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)
        (out / HEAT).mkdir()
    except OSError as error:
        raise UsageError(f"--out {out}: cannot be written: {error.strerror or error}") from error
