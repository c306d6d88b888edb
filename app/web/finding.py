"""The events that the page lists: filtered, newest first, a page at a time."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from heapq import merge
from itertools import islice
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.events.belonging import here, of_site
from app.events.event import Event
from app.events.media import MEDIA
from app.feedback.answers import Answer, answers_in
from app.web.places import Place, Places, Reader, reading

PAGE = 30
"""Events that a page shows at once."""
MOST = 500
"""... and that are given out at once."""
PICTURES = {"snapshot": "snapshots", "crop": "crops", "heat": "heat", "before": "before"}
"""Kinds of pictures, as they are asked for and as they are kept."""
_CHUNK = 60
_ESCAPED = str.maketrans({"%": r"\%", "_": r"\_", "\\": "\\\\"})


class Filters(BaseModel):
    """Which events are wanted; empty fields want all."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    camera: str = Field(default="", description="Name of a camera's folder.")
    day: str = Field(default="", description="A day of this machine's time zone, as 2026-11-30.")
    text: str = Field(default="", max_length=200, description="Words in names, guesses, sentences.")
    kind: Literal["", "object", "camera"] = ""
    state: Literal["", "told", "open", "closed", "silent"] = Field(
        default="",
        description="`silent` is what people said is normal, `told` all else.",
    )
    verdict: Literal["", "expected", "unexpected", "unknown"] = Field(
        default="", description="Whether it belongs to its place."
    )
    answer: Literal["", "confirmed", "false_alarm", "renamed", "none"] = Field(
        default="", description="What people said of it."
    )

    @field_validator("day")
    @classmethod
    def _a_day(cls, text: str) -> str:
        if text:
            date.fromisoformat(text)
        return text

    @property
    def days(self) -> tuple[int, int] | None:
        """Begin and end of the day, UTC in microseconds."""
        if not self.day:
            return None
        first = datetime.combine(date.fromisoformat(self.day), time()).astimezone()
        last = datetime.combine(first.date() + timedelta(days=1), time()).astimezone()
        return round(first.timestamp() * 1e6), round(last.timestamp() * 1e6)


@dataclass(frozen=True, slots=True)
class Found:
    """One event with what people said of it."""

    place: str
    """Name of its store."""
    event: Event
    answer: Answer | None
    here: str
    """Whether it belongs to its place, for people; empty where nothing tells that."""
    pictures: tuple[str, ...]
    """Kinds of pictures that there are."""
    kept: bool = False
    """Whether the storage never gives it up."""

    @property
    def order(self) -> tuple[int, str, str]:
        """Later ones are larger."""
        return self.event.start_us, self.event.id, self.place

    @property
    def address(self) -> str:
        """Where it lies below `/events/`."""
        return f"{self.place}/{self.event.id}"

    @property
    def state(self) -> str:
        """`open`, `closed`, or what else the event says of its life."""
        return "open" if self.event.state in ("opened", "updated") else self.event.state

    def as_json(self) -> dict[str, Any]:
        """The event as everywhere, with where it lies and what was said of it."""
        base = f"/api/v1/events/{self.address}"
        said = self.event.as_json()
        links = {
            kind: f"{base}/{kind}" for kind, stored in PICTURES.items() if stored in self.pictures
        }
        return said | {
            "folder": self.place,
            "state": self.state,
            "answer": self.answer and self.answer.as_json(),
            "kept": self.kept,
            "links": links | ({"clip": f"{base}/clip"} if said.get("clip") else {}),
        }


type Before = tuple[int, str, str]
"""The order of the last event that was listed."""


def found_events(
    places: Places, filters: Filters, limit: int = PAGE, before: Before | None = None
) -> list[Found]:
    """The newest events of all stores that are wanted.

    Args:
        places: Where to look.
        filters: Which are wanted.
        limit: How many at most.
        before: Only those that come behind this one.

    Raises:
        app.errors.StoreError: If a store cannot be read.
    """
    wanted = [one for one in places.all() if filters.camera in ("", one.name)]
    lists = [_found_in(one, filters, limit, before) for one in wanted]
    ordered = merge(*lists, key=lambda one: one.order, reverse=True)
    return list(islice(ordered, limit))


def found_event(place: Place, event_id: str) -> Found | None:
    """One event; None if it is not there.

    Raises:
        app.errors.StoreError: If the store cannot be read.
    """
    with reading(place.folder) as store:
        event = store.event(event_id)
        return None if event is None else found(store, place.name, [event])[0]


def fits(place: Place, event_id: str, filters: Filters) -> Found | None:
    """One event if it is there and wanted; else None.

    Raises:
        app.errors.StoreError: If the store cannot be read.
    """
    if filters.camera not in ("", place.name):
        return None
    listed = _found_in(place, filters, 1, None, event_id)
    return listed[0] if listed else None


def found(store: Reader, place: str, events: Sequence[Event]) -> list[Found]:
    """Events with all that is shown of them."""
    said = answers_in(store.db, [event.id for event in events])
    known, kept = is_known(store), _kept(store, events)
    return [
        Found(
            place,
            event,
            said.get(event.id),
            here(event) if known else "",
            tuple(kind for kind in MEDIA if store.media(kind, event).exists()),
            event.id in kept,
        )
        for event in events
    ]


def _kept(store: Reader, events: Sequence[Event]) -> set[str]:
    """Ids of those events that are kept for good."""
    marks = ", ".join("?" * len(events))
    rows = store.db.execute(
        f"SELECT id FROM event WHERE keep AND id IN ({marks})",  # noqa: S608 - question marks
        [event.id for event in events],
    )
    return {row["id"] for row in rows}


def is_known(store: Reader) -> bool:
    """Whether a store knows what is usual there, by its newest events."""
    rows = store.db.execute(
        "SELECT 1 FROM event WHERE surprise_bits IS NOT NULL LIMIT 1"
    ).fetchall() or [row for row in _newest(store, 20) if of_site([row])]
    return bool(rows)


def _newest(store: Reader, count: int) -> Iterator[Event]:
    rows = store.db.execute(
        "SELECT id FROM event WHERE evidence IS NOT NULL ORDER BY start_us DESC LIMIT ?", (count,)
    ).fetchall()
    for row in rows:
        event = store.event(row["id"])
        if event is not None:
            yield event


def _found_in(
    place: Place, filters: Filters, limit: int, before: Before | None, event_id: str = ""
) -> list[Found]:
    with reading(place.folder) as store:
        events = list(islice(_matching(store, place.name, filters, before, event_id), limit))
        return found(store, place.name, events)


def _matching(
    store: Reader, place: str, filters: Filters, before: Before | None, event_id: str
) -> Iterator[Event]:
    """Events of a store that are wanted, the newest first."""
    where, values = _where(filters)
    if event_id:
        where, values = [*where, "event.id = ?"], [*values, event_id]
    last = before[:2] if before is not None else None
    # What began at the same moment under the same id may lie in a store further back, too.
    inclusive = before is not None and place < before[2]
    while True:
        rows = _rows(store.db, where, values, last, inclusive=inclusive)
        for row in rows:
            event = store.event(row["id"])
            if event is not None and _belongs(event, filters):
                yield event
        if len(rows) < _CHUNK:
            return
        last, inclusive = (rows[-1]["start_us"], rows[-1]["id"]), False


def _rows(
    db: sqlite3.Connection,
    where: Sequence[str],
    values: Sequence[Any],
    last: tuple[int, str] | None,
    *,
    inclusive: bool,
) -> list[sqlite3.Row]:
    terms, more = list(where), list(values)
    if last is not None:
        terms.append(f"(event.start_us, event.id) {'<=' if inclusive else '<'} (?, ?)")
        more += last
    joined = f"WHERE {' AND '.join(terms)}" if terms else ""
    return db.execute(
        "SELECT event.id, event.start_us FROM event LEFT JOIN"  # noqa: S608 - our own terms
        f" ({_NEWEST}) AS answer ON answer.event_id = event.id"
        f" {joined} ORDER BY event.start_us DESC, event.id DESC LIMIT {_CHUNK}",
        more,
    ).fetchall()


def _belongs(event: Event, filters: Filters) -> bool:
    if not filters.verdict:
        return True
    return event.belongs is not None and event.belongs.word == filters.verdict


_NEWEST = (
    "SELECT event_id, verdict, noun FROM answer"
    " WHERE id IN (SELECT MAX(id) FROM answer GROUP BY event_id)"
)
"""What was said last of each event."""
_STATES = {
    "told": "event.muted = ''",
    "silent": "event.muted != ''",
    "open": "event.state != 'closed'",
    "closed": "event.state = 'closed'",
}


def _where(filters: Filters) -> tuple[list[str], list[Any]]:
    """What SQL can decide."""
    terms: list[str] = []
    values: list[Any] = []
    if filters.days is not None:
        terms.append("event.start_us >= ? AND event.start_us < ?")
        values += filters.days
    if filters.kind:
        terms.append("event.kind = ?")
        values.append(filters.kind)
    if filters.state:
        terms.append(_STATES[filters.state])
    if filters.answer == "none":
        terms.append("answer.verdict IS NULL")
    elif filters.answer:
        terms.append("answer.verdict = ?")
        values.append(filters.answer)
    for word in filters.text.split():
        like = f"%{word.translate(_ESCAPED)}%"
        fields = ("event.name", "event.said", "event.thing", "event.camera", "answer.noun")
        guessed = "EXISTS (SELECT 1 FROM candidate WHERE event_id = event.id AND noun {})"
        some = [*(f"{field} {{}}" for field in fields), guessed]
        terms.append(f"({' OR '.join(some)})".replace("{}", "LIKE ? ESCAPE '\\'"))
        values += [like] * (len(fields) + 1)
    return terms, values
