"""How unexpected an event's noun is at its place and hour, by what the camera saw before."""

import math
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from app.events.event import Event
from app.events.reading import in_place
from app.feedback.when import local
from app.habits.history import cell, read_history
from app.habits.rates import History, chance
from novic.errors import NomalyError

LEAST_H = 72.0
"""Watched hours from which on anything is told."""
PLAIN_SHARE = 1 / 1000
"""Share of a noun among all events where no dictionary of the site expects it."""
_HARDLY = 365
"""Days of which fewer than one is no figure that weeks can tell."""
_KEPT = 4
"""Days of cameras that are kept in memory."""


class Habits:
    """Knows what was usual before each day, for the events of that day.

    A day's own events don't count for it, so it is read once a day, and a recording that is looked
    at twice is told the same.
    """

    def __init__(self, folder: Path) -> None:
        """Look at the store of a folder, which is read when something is to be told."""
        self._folder = folder
        self._known: dict[tuple[str, int], History | None] = {}

    def told(self, event: Event) -> Event:
        """The event with its surprise, if there are LEAST_H of history to know it by."""
        if event.kind != "object" or not event.candidates:
            return event
        history = self._before(event)
        if history is None:
            return event
        bits = surprise_here(history, event)
        return replace(event, surprise_here_bits=bits)

    def _before(self, event: Event) -> History | None:
        midnight = local(event.start_us).replace(hour=0, minute=0, second=0, microsecond=0)
        until_us = round(midnight.timestamp() * 1e6)
        asked = (event.camera, until_us)
        if asked not in self._known:
            while len(self._known) >= _KEPT:
                del self._known[next(iter(self._known))]
            self._known[asked] = self._read(*asked)
        return self._known[asked]

    def _read(self, camera: str, until_us: int) -> History | None:
        # Who writes the store tells its faults; only this figure is missing.
        with suppress(NomalyError), in_place(self._folder) as store:
            history = read_history(store, camera, until_us)
            return history if history.hours >= LEAST_H else None
        return None


def surprise_here(history: History, event: Event) -> float:
    """How unexpected the best noun of an event is at its place and hour, bits.

    -log2 of the probability that one comes there at all in such an hour.
    """
    bits = event.surprise_bits
    share = PLAIN_SHARE if bits is None else 2.0**-bits
    at = (*cell(event.box, event.frame_size), local(event.start_us).hour)
    return -math.log2(max(chance(history, event.noun, at, share), 1e-12))


def in_words(event: Event) -> str:
    """How often its like comes, for people; empty where that is not known."""
    bits = event.surprise_here_bits
    if bits is None:
        return ""
    hour = local(event.start_us)
    until = hour + timedelta(hours=1)
    return (
        f"{event.noun} is seen at this place between {hour:%H}:00 and {until:%H}:00 "
        f"{_often(bits)}, by what the camera saw before ({bits:.1f} bits)"
    )


def in_short(event: Event) -> str:
    """The same in a few words."""
    bits = event.surprise_here_bits
    return "" if bits is None else f"at this place and hour {_often(bits)}"


def _often(bits: float) -> str:
    every = 2.0**bits
    if every > _HARDLY:
        return "hardly ever"
    return "nearly every day" if every < 1.5 else f"on about one day in {_rounded(every)}"


def _rounded(every: float) -> str:
    """A number with two digits that count."""
    step = 10 ** max(0, math.floor(math.log10(every)) - 1)
    return f"{round(every / step) * step:,}"
