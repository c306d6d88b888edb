"""All events of a place named once more: what changes, kept as one revision, or taken back."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.errors import UsageError
from app.events.event import Event
from app.events.folders import watched_folders
from app.events.reading import StoreReader, in_place
from app.feedback.answers import Answer, newest, read_answers
from app.renaming.naming import Rename, named_again
from app.renaming.revisions import keep, last_revision, undo
from app.report.times import local
from scenarios.belonging_rule import BelongingRule

if TYPE_CHECKING:
    from novic.model import NounModel

LEFT = {
    "embedder": "made with another embedder",
    "said": "told by people what they are",
    "open": "still going on",
    "vector": "without a vector",
    "same": "named by this decoder already",
}
"""Why events are left as they are, for people."""


_EVENTS = """
SELECT event.id, event.state, embedder, unit, coalesce(
  (SELECT model FROM renamed JOIN naming ON naming.id = naming_id
    WHERE renamed.event_id = event.id AND undone_us IS NULL ORDER BY naming.id DESC LIMIT 1),
  json_extract(settings, '$.namer')) AS namer
FROM event JOIN run ON run.id = run_id LEFT JOIN vector ON vector.event_id = event.id
WHERE event.kind = 'object' AND start_us >= ? ORDER BY start_us, event.id
"""


@dataclass(frozen=True, slots=True)
class Diff:
    """What naming once more changes, or changed."""

    asked: int
    """Events that were named once more."""
    left: Counter[str]
    """How many were not, by the keys of LEFT."""
    changed: list[tuple[str, str, str]]
    """(id, headline before, headline after) of events whose headline is another."""
    other: int
    """Events of the same headline of which something else is told: whether they belong, a guess."""
    kept: bool
    """Whether it was written."""
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(headline before, after) with how many."""

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        return {
            "asked": self.asked,
            "left": dict(self.left),
            "kept": self.kept,
            "other": self.other,
            "changed": [
                {"event": event_id, "before": before, "after": after}
                for event_id, before, after in self.changed
            ],
            "pairs": [
                {"before": before, "after": after, "events": count}
                for (before, after), count in self.pairs.most_common()
            ],
        }


@dataclass(frozen=True, slots=True)
class Naming:
    """What names, and when."""

    model: "NounModel"
    sha256: str
    """Of the decoder."""
    name: str
    """Of the decoder, for people."""
    time_us: int
    """UTC in microseconds."""
    belonging: BelongingRule | None = None
    """The site's; None for what held of each event."""
    earlier: Callable[[str], "NounModel | None"] = lambda _: None
    """Gives the decoder of a SHA-256 that named events before; None where it is not at hand. With
    it only that counts in which both decoders differ about the same vector: what a vote over
    several crops said otherwise than a single one would is no news."""


@dataclass(frozen=True, slots=True)
class _Due:
    """The events of one store that are named once more."""

    folder: Path
    events: list[Event]
    vectors: list[NDArray[np.float32]]
    """Unit vectors [F]."""
    namers: list[str]
    """SHA-256 of the decoder that named each; empty where nobody knows."""


def rename(
    place: Path,
    naming: Naming,
    since_us: int | None = None,
    told: Callable[[int, int], None] = lambda *_: None,
    *,
    dry: bool = False,
) -> Diff:
    """Name the closed events of a place once more from their vectors.

    Args:
        place: As `app.events.folders.watched_folders` takes it.
        naming: What names.
        since_us: Events from then on, UTC in microseconds; None for all.
        told: Called with how many vectors are named, and of how many; if it raises, nothing more
            is written.
        dry: Write nothing.

    Raises:
        UsageError: If there is no store.
        app.errors.StoreError: If one cannot be read or written.
    """
    left: Counter[str] = Counter()
    todo: list[_Due] = []
    for folder in watched_folders(place):
        with in_place(folder.folder) as store:
            todo.append(_due(store, naming, since_us or 0, left))
    total = sum(len(due.events) for due in todo)
    renames: list[tuple[Path, list[Rename]]] = []
    done = 0
    for due in todo:
        found = _named(due, naming, lambda count, base=done: told(base + count, total))
        renames.append((due.folder, [_noted(one, naming) for one in found]))
        done += len(due.events)
    if not dry:
        for path, found in renames:
            keep(path, found, time_us=naming.time_us, model=naming.sha256, name=naming.name)
    every = [one for _, found in renames for one in found]
    return _diff([(one.before, one.after) for one in every], total, left, kept=not dry)


def _named(due: _Due, naming: Naming, told: Callable[[int], None]) -> list[Rename]:
    """What changes in one store."""
    if not due.events:
        return []
    vectors = np.stack(due.vectors)
    found = named_again(due.events, vectors, naming.model, naming.belonging, told)
    changed = [number for number, one in enumerate(found) if one.changes]
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for number in changed:
        groups[due.namers[number]].append(number)
    news = set(changed)
    for namer, numbers in groups.items():
        before = naming.earlier(namer) if namer else None
        if before is not None:
            events = [due.events[number] for number in numbers]
            same = named_again(events, vectors[numbers], before)
            news -= {
                number
                for number, old in zip(numbers, same, strict=True)
                if not Rename(old.after, found[number].after).changes
            }
    return [found[number] for number in sorted(news)]


def _due(store: StoreReader, naming: Naming, since_us: int, left: Counter[str]) -> _Due:
    """The events that are named once more, with their vectors."""
    said = newest(read_answers(store.database))
    rows = store.database.execute(_EVENTS, (since_us,)).fetchall()
    due = _Due(store.folder, [], [], [])
    for row in rows:
        why = _left(row, said.get(row["id"]), naming)
        if why:
            left[why] += 1
        elif (event := store.event(row["id"])) is not None:
            unit = np.frombuffer(row["unit"], "<f2").astype(np.float32)
            due.events.append(event)
            due.vectors.append(unit / np.linalg.norm(unit))
            due.namers.append(row["namer"] or "")
    return due


def _left(row: sqlite3.Row, answer: Answer | None, naming: Naming) -> str:
    """Why an event is left as it is, a key of LEFT; empty if it is not."""
    if answer is not None and answer.decides_name:
        return "said"
    if row["state"] != "closed":
        return "open"
    if row["unit"] is None:
        return "vector"
    if row["embedder"] != naming.model.embedder.spec:
        return "embedder"
    return "same" if row["namer"] == naming.sha256 else ""


def _noted(one: Rename, naming: Naming) -> Rename:
    at = f"{local(naming.time_us):%Y-%m-%d %H:%M}"
    said = f"named again {at} by {naming.name}; it was: {one.before.headline}"
    return Rename(one.before, replace(one.after, named_again=said))


def take_back(place: Path, now_us: int) -> Diff:
    """Give events back what they were called before the newest revision of a place.

    Args:
        place: As `app.events.folders.watched_folders` takes it.
        now_us: When, UTC in microseconds.

    Raises:
        UsageError: If there is no store, or no revision that was not taken back.
        app.errors.StoreError: If one cannot be written.
    """
    found = [(one.folder, last_revision(one.folder)) for one in watched_folders(place)]
    known = [(folder, revision) for folder, revision in found if revision is not None]
    if not known:
        raise UsageError(f"{place}: nothing was named again there that could be taken back")
    # Those of one command have one time.
    newest_us = max(revision.time_us for _, revision in known)
    pairs: list[tuple[Event, Event]] = []
    for folder, revision in known:
        if revision.time_us == newest_us:
            pairs += undo(folder, revision.number, now_us)
    return _diff(pairs, len(pairs), Counter(), kept=True)


def _diff(
    pairs: Sequence[tuple[Event, Event]], asked: int, left: Counter[str], *, kept: bool
) -> Diff:
    changed = [
        (before.id, before.headline, after.headline)
        for before, after in pairs
        if before.headline != after.headline
    ]
    counted = Counter((before, after) for _, before, after in changed)
    return Diff(asked, left, changed, len(pairs) - len(changed), kept, counted)
