"""Search by meaning, where that is there: words find things that were never called so."""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from app.web.finding import Found, found_event
from app.web.places import Places

_MODULE = "app.search.search"


def _search() -> Callable[..., Sequence[Any]] | None:
    """What finds the events of folders that a text describes best, as hits with what is listed."""
    if find_spec(_MODULE.rpartition(".")[0]) is None or find_spec(_MODULE) is None:
        return None
    return getattr(import_module(_MODULE), "search", None)


def has_meaning() -> bool:
    """Whether there is such a search."""
    return _search() is not None


def by_meaning(places: Places, text: str, limit: int) -> list[Found]:
    """The events that words describe best, the best first; none without such a search.

    Raises:
        app.errors.StoreError: If a store cannot be read.
    """
    search, known = _search(), {one.folder.resolve(): one for one in places.all()}
    if search is None or not known or not text.strip():
        return []
    listed: list[Found] = []
    for hit in search([one.folder for one in known.values()], text, limit):
        place = known.get(hit.listed.folder.folder.resolve())
        one = None if place is None else found_event(place, hit.listed.event.id)
        listed += [] if one is None else [one]
    return listed
