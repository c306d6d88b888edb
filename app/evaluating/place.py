"""The folder that an evaluation writes into."""

from pathlib import Path

from app.errors import UsageError

RESULTS, PAGE, AUDIT = "evaluation.json", "report.html", "audit"


def check_free(out: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds something, before anything is measured for it.

    An audit that was stopped may lie there: the same command goes on with it.

    Raises:
        UsageError: If it is a file, holds other files, or an evaluation without `overwrite`.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder")
    present = {entry.name for entry in out.iterdir()}
    if RESULTS in present and not overwrite:
        raise UsageError(
            f"--out {out}: holds an earlier evaluation; name another folder, or replace it with "
            "--overwrite"
        )
    if present and RESULTS not in present and not present <= {AUDIT}:
        raise UsageError(
            f"--out {out}: holds files that no evaluation wrote ({min(present)}, ...); "
            "name a new or empty folder"
        )
