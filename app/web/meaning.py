"""Search by meaning, where that is there: words find things that were never called so."""

from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from app.web.finding import Found, found_event
from app.web.places import Places


def _search() -> Callable[..., Iterable[Any]] | None:
    if find_spec("app.search") is None:
        return None
    return getattr(import_module("app.search"), "search", None)


def has_meaning() -> bool:
    """Whether there is such a search."""
    return _search() is not None


def by_meaning(places: Places, text: str, limit: int) -> list[Found]:
    """The events whose pictures fit words best, the best first; none without such a search.

    Raises:
        app.errors.StoreError: If a store cannot be read.
    """
    search = _search()
    if search is None or not text.strip():
        return []
    listed: list[tuple[float, Found]] = []
    for place in places.all():
        for hit in search(place.folder, text):
            one = found_event(place, hit.event_id)
            if one is not None:
                listed.append((hit.score, one))
    listed.sort(key=lambda one: -one[0])
    return [one for _, one in listed[:limit]]
