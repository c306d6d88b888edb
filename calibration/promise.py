"""What was promised: at most so many false events an hour, a day or a week.

In quiet views the floor decides, and far fewer come. Where a view's own tail decides, the rate is
about what was promised, from little footage rather less.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

from calibration.tail import BEYOND, CONFIDENCE, Tail
from novic.errors import UsageError

_HOURS = {"hour": 1.0, "day": 24.0, "week": 168.0}
_WORDS = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(?:/|per\s)\s*(?:an?\s)?(h|hour|d|day|w|week)", re.I)
_MOST_PER_HOUR = 3600.0
_LEAST_PER_HOUR = 1 / 8760


@dataclass(frozen=True, slots=True)
class Promise:
    """How many false events a camera may tell."""

    count: float
    unit: Literal["hour", "day", "week"]

    @classmethod
    def parse(cls, text: str) -> Self:
        """From words like 1/day, 2/hour, 0.5/h.

        Raises:
            UsageError: If it is none, or plainly more or less than can be meant.
        """
        found = _WORDS.fullmatch(text.strip())
        if found is None:
            raise UsageError(
                f"--false-events {text}: write a number per hour, day or week, as 1/day or 2/hour"
            )
        units: dict[str, Literal["hour", "day", "week"]] = {"h": "hour", "d": "day", "w": "week"}
        promise = cls(float(found[1]), units[found[2][0].lower()])
        if not _LEAST_PER_HOUR <= promise.per_hour <= _MOST_PER_HOUR:
            raise UsageError(
                f"--false-events {text}: must be between one a year and {_MOST_PER_HOUR:.0f}/hour"
            )
        return promise

    @property
    def per_hour(self) -> float:
        """False events an hour."""
        return self.count / _HOURS[self.unit]

    @property
    def needs_hours(self) -> float:
        """Normal footage without which this cannot be shown."""
        return 1 / (BEYOND * self.per_hour)

    def shown_by(self, tail: Tail) -> bool:
        """Whether the footage behind a tail is enough for it."""
        # Frames at a pace make a nine-minute film some steps shorter than nine minutes.
        return tail.rarest <= 1.01 * self.per_hour

    def __str__(self) -> str:
        return f"{self.count:g}/{self.unit}"


DEFAULT = Promise(1, "hour")


def told_hours(hours: float) -> str:
    """A length of footage for people: 45 s, 9 min, 7 h 40 min, 3 days."""
    minutes = round(hours * 60)
    if minutes < 2:
        return f"{hours * 3600:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if hours < 48:
        rest = f" {minutes % 60} min" if minutes % 60 else ""
        return f"{minutes // 60} h{rest}"
    return f"{hours / 24:.0f} days"


FLOOR = 0.65
"""No map is divided by less: below, single cells of calm scenes begin to matter (measured on four
scenes; the varied pictures that set 1.0 are that much harsher than life)."""
CEILING = 1.5
"""Nor by more: a view that would need it hides too much; its promise is not kept, and said so."""
BARS = (0.3, 3.0)
"""What the bar may be set to by hand, at least and at most."""
type Bound = Literal["prior", "floor", "tail", "ceiling", "set"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the maps are divided by to keep a promise, and what it rests on."""

    promise: Promise
    factor: float
    """Maps are divided by it."""
    bound: Bound
    """What decided: too little footage (prior), the tail, the least or most that is allowed, or
    somebody who set it."""
    hours: float
    """Normal footage that was looked at."""
    per_hour: float | None = None
    """False events an hour to be expected at most; None if the footage does not show it."""

    @property
    def shown(self) -> bool:
        """Whether the footage shows that the promise is kept."""
        return self.per_hour is not None and self.per_hour <= 1.01 * self.promise.per_hour

    def as_json(self) -> dict[str, object]:
        """For scripts; keys are stable."""
        return {
            "promise": str(self.promise),
            "shown": self.shown,
            "per_hour": self.per_hour,
            "footage_hours": round(self.hours, 4),
            "factor": round(self.factor, 4),
            "decided_by": self.bound,
        }


def keep(promise: Promise, tails: Sequence[Tail], prior: float) -> Kept:
    """Choose what the maps are divided by.

    Args:
        promise: To be kept.
        tails: Of the opening levels of normal footage, or of what they cannot be above: any that
            shows the promise is enough. At least one.
        prior: What holds while the footage shows too little.
    """
    hours = max(tail.hours for tail in tails)
    showing = [tail for tail in tails if promise.shown_by(tail)]
    if not showing:
        # What was seen binds even so: no level that came more often than promised is allowed.
        seen = min(tail.threshold(max(promise.per_hour, tail.rarest)) for tail in tails)
        return Kept(promise, min(max(prior, seen), CEILING), "prior", hours)
    wanted = min(tail.threshold(promise.per_hour) for tail in showing)
    factor = min(max(wanted, FLOOR), CEILING)
    expected = min(max(tail.rate(factor, CONFIDENCE), tail.rarest) for tail in showing)
    bound: Bound = "tail" if factor == wanted else "floor" if factor == FLOOR else "ceiling"
    return Kept(promise, factor, bound, hours, expected)


def at_bar(promise: Promise, tails: Sequence[Tail], bar: float) -> Kept:
    """What comes of a promise where the bar is set by hand.

    Args:
        promise: That was asked for.
        tails: See `keep`; may be none.
        bar: What maps are divided by.
    """
    hours = max((tail.hours for tail in tails), default=0.0)
    return Kept(promise, bar, "set", hours, rate_at(tails, bar))


def rate_at(tails: Sequence[Tail], bar: float) -> float | None:
    """False events an hour to be expected at most with a bar.

    Args:
        tails: See `keep`; may be none.
        bar: What maps are divided by.

    Returns:
        None where no tail reaches so low.
    """
    known = [tail for tail in tails if tail.level <= bar]
    return min((max(tail.rate(bar, CONFIDENCE), tail.rarest) for tail in known), default=None)


PRIOR = (0.7, 0.8)
"""What maps of calm views are divided by, at least and at most, while no footage shows more."""
_ROOM = 1.1
"""Frames that were not looked at may reach so much more than those that were."""


def prior_factor(peak: float, open_score: float) -> float:
    """What holds where the footage is too short to tell a rate.

    Args:
        peak: Largest map value of the real frames that were learned from; NaN if not known.
        open_score: That an event must reach; see `detectors.tracks.TrackRule`.
    """
    least, most = PRIOR
    if not peak > 0:
        # What is not known is taken for restless.
        return most
    calm = min(max(least, _ROOM * peak), most)
    # Where frames of normal footage reach far, none of them may open an event.
    return max(calm, min(_ROOM * peak / open_score, CEILING))
