"""Where rules lie that quiet things: beside the verdicts of a detector, in the same file."""

import json
from dataclasses import replace
from typing import Any

import numpy as np

from app.feedback.quiet import Looks, Quiet, QuietLeak
from app.feedback.verdicts import Verdicts, next_number
from app.feedback.when import When
from app.feedback.where import Where
from novic.database import transaction

_COLUMNS = (
    "event_id", "camera", "what", "of_kind", "change", "made_us", "keep_s", "who", "note",
)  # fmt: skip


class Quiets:
    """The rules that lie in a detector's folder; opened for each use, so that many may."""

    def __init__(self, verdicts: Verdicts) -> None:
        """Look at the file of a detector's verdicts; none is made before something is said."""
        self._file = verdicts

    def all(self) -> list[Quiet]:
        """Every rule in the order it was made, expired ones too; none without a file.

        Raises:
            FeedbackError: If the file cannot be read, or is from a newer Nomaly.
        """
        if not self._file.path.exists():
            return []
        with self._file.opened() as database:
            rows = database.execute("SELECT * FROM quiet ORDER BY number").fetchall()
        return [_quiet(dict(row)) for row in rows]

    def add(self, rule: Quiet) -> Quiet:
        """Keep a rule; returns it with its number.

        Raises:
            FeedbackError: If it cannot be written.
        """
        values: dict[str, Any] = {name: getattr(rule, name) for name in _COLUMNS}
        values |= {
            "zone": json.dumps([rule.where.name, rule.where.corners, rule.where.said]),
            "since_min": rule.when.since_min,
            "until_min": rule.when.until_min,
            "days": json.dumps(rule.when.days),
            "leak": rule.leak and json.dumps(rule.leak.as_json()),
        }
        if rule.looks is not None:
            values |= {
                "embedder": rule.looks.embedder,
                "unit": rule.looks.vector.astype("<f2").tobytes(),
                "looks": rule.looks.signature.astype("<f2").tobytes(),
                "nouns": json.dumps(rule.looks.nouns, ensure_ascii=False),
                "likeness": rule.looks.likeness,
            }
        with self._file.opened() as database, transaction(database):
            values["number"] = number = next_number(database)
            database.execute(
                f"INSERT INTO quiet({', '.join(values)})"  # noqa: S608 - our own names
                f" VALUES ({', '.join('?' * len(values))})",
                tuple(values.values()),
            )
        return replace(rule, number=number)

    def used(self, number: int, time_us: int) -> None:
        """Note that a rule quieted an event that began at a time, UTC in microseconds.

        Raises:
            FeedbackError: If it cannot be written.
        """
        with self._file.opened() as database, transaction(database):
            database.execute(
                "UPDATE quiet SET uses = uses + 1, used_us = max(coalesce(used_us, 0), ?)"
                " WHERE number = ?",
                (time_us, number),
            )

    def forget(self, number: int) -> None:
        """Drop a rule; nothing happens if there is none of this number.

        Raises:
            FeedbackError: If it cannot be written.
        """
        with self._file.opened() as database, transaction(database):
            database.execute("DELETE FROM quiet WHERE number = ?", (number,))


def _quiet(row: dict[str, Any]) -> Quiet:
    name, corners, said = json.loads(row["zone"])
    return Quiet(
        number=row["number"],
        where=Where(name, tuple((x, y) for x, y in corners), said),
        when=When(row["since_min"], row["until_min"], tuple(json.loads(row["days"]))),
        looks=_looks(row),
        uses=row["uses"],
        used_us=row["used_us"],
        leak=QuietLeak.of(row["leak"]) if row["leak"] else None,
        of_kind=bool(row["of_kind"]),
        **{column: row[column] for column in _COLUMNS if column != "of_kind"},
    )


def _looks(row: dict[str, Any]) -> Looks | None:
    if row["looks"] is None:
        return None
    vector, signature = (
        np.frombuffer(row[name], "<f2").astype(np.float32) for name in ("unit", "looks")
    )
    unit = vector / max(float(np.linalg.norm(vector)), 1e-6)
    nouns = tuple((noun, p) for noun, p in json.loads(row["nouns"]))
    return Looks(row["embedder"], unit, signature, nouns, row["change"], row["likeness"])
