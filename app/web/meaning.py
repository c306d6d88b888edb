"""Search by meaning: words find things that were never called so."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from app.web.finding import Found, found_event
from app.web.places import Places

_turn = threading.Lock()
"""One search after the other: each may load a text model, and read all vectors."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What a search found."""

    listed: Sequence[Found]
    """The best first."""
    by: Sequence[str]
    """What found each, for people."""
    notes: Sequence[str]
    """What could not be heeded, a sentence each."""


def by_meaning(places: Places, text: str, limit: int) -> Meant:
    """The events that words describe best; none if nothing is asked.

    Raises:
        app.errors.UsageError: If the words cannot be understood.
        app.errors.StoreError: If a store cannot be read.
    """
    # Heavy, and only for whoever asks for it.
    from app.search.search import find  # noqa: PLC0415

    known = {one.folder.resolve(): one for one in places.all()}
    if not known or not text.strip():
        return Meant((), (), ())
    with _turn:
        found = find([one.folder for one in known.values()], text, limit)
    listed: list[Found] = []
    by: list[str] = []
    for hit in found.hits:
        place = known.get(hit.listed.place.folder.resolve())
        one = None if place is None else found_event(place, hit.listed.event.id)
        if one is not None:
            listed.append(one)
            by.append(", ".join(hit.by))
    return Meant(listed, by, found.notes)
