"""The folder that an evaluation of the pipeline writes into; one that was stopped goes on there."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.errors import UsageError
from app.events.schema import faults
from novic.json_files import read_json
from novic.whole_files import write_whole

ASKED, RESULTS, PAGE, RECORDINGS = "asked.json", "pipeline.json", "report.html", "recordings"
OURS = frozenset({ASKED, RESULTS, PAGE, RECORDINGS})


def check_place(out: Path, asked: Mapping[str, Any], *, overwrite: bool) -> None:
    """Refuse what `claim` refuses, and write nothing.

    Raises:
        UsageError: See `claim`.
    """
    _check(out, _told(asked), overwrite)


def claim(out: Path, asked: Mapping[str, Any], *, overwrite: bool) -> None:
    """Take a folder for what was asked; recordings and audits of the very same are kept.

    Args:
        out: The folder; made if missing.
        asked: What is measured and how it is looked at, for JSON.
        overwrite: Whether what another evaluation left is removed.

    Raises:
        UsageError: If it is a file, holds others' files, or another evaluation without
            `overwrite`.
        app.errors.StoreError: If it cannot be written.
    """
    told = _told(asked)
    if _check(out, told, overwrite):
        shutil.rmtree(out / RECORDINGS, ignore_errors=True)
        for name in (RESULTS, PAGE):
            (out / name).unlink(missing_ok=True)
    with faults(out):
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(out / ASKED, (json.dumps(told, indent=1) + "\n").encode())


def _told(asked: Mapping[str, Any]) -> Any:  # noqa: ANN401  # JSON
    """As it comes back from a file."""
    return json.loads(json.dumps(asked))


def _check(out: Path, told: Any, overwrite: bool) -> bool:  # noqa: ANN401  # JSON
    """Whether another evaluation lies there, which may be removed."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder")
    present = {entry.name for entry in out.iterdir()} if out.exists() else set()
    if not present <= OURS:
        raise UsageError(
            f"--out {out}: holds files that no evaluation wrote ({min(present - OURS)}, ...); "
            "name a new or empty folder"
        )
    other = bool(present) and _asked(out) != told
    if other and not overwrite:
        raise UsageError(
            f"--out {out}: holds the evaluation of something else; name another folder, or "
            "replace it with --overwrite"
        )
    return other


def _asked(out: Path) -> Any:  # noqa: ANN401  # JSON
    """What an earlier evaluation was asked; None if nobody knows."""
    try:
        return read_json(out / ASKED)
    except (OSError, ValueError):
        return None
