"""How often a noun comes at a place and an hour: Gamma-Poisson rates, smoothed over both.

Three steps, each expecting what the one before says until more was seen: how often a noun comes at
all, by the dictionary and then by the site's own count; how often about a place and hour, where
neighbouring hours, around midnight too, and places count the less the further they are away; how
often there and then.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOURS = 24
GRID = (3, 4)
"""(rows, columns) of places in a view."""

type Counts = NDArray[np.float64]
"""Events [rows, columns, HOURS]."""


@dataclass(frozen=True, slots=True)
class Smoothing:
    """How far what was seen reaches (chosen on `dev` of benchmarks.habits)."""

    hours: float = 1.5
    """Standard deviation over hours of the day."""
    cells: float = 0.6
    """Standard deviation over cells of the grid."""
    site_h: float = 24.0
    """Watched hours that the dictionary's expectation of a noun is worth, ..."""
    place_h: float = 6.0
    """... that of the noun about a place and hour, ..."""
    own_h: float = 24.0
    """... and what is about it there and then."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What one camera saw."""

    watched_h: NDArray[np.float64]
    """Watched hours at each hour of the day [HOURS]."""
    counts: Mapping[str, Counts]
    """By noun; an event counts for each of its candidates by that one's p."""
    events: float
    """All of them."""

    @property
    def hours(self) -> float:
        """Watched hours altogether."""
        return float(self.watched_h.sum())


def chance(
    history: History,
    noun: str,
    at: tuple[int, int, int],
    share: float,
    smoothing: Smoothing | None = None,
) -> float:
    """Probability that at least one of a noun comes to a place in one such hour.

    Args:
        history: What the camera saw, an hour at least.
        noun: Of which it is asked.
        at: (row, column, hour of the day).
        share: Of the noun among all events, as expected before anything was seen, 0 to 1.
        smoothing: How far what was seen reaches.

    Returns:
        Above 0, below 1.
    """
    by = smoothing or Smoothing()
    seen = history.counts.get(noun)
    mine = 0.0 if seen is None else float(seen.sum())
    per_hour = max(history.events, 1.0) / history.hours
    of_noun = (by.site_h * share * per_hour + mine) / (by.site_h + history.hours)
    expected = of_noun / math.prod(GRID)
    rows, columns, hours = _near(at, by)
    watched_h = float(rows.sum() * columns.sum() * (hours @ history.watched_h))
    near = 0.0 if seen is None else float(np.einsum("i,j,k,ijk->", rows, columns, hours, seen))
    about = (by.place_h * expected + near) / (by.place_h + watched_h)
    own = 0.0 if seen is None else float(seen[at])
    shape, rate = by.own_h * about + own, by.own_h + float(history.watched_h[at[2]])
    return -math.expm1(shape * (math.log(rate) - math.log(rate + 1)))


def _near(at: tuple[int, int, int], by: Smoothing) -> list[NDArray[np.float64]]:
    """How much what was seen in each row, column and hour counts, 1 for its own."""
    row, column, hour = at
    away = (np.arange(HOURS) - hour + HOURS // 2) % HOURS - HOURS // 2
    distances = (np.arange(GRID[0]) - row, np.arange(GRID[1]) - column, away)
    widths = (by.cells, by.cells, by.hours)
    return [
        np.exp(-0.5 * (distance / max(width, 1e-6)) ** 2)
        for distance, width in zip(distances, widths, strict=True)
    ]
