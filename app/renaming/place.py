"""All events of a place named once more: what changes, kept as one revision, or taken back."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.errors import UsageError
from app.events.event import Event
from app.events.folders import watched_folders
from app.events.reading import StoreReader, in_place
from app.feedback.answers import newest, read_answers
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
}
"""Why events are left as they are, for people."""


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
    todo: list[tuple[Path, list[Event], list[np.ndarray]]] = []
    for folder in watched_folders(place):
        with in_place(folder.folder) as store:
            todo.append((folder.folder, *_due(store, naming, since_us or 0, left)))
    total = sum(len(events) for _, events, _ in todo)
    renames: list[tuple[Path, list[Rename]]] = []
    done = 0
    for path, events, vectors in todo:
        found: list[Rename] = []
        if events:
            base = done
            found = named_again(
                events,
                np.stack(vectors),
                naming.model,
                naming.belonging,
                lambda count, base=base: told(base + count, total),
            )
        done += len(events)
        renames.append((path, [_noted(one, naming) for one in found if one.changes]))
    if not dry:
        for path, found in renames:
            keep(path, found, time_us=naming.time_us, model=naming.sha256, name=naming.name)
    every = [one for _, found in renames for one in found]
    return _diff([(one.before, one.after) for one in every], total, left, kept=not dry)


def _due(
    store: StoreReader, naming: Naming, since_us: int, left: Counter[str]
) -> tuple[list[Event], list[np.ndarray]]:
    """The events that are named once more, with their vectors."""
    said = newest(read_answers(store.database))
    rows = store.database.execute(
        "SELECT id, state, embedder, unit FROM event LEFT JOIN vector ON event_id = id"
        " WHERE kind = 'object' AND start_us >= ? ORDER BY start_us, id",
        (since_us,),
    ).fetchall()
    events: list[Event] = []
    vectors: list[np.ndarray] = []
    for row in rows:
        answer = said.get(row["id"])
        if answer is not None and answer.decides_name:
            left["said"] += 1
        elif row["state"] != "closed":
            left["open"] += 1
        elif row["unit"] is None:
            left["vector"] += 1
        elif row["embedder"] != naming.model.embedder.spec:
            left["embedder"] += 1
        elif (event := store.event(row["id"])) is not None:
            events.append(event)
            unit = np.frombuffer(row["unit"], "<f2").astype(np.float32)
            vectors.append(unit / np.linalg.norm(unit))
    return events, vectors


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
