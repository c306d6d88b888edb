"""What people say of single events: confirmed, a false alarm, expected here, or another name.

Answers lie in the store of the event, beside whoever else writes there; all are kept, and the
newest of an event holds. They silence nothing: that is `nomaly feedback normal`.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from app.errors import UsageError
from app.events.reading import in_place
from app.events.schema import WAIT_S, faults, open_database
from novic.database import transaction
from novic.vocabulary import sanitised

type AnswerKind = Literal["confirmed", "false_alarm", "expected_here", "renamed"]
MOST_LETTERS = 100
"""Of a noun."""
ANSWERS: tuple[AnswerKind, ...] = get_args(AnswerKind.__value__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody said of one event."""

    event_id: str
    verdict: AnswerKind
    noun: str = ""
    """What it truly was, where they said it; always of one that was renamed."""
    note: str = ""
    """Why, in their words."""
    who: str = ""
    """Who said it; empty if nobody asked."""
    time_us: int = 0
    """When it was said, UTC in microseconds."""

    @property
    def decides_name(self) -> bool:
        """Whether no decoder gives the event another name: people said what it is."""
        return self.verdict in ("confirmed", "renamed")

    def as_json(self) -> dict[str, Any]:
        """The answer as scripts read it; keys are stable."""
        said = asdict(self)
        return {"event": said.pop("event_id"), **said}


def keep_answer(folder: Path, answer: Answer) -> None:
    """Keep what was said of an event of a folder.

    Raises:
        UsageError: If there is no such event, or it was renamed without a noun.
        app.errors.StoreError: If the store cannot be written.
    """
    noun = sanitised(answer.noun)
    if answer.verdict not in ANSWERS:
        raise UsageError(f"{answer.verdict}: is no verdict; say one of {', '.join(ANSWERS)}")
    if answer.verdict == "renamed" and not noun:
        raise UsageError("renamed: say what it is, as: renamed 'pallet jack'")
    if len(noun) > MOST_LETTERS:
        raise UsageError(f"{noun[:20]} ...: a noun has at most {MOST_LETTERS} letters")
    with faults(folder), closing(open_database(folder, WAIT_S)) as database, transaction(database):
        kept = database.execute(
            "INSERT INTO answer(event_id, time_us, who, verdict, noun, note)"
            " SELECT id, ?, ?, ?, ?, ? FROM event WHERE id = ? RETURNING id",
            (answer.time_us, answer.who, answer.verdict, noun, answer.note, answer.event_id),
        ).fetchone()
        if kept is None:
            raise UsageError(f"{answer.event_id}: is no event of {folder}")


def take_back(folder: Path, event_id: str) -> bool:
    """Forget all that was said of an event; returns whether there was anything.

    Raises:
        app.errors.StoreError: If the store cannot be written.
    """
    with faults(folder), closing(open_database(folder, WAIT_S)) as database, transaction(database):
        return database.execute("DELETE FROM answer WHERE event_id = ?", (event_id,)).rowcount > 0


def answers(folder: Path, event_id: str | None = None) -> list[Answer]:
    """What was said of the events of a folder, or of one of them, in the order it was said.

    Raises:
        UsageError: If there is no store.
        app.errors.StoreError: If it cannot be read.
    """
    with in_place(folder) as store:
        return read_answers(store.database, event_id)


def read_answers(database: sqlite3.Connection, event_id: str | None = None) -> list[Answer]:
    """The same from an open store."""
    where = "" if event_id is None else " WHERE event_id = ?"
    rows = database.execute(
        f"SELECT event_id, verdict, noun, note, who, time_us FROM answer{where}"  # noqa: S608 - ours
        " ORDER BY id",
        () if event_id is None else (event_id,),
    )
    return [Answer(*row) for row in rows]


def newest(said: list[Answer]) -> dict[str, Answer]:
    """What holds of each event: the newest of what was said in this order."""
    return {answer.event_id: answer for answer in said}


def answers_in(database: sqlite3.Connection, event_ids: Sequence[str]) -> dict[str, Answer]:
    """What holds of some events, by their ids; those are missing of which nothing was said.

    Args:
        database: A store, up to date.
        event_ids: At most a few hundred.
    """
    places = ", ".join("?" * len(event_ids))
    rows = database.execute(
        f"SELECT event_id, verdict, noun, note, who, time_us FROM answer"  # noqa: S608 - question marks
        f" WHERE event_id IN ({places}) ORDER BY id",
        tuple(event_ids),
    )
    return newest([Answer(*row) for row in rows])
