"""Where a fitted detector is put: a new folder, or the place of one that was fitted before."""

import shutil
from collections.abc import Collection
from pathlib import Path

from app.errors import UsageError
from app.feedback.verdicts import FEEDBACK
from app.watching.calm import NORMAL_PICTURE
from detectors.base import Detector, DetectorError
from detectors.files import FILES, read_facts


def check_place(
    out: Path, *, overwrite: bool, besides: Collection[str] = (), more: Path | None = None
) -> None:
    """Refuse a folder that a detector cannot be put at, before it learns for minutes.

    Args:
        out: The folder.
        overwrite: Whether a detector that is there may be replaced.
        besides: Names of files that may lie there too.
        more: Folder of the detector that the one to be put there adds to.

    Raises:
        UsageError: If something is there that is no detector, or may not be replaced.
        DetectorError: If there is no detector to add to.
    """
    if more is not None:
        read_facts(more)
    if not out.exists():
        return
    if not overwrite:
        raise UsageError(
            f"--out {out}: exists already; name a new folder, or replace the detector in it with "
            "--overwrite"
        )
    try:
        read_facts(out)
        ours = {*FILES, NORMAL_PICTURE, FEEDBACK, *besides}
        others = {entry.name for entry in out.iterdir()} - ours
    except (DetectorError, OSError) as error:
        raise UsageError(f"--overwrite replaces detectors, and this is none: {error}") from error
    if others:
        raise UsageError(
            f"--out {out}: holds other files besides a detector ({min(others)}, ...); "
            "name a new folder"
        )


def put_detector(detector: Detector, out: Path, more: Path | None = None) -> None:
    """Save a detector; one that `check_place` found there is replaced once this one is whole.

    Args:
        detector: Fitted.
        out: Its folder.
        more: That of the detector that it adds to; what people said of that view comes along.

    Raises:
        DetectorError: If it cannot be written; what was there stays.
    """
    if not out.exists():
        detector.save(out)
        _keep_feedback(more, out)
        return
    fresh, old = out.with_name(f".{out.name}.new"), out.with_name(f".{out.name}.old")
    for left in (fresh, old):
        shutil.rmtree(left, ignore_errors=True)
    detector.save(fresh)
    _keep_feedback(more or out, fresh)
    out.rename(old)
    fresh.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _keep_feedback(before: Path | None, folder: Path) -> None:
    """What people said of a view holds for whatever looks at it."""
    if before is not None and (before / FEEDBACK).exists():
        shutil.copy2(before / FEEDBACK, folder)
