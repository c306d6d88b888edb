"""Events found by words, by their looks, colour and place: one list, the best first.

Each way of looking gives a ranking of its own, and they are joined by reciprocal rank fusion
(Cormack et al. 2009): scores of different ways cannot be compared, ranks can.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.events.event import Event
from app.events.folders import StoreFolder, watched_folders
from app.events.media import media_path
from app.events.reading import in_place
from app.feedback.answers import newest, read_answers
from app.search.colours import SHOWS, colour_shares
from app.search.index import StoreIndex
from app.search.listed import Listed
from app.search.question import SIDES, Question, question
from app.search.texts import text_vectors
from novic.errors import NomalyError
from scenarios.articles import article

RANK = 5
"""Added to every rank, so that the first ones do not decide alone."""
POOL = 200
"""So many of each way of looking are joined."""
TEMPLATE = "a photo of {} {}"


@dataclass(frozen=True, slots=True)
class Hit:
    """One event that was found."""

    listed: Listed
    score: float
    """Larger is better; of one search only."""
    by: tuple[str, ...]
    """By what, for people: words, looks, red, left."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, and what it could not heed."""

    hits: list[Hit]
    notes: tuple[str, ...]
    """Sentences."""


def search(places: Sequence[Path], text: str, limit: int = 10) -> list[Hit]:
    """The events of places that a text describes best.

    Args:
        places: Each as `app.events.folders.watched_folders` takes it.
        text: In English words.
        limit: At most so many.

    Raises:
        app.errors.UsageError: If there is no store.
        app.errors.StoreError: If one cannot be read.
    """
    return find(places, text, limit).hits


def find(places: Sequence[Path], text: str, limit: int = 10) -> Found:
    """The same, with what it could not heed."""
    asked = question(text)
    folders = [folder for place in places for folder in watched_folders(place)]
    indexes = [_index(folder) for folder in folders]
    for index in indexes:
        index.refresh()
    notes: list[str] = []
    ways = {
        "words": _merged(indexes, lambda index: index.by_words(asked.words, POOL)),
        **_by_meaning(indexes, asked, notes),
    }
    if not asked.thing and not any(ways.values()):
        ways["newest"] = [
            (index.folder, event_id) for index in indexes for event_id in index.newest(POOL)
        ]
    pool = _opened(dict.fromkeys(one for way in ways.values() for one in way))
    ways |= _by_picture(asked, pool)
    if asked.place:
        notes.append(
            f"Where '{asked.place}' is in the picture is not known; it is searched for as a word. "
            "Known are left, right, top, bottom and middle."
        )
    return Found(_joined(ways, pool, limit), tuple(notes))


type Key = tuple[StoreFolder, str]


def _merged(
    indexes: Iterable[StoreIndex], ask: Callable[[StoreIndex], list[tuple[str, float]]]
) -> list[Key]:
    """The answers of all stores to one question, the best first."""
    scored = [
        (score, index.folder, event_id) for index in indexes for event_id, score in ask(index)
    ]
    scored.sort(key=lambda one: one[0], reverse=True)
    return [(folder, event_id) for _, folder, event_id in scored[:POOL]]


def _by_meaning(
    indexes: Sequence[StoreIndex], asked: Question, notes: list[str]
) -> dict[str, list[Key]]:
    """Rankings by what things look like and by what their names mean.

    Cosines of one embedder say nothing about those of another, so each has rankings of its own.
    """
    ways: defaultdict[str, list[Key]] = defaultdict(list)
    photo = TEMPLATE.format(article(asked.thing), asked.thing) if asked.thing else ""
    for spec in sorted(
        {spec for index in indexes for spec in index.embedders} if asked.thing else ()
    ):
        try:
            looks, means = text_vectors(spec, [photo, asked.thing])
            nouns = partial(text_vectors, spec, keep=True)
            ways["looks"] += _merged(
                indexes, lambda index, s=spec, v=looks: index.by_looks(s, v, POOL)
            )
            ways["meaning"] += _merged(
                indexes, lambda index, s=spec, v=means, n=nouns: index.by_names(s, v, POOL, n)
            )
        except NomalyError as error:
            notes.append(f"Looks and meaning are not searched: {error}.")
    return dict(ways)


def _opened(keys: Iterable[Key]) -> dict[Key, Listed]:
    """The events behind keys, without those that are gone."""
    wanted: defaultdict[StoreFolder, list[str]] = defaultdict(list)
    for folder, event_id in keys:
        wanted[folder].append(event_id)
    found: dict[Key, Listed] = {}
    for folder, ids in wanted.items():
        with in_place(folder.folder) as store:
            said = newest(read_answers(store.database))
            for event_id in ids:
                event = store.event(event_id)
                if event is not None:
                    found[folder, event_id] = Listed(event, folder, said.get(event_id))
    return found


def _by_picture(asked: Question, pool: dict[Key, Listed]) -> dict[str, list[Key]]:
    """Rankings by colour and by where it was, of those that were found otherwise."""
    ways: dict[str, list[Key]] = {}
    for colour in asked.colours:
        shares = {key: _share(one, colour) for key, one in pool.items()}
        ways[colour] = _ranked(shares, SHOWS)
    for side in asked.sides:
        ways[side] = _ranked({key: _on(one.event, side) for key, one in pool.items()}, 0.5)
    return ways


def _ranked(scores: dict[Key, float], least: float) -> list[Key]:
    good = [key for key, score in scores.items() if score >= least]
    return sorted(good, key=lambda key: -scores[key])


def _share(one: Listed, colour: str) -> float:
    event = one.event
    if event.kind != "object":
        return 0.0
    crop = media_path(one.place.folder, "crops", event.id, event.snapshot_s)
    return colour_shares(crop).get(colour, 0.0)


def _on(event: Event, side: str) -> float:
    """How well an event lies on a side of the picture, 0 to 1."""
    height, width = event.frame_size
    x = (event.box.x1 + event.box.x2) / 2 / max(width, 1)
    y = (event.box.y1 + event.box.y2) / 2 / max(height, 1)
    wanted_x, wanted_y = SIDES[side]
    away = [abs(at - to) for at, to in ((x, wanted_x), (y, wanted_y)) if to is not None]
    # From a side to the other it is one, from the middle to a side half.
    return 1 - max(away) * (2 if wanted_x == wanted_y else 1)


def _joined(ways: dict[str, list[Key]], pool: dict[Key, Listed], limit: int) -> list[Hit]:
    scores: defaultdict[Key, float] = defaultdict(float)
    by: defaultdict[Key, list[str]] = defaultdict(list)
    for name, keys in ways.items():
        for rank, key in enumerate(key for key in keys if key in pool):
            scores[key] += 1 / (RANK + rank)
            by[key].append(name)
    best = sorted(scores, key=lambda key: (-scores[key], -pool[key].event.start_us))[:limit]
    return [Hit(pool[key], scores[key], tuple(by[key])) for key in best]


_indexes: dict[StoreFolder, StoreIndex] = {}
_opening = threading.Lock()
MOST_INDEXES = 64
"""Stores that are kept in memory; of more, those asked for first go."""


def _index(folder: StoreFolder) -> StoreIndex:
    with _opening:
        if folder not in _indexes:
            while len(_indexes) >= MOST_INDEXES:
                del _indexes[next(iter(_indexes))]
            _indexes[folder] = StoreIndex(folder)
        return _indexes[folder]
