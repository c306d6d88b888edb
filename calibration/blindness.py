"""How much a camera finds of what is put into its view, by zone, size and hour."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from novic.intervals import wilson

SIZES = (0.02, 0.04, 0.06, 0.08, 0.12)
"""Widths of what is put there, over the frame's."""
GRID = (3, 4)
"""Rows and columns of zones."""
SEEN = 0.9
"""Share that must be found of a size for it to count as seen in a zone."""
LEAST = 5
"""Things from which on a share is told."""
_HOW = ("bar", "stays_s")


@dataclass(frozen=True, slots=True)
class Share:
    """How many were found, with the 95% interval of Wilson 1927."""

    found: int
    of: int

    @property
    def value(self) -> float:
        """0 to 1; NaN of nothing."""
        return self.found / self.of if self.of else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies with 95% certainty; all of 0 to 1 of nothing."""
        return wilson(self.found, self.of)

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        low, high = self.interval
        share = None if not self.of else round(self.value, 4)
        return {
            "found": self.found,
            "of": self.of,
            "share": share,
            "low": round(low, 4),
            "high": round(high, 4),
        }


@dataclass(frozen=True, slots=True)
class Planted:
    """One thing that was put into the view, and whether an event told of it."""

    zone: int
    """Row by row, from the upper left, from 0."""
    size: float
    """Its width over the frame's."""
    hour: int
    """Of the day where it was put, 0 to 23."""
    found: bool
    thin: bool = False
    """Whether it fills little of its box; such things are counted apart."""


@dataclass(frozen=True, slots=True)
class BlindMap:
    """What was found of all that was put there."""

    things: tuple[Planted, ...]
    grid: tuple[int, int] = GRID
    """Rows and columns of zones."""
    bar: float | None = None
    """What the detector's maps were divided by; None if that is not known."""
    stays_s: float | None = None
    """How long things stayed, seconds; None if that is not known."""

    @property
    def zones(self) -> range:
        """Numbers of the zones, row by row."""
        return range(self.grid[0] * self.grid[1])

    @property
    def sizes(self) -> list[float]:
        """That were tried, rising."""
        return sorted({one.size for one in self.things})

    @property
    def hours(self) -> list[int]:
        """That were tried, rising."""
        return sorted({one.hour for one in self.things})

    def share(
        self, zone: int | None = None, size: float | None = None, hour: int | None = None
    ) -> Share:
        """What was found in a zone, of a size, at an hour; None takes all. Nothing thin counts."""
        of = [
            one.found
            for one in self.things
            if not one.thin
            and (zone is None or one.zone == zone)
            and (size is None or one.size == size)
            and (hour is None or one.hour == hour)
        ]
        return Share(sum(of), len(of))

    def thin(self, size: float | None = None) -> Share:
        """What was found of thin things of a size, wherever they were; None takes all sizes."""
        of = [one.found for one in self.things if one.thin and size in (None, one.size)]
        return Share(sum(of), len(of))

    def least_size(self, zone: int, seen: float = SEEN) -> float | None:
        """The smallest size from which on, upwards, so many are found in a zone; None if none is.

        Sizes of which fewer than LEAST things were put there say nothing.
        """
        least = None
        for size in reversed(self.sizes):
            share = self.share(zone, size)
            if share.of < LEAST:
                continue
            if share.value < seen:
                break
            least = size
        return least

    def blind(self, zone: int) -> bool:
        """Whether less than half of the largest things are found in a zone."""
        largest = self.share(zone, max(self.sizes, default=0.0))
        return largest.of >= LEAST and largest.value < 0.5

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; `of` reads it back."""
        return {
            "grid": list(self.grid),
            "sizes": self.sizes,
            "hours": self.hours,
            "bar": None if self.bar is None else round(self.bar, 4),
            "stays_s": None if self.stays_s is None else round(self.stays_s, 2),
            "all": self.share().as_json(),
            "cells": [
                {"zone": zone, "size": size, "hour": hour, "found": share.found, "of": share.of}
                for zone in self.zones
                for size in self.sizes
                for hour in self.hours
                if (share := self.share(zone, size, hour)).of
            ],
            "thin": [
                {"zone": zone, "size": size, "hour": hour, "found": sum(found), "of": len(found)}
                for (zone, size, hour), found in self._thin()
            ],
            "least_size": [self.least_size(zone) for zone in self.zones],
            "blind_zones": [zone for zone in self.zones if self.blind(zone)],
        }

    def _thin(self) -> list[tuple[tuple[int, float, int], list[bool]]]:
        """Which thin things were found, by zone, size and hour."""
        cells: dict[tuple[int, float, int], list[bool]] = {}
        for one in self.things:
            if one.thin:
                cells.setdefault((one.zone, one.size, one.hour), []).append(one.found)
        return sorted(cells.items())

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """What `as_json` gave, also before thin things were counted apart.

        Raises:
            KeyError: If a part is missing; a TypeError or ValueError if one is wrong.
        """
        rows, columns = (int(number) for number in facts["grid"])
        things = [*_things(facts["cells"], rows * columns)]
        things += _things(facts.get("thin", ()), rows * columns, thin=True)
        bar, stays_s = (None if (one := facts.get(key)) is None else float(one) for key in _HOW)
        return cls(tuple(things), (rows, columns), bar, stays_s)


def _things(
    cells: Iterable[Mapping[str, Any]], zones: int, *, thin: bool = False
) -> Iterable[Planted]:
    for cell in cells:
        zone, found, of = int(cell["zone"]), int(cell["found"]), int(cell["of"])
        if not (0 <= zone < zones and 0 <= found <= of <= 1_000_000):
            raise ValueError(f"a cell of the blind map is none: {cell}")
        for number in range(of):
            yield Planted(zone, float(cell["size"]), int(cell["hour"]), number < found, thin)
