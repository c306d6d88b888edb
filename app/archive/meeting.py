"""Whether a thing was moved across the border of two stretches: both must then be seen by one."""

from pathlib import Path

from app.archive.ledger import open_part
from app.watching.moves import WITHIN_S


def moved_across(before: Path, after: Path, at_s: float) -> bool:
    """Whether something may have gone on one side of a moment and come on the other.

    Args:
        before: Folder of the part that ends there.
        after: Folder of the part that goes on.
        at_s: The moment, in seconds from the start of the recording.

    Raises:
        sqlite3.Error: If one of their stores cannot be read.
    """
    left = _changes(before, at_s - WITHIN_S, at_s)
    right = _changes(after, at_s, at_s + WITHIN_S)
    return ("missing" in left and "arrived" in right) or ("arrived" in left and "missing" in right)


def _changes(part: Path, from_s: float, until_s: float) -> set[str]:
    with open_part(part) as opened:
        rows = opened.database.execute(
            "SELECT DISTINCT change FROM event WHERE kind = 'object' AND start_s > ?"
            " AND start_s <= ?",
            (from_s, until_s),
        ).fetchall()
    return {row["change"] for row in rows}
