"""The events of a place that somebody asks for, from all its stores, with what people said."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from app.errors import UsageError
from app.events.event import Event
from app.events.folders import StoreFolder, watched_folders
from app.events.reading import StoreReader, in_place
from app.feedback.answers import ANSWERS, Answer, newest, read_answers
from novic.kinds import is_kind, kind_sizes
from novic.synonyms import further_words
from novic.vocabulary import canonical

NO_ANSWER = "none"
"""The verdict of an event of which nobody said anything."""
STATES = ("opened", "updated", "closed", "muted")


@dataclass(frozen=True, slots=True)
class Listed:
    """One event with where it is kept and what people said of it."""

    event: Event
    place: StoreFolder
    answer: Answer | None = None
    """The newest; None where nobody said anything."""

    @property
    def headline(self) -> str:
        """What it is called, by people if they said it."""
        said = self.answer
        return said.noun if said is not None and said.noun else self.event.headline

    @property
    def names(self) -> frozenset[str]:
        """The nouns it goes by, canonical: its best one, its kind, and what people said."""
        event = self.event
        told = [event.noun, event.name, "" if self.answer is None else self.answer.noun]
        if event.thing is not None:
            told += [event.thing.noun, event.thing.maybe]
        return frozenset(canonical(noun) for noun in told if noun)

    def as_json(self) -> dict[str, Any]:
        """The event as scripts read it, with `folder`, and `answer` where there is one."""
        said = {} if self.answer is None else {"answer": self.answer.as_json()}
        return {**self.event.as_json(), "folder": str(self.place.folder), **said}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which events are asked for; None and empty ask for nothing."""

    since_us: int | None = None
    """Those that were there at or after a time, UTC in microseconds."""
    until_us: int | None = None
    """Those that began before it."""
    after: tuple[int, str] | None = None
    """Those behind an event, by its start_us and id: what `--since ID` means."""
    camera: str = ""
    noun: str = ""
    """A noun of `Listed.names`, or another word for it."""
    kind: str = ""
    """A kind of `novic.kinds`."""
    state: str = ""
    """One of STATES."""
    verdict: str = ""
    """One of ANSWERS, or NO_ANSWER."""
    text: str = ""
    """All these words stand in what is told of it."""

    def check(self) -> None:
        """Refuse words that mean nothing.

        Raises:
            UsageError: If it names a kind, state or verdict that does not exist.
        """
        known = {
            "--kind": (self.kind, tuple(kind_sizes())),
            "--state": (self.state, STATES),
            "--verdict": (self.verdict, (*ANSWERS, NO_ANSWER)),
        }
        for option, (word, words) in known.items():
            if word and word not in words:
                near = get_close_matches(word, words, 3, 0.5) or sorted(words)[:8]
                raise UsageError(f"{option} {word}: is not known; try {', '.join(near)}")


def listed(place: Path, asked: Asked | None = None, limit: int | None = None) -> list[Listed]:
    """The events of a place in order of time, the newest ones where there are more than `limit`.

    Args:
        place: As `app.events.folders.watched_folders` takes it.
        asked: Which of them; all by default.
        limit: At most so many; None for all.

    Raises:
        UsageError: If there is no store, or the question makes no sense.
        app.errors.StoreError: If a store cannot be read.
    """
    asked = asked or Asked()
    asked.check()
    found: list[Listed] = []
    for folder in watched_folders(place):
        with in_place(folder.folder) as store:
            found += _of_store(store, folder, asked, limit)
    found.sort(key=lambda one: (one.event.start_us, one.event.id))
    return found if limit is None else found[max(0, len(found) - limit) :]


def _of_store(
    store: StoreReader, folder: StoreFolder, asked: Asked, limit: int | None
) -> list[Listed]:
    said = newest(read_answers(store.database))
    found: list[Listed] = []
    for event_id in _ids(store.database, asked):
        event = store.event(event_id)
        if event is None:
            continue
        one = Listed(event, folder, said.get(event_id))
        if _is_meant(one, asked):
            found.append(one)
            if len(found) == limit:
                break
    return found


def _ids(database: sqlite3.Connection, asked: Asked) -> Sequence[str]:
    """Ids of the events that a question may mean, the newest first."""
    state = "" if asked.state == "muted" else asked.state
    bounds: list[tuple[str, tuple[object, ...]]] = [
        ("end_us >= ?", () if asked.since_us is None else (asked.since_us,)),
        ("start_us < ?", () if asked.until_us is None else (asked.until_us,)),
        ("(start_us, id) > (?, ?)", asked.after or ()),
        ("camera = ?", (asked.camera,) if asked.camera else ()),
        ("state = ?", (state,) if state else ()),
        ("muted != ?", ("",) if asked.state == "muted" else ()),
    ]
    used = [(text, values) for text, values in bounds if values]
    where = " AND ".join(text for text, _ in used)
    rows = database.execute(
        f"SELECT id FROM event{' WHERE ' if where else ''}{where}"  # noqa: S608 - our own texts
        " ORDER BY start_us DESC, id DESC",
        [value for _, values in used for value in values],
    )
    return [row["id"] for row in rows]


def _is_meant(one: Listed, asked: Asked) -> bool:
    return (
        (not asked.noun or _goes_by(one, asked.noun))
        and (
            not asked.kind
            or any(name == asked.kind or is_kind(name, asked.kind) for name in one.names)
        )
        and (
            not asked.verdict or asked.verdict == (one.answer.verdict if one.answer else NO_ANSWER)
        )
        and (not asked.text or _says(one, asked.text))
    )


def _goes_by(one: Listed, noun: str) -> bool:
    words = {canonical(noun), *map(canonical, further_words(canonical(noun)))}
    return not words.isdisjoint(one.names)


def _says(one: Listed, text: str) -> bool:
    told = one.as_json()
    said = " ".join([one.headline, *one.names, *(noun for noun, _ in one.event.candidates)])
    where = " ".join(str(told.get(key, "")) for key in ("camera", "video", "said", "muted", "id"))
    note = "" if one.answer is None else one.answer.note
    words = f"{said} {where} {note}".casefold()
    return all(word in words for word in text.casefold().split())


def only(place: Path, event_id: str) -> Listed:
    """One event of a place, by its id, or by how that begins or ends where no other's does.

    Raises:
        UsageError: If there is none; the text names the nearest ids.
        app.errors.StoreError: If a store cannot be read.
    """
    with ExitStack() as opened:
        stores = [
            (folder, opened.enter_context(in_place(folder.folder)))
            for folder in watched_folders(place)
        ]
        matches = [
            (folder, store, known)
            for folder, store in stores
            for known in _matching(store.database, event_id)
        ]
        if len(matches) != 1:
            raise UsageError(_none_of(place, event_id, [*_ids_of(stores)], [m[2] for m in matches]))
        folder, store, known = matches[0]
        event = store.event(known)
        if event is None:
            raise UsageError(f"{event_id}: is no event of {place} any more")
        return Listed(event, folder, newest(read_answers(store.database, known)).get(known))


def _matching(database: sqlite3.Connection, event_id: str) -> list[str]:
    row = database.execute("SELECT id FROM event WHERE id = ?", (event_id,)).fetchone()
    if row is not None or len(event_id) < 4:
        return [row["id"]] if row is not None else []
    rows = database.execute(
        "SELECT id FROM event WHERE substr(id, 1, ?) = ? OR substr(id, ?) = ? ORDER BY id",
        (len(event_id), event_id, -len(event_id), event_id),
    )
    return [row["id"] for row in rows]


def _ids_of(stores: Sequence[tuple[StoreFolder, StoreReader]]) -> Iterator[str]:
    for _, store in stores:
        yield from (row["id"] for row in store.database.execute("SELECT id FROM event"))


def _none_of(place: Path, asked: str, known: Sequence[str], several: Sequence[str]) -> str:
    if several:
        some = ", ".join(several[:3])
        return f"{asked}: may be {len(several)} events of {place}, as {some}; write more of the id"
    near = get_close_matches(asked, known, 3, 0.6)
    advice = f"the nearest are {', '.join(near)}" if near else "nomaly events list shows the ids"
    return f"{asked}: is no event of {place}; {advice}"
