"""What the past days showed of a view's normal footage: little enough to keep beside a detector."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from calibration.levels import Level, Seen, scores_from
from calibration.tail import Tail, fit_tail

DAYS = 7
"""Days with footage that are remembered, the newest."""
MOST = 400
"""Highest levels that are kept of each stretch."""
_SECONDS_A_DAY = 86_400


@dataclass(slots=True)
class _Stretch:
    """Footage of one day that was looked at in one way."""

    day: int
    """Since 1970, UTC."""
    cut: float
    """What the maps were divided by: levels above it were events. Infinite while it learned."""
    hours: float = 0.0
    levels: list[Level] = field(default_factory=list)
    bounds: list[Level] = field(default_factory=list)
    levels_from: float = 0.0
    """Levels at or below this are not known."""
    bounds_from: float = -math.inf

    def add(self, seen: Seen) -> None:
        self.hours += seen.hours
        self.levels, self.levels_from = _highest([*self.levels, *seen.levels], self.levels_from)
        self.bounds, self.bounds_from = _highest([*self.bounds, *seen.bounds], self.bounds_from)


class RememberedLevels:
    """The opening levels of a camera's normal footage, for as long as it is remembered."""

    def __init__(self, lowest: float) -> None:
        """Begin without footage.

        Args:
            lowest: Level from which on things were followed.
        """
        self.lowest = lowest
        self._stretches: list[_Stretch] = []

    @property
    def hours(self) -> float:
        """How much footage is remembered."""
        return sum(one.hours for one in self._stretches)

    def add(self, seen: Seen, time_s: float, cut: float = math.inf) -> None:
        """Remember more footage, and forget days that are too long ago.

        Args:
            seen: What it showed.
            time_s: When it ended, UTC in seconds since 1970.
            cut: What its maps were divided by; infinite if everything in it is normal.
        """
        if seen.hours <= 0:
            return
        day = int(time_s // _SECONDS_A_DAY)
        stretch = next((one for one in self._stretches if (one.day, one.cut) == (day, cut)), None)
        if stretch is None:
            stretch = _Stretch(day, cut, levels_from=self.lowest)
            self._stretches.append(stretch)
        stretch.add(seen)
        days = sorted({one.day for one in self._stretches if one.cut < math.inf})[-DAYS:]
        self._stretches = [one for one in self._stretches if one.cut == math.inf or one.day in days]

    def tails(self) -> list[Tail]:
        """The tails of the opening levels, and of what these cannot be above; none without footage.

        Where the maps were divided by little, events hid what lay above. Half of the footage, at
        least, is that in which most could be seen.
        """
        chosen = self._clearest()
        if not chosen:
            return []
        hours, cut = sum(one.hours for one in chosen), min(one.cut for one in chosen)
        levels = scores_from((level for one in chosen for level in one.levels), hours)
        bounds = scores_from((level for one in chosen for level in one.bounds), hours)
        return [
            fit_tail(levels, max(one.levels_from for one in chosen), cut),
            fit_tail(bounds, max(one.bounds_from for one in chosen), cut),
        ]

    def _clearest(self) -> list[_Stretch]:
        ordered = sorted(self._stretches, key=lambda one: -one.cut)
        chosen: list[_Stretch] = []
        for one in ordered:
            if chosen and one.cut < chosen[-1].cut and 2 * _hours(chosen) >= self.hours:
                break
            chosen.append(one)
        return chosen

    def facts(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        return {
            "lowest": self.lowest,
            "stretches": [
                {
                    "day": one.day,
                    "cut": _told(one.cut),
                    "hours": one.hours,
                    "levels": [[level.time_s, level.value] for level in one.levels],
                    "bounds": [[level.time_s, level.value] for level in one.bounds],
                    "levels_from": one.levels_from,
                    "bounds_from": _told(one.bounds_from),
                }
                for one in self._stretches
            ],
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """What `facts` gave.

        Raises:
            KeyError: If a part is missing; a TypeError or ValueError if one is wrong.
        """
        evidence = cls(_number(facts["lowest"]))
        for one in facts["stretches"]:
            stretch = _Stretch(
                int(one["day"]),
                math.inf if one["cut"] is None else _number(one["cut"]),
                _number(one["hours"]),
                _levels(one["levels"]),
                _levels(one["bounds"]),
                _number(one["levels_from"]),
                -math.inf if one["bounds_from"] is None else _number(one["bounds_from"]),
            )
            evidence._stretches.append(stretch)
        return evidence


def _hours(stretches: Sequence[_Stretch]) -> float:
    return sum(one.hours for one in stretches)


def _highest(levels: list[Level], known_from: float) -> tuple[list[Level], float]:
    """The highest levels in the order of time, and from where on all are among them."""
    if len(levels) <= MOST:
        return levels, known_from
    values = sorted((one.value for one in levels), reverse=True)
    known_from = max(known_from, values[MOST])
    return [one for one in levels if one.value > known_from], known_from


def _told(value: float) -> float | None:
    return None if math.isinf(value) else value


def _levels(pairs: Sequence[Any]) -> list[Level]:
    return [Level(_number(time_s), _number(value)) for time_s, value in pairs]


def _number(value: object) -> float:
    """A finite number, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError(f"{value!r} is no number from 0 on")
    return float(value)
