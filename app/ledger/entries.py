"""Comings and goings in a part of one camera's view, from its events alone."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app.events.event import Event
from detectors.types import Box
from detectors.zones import Polygon, contains

BEFORE_S, AFTER_S = 6.0, 3.0
"""Who is near so shortly before or after something came or went may have brought or taken it. It
is told apart from who brings it only once they have parted."""
NEAR = 0.75
"""Two boxes are near up to this distance of their middles, in sums of their half diagonals."""
WALKED = 1.0
"""Own lengths that something must have moved to count as somebody on the move."""

type Path = Sequence[tuple[float, Box, float]]
"""(pts_s, box, score) of sightings in order."""
type Side = Literal["came", "gone"]
"""Something new came in; something that belongs there is gone."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An event with where it was."""

    event: Event
    path: Path

    @property
    def walks(self) -> bool:
        """Whether it moves through the view, so that it may carry something."""
        if self.event.people:
            return True
        boxes = [box for _, box, _ in self.path]
        if not boxes:
            return False
        length = max(_diagonal(box) for box in boxes)
        first = _middle(boxes[0])
        return any(_apart(first, _middle(box)) > WALKED * length for box in boxes)


@dataclass(frozen=True, slots=True)
class Escort:
    """Who was near when something came or went."""

    event_id: str
    headline: str

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {"id": self.event_id, "headline": self.headline}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that came into the zone, or one that belongs there and is gone."""

    side: Side
    event: Event
    from_us: int
    """When it came, or went; UTC in microseconds."""
    until_us: int | None
    """When it left again, or was back; None while it has not."""
    brought: tuple[Escort, ...] = ()
    """Who was near when it came, or went; the nearest first."""
    taken: tuple[Escort, ...] = ()
    """Who was near when it left, or came back."""

    @property
    def open(self) -> bool:
        """Whether it has not left, or is not back."""
        return self.until_us is None

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "side": self.side,
            "id": self.event.id,
            "camera": self.event.camera,
            "headline": self.event.headline,
            "noun": self.event.noun,
            "from_us": self.from_us,
            "until_us": self.until_us,
            "brought": [one.as_json() for one in self.brought],
            "taken": [one.as_json() for one in self.taken],
        }


@dataclass(frozen=True, slots=True)
class Balance:
    """How often things of one name came and left."""

    name: str
    came: int
    left: int

    @property
    def inside(self) -> int:
        """How many have not left."""
        return self.came - self.left


@dataclass(frozen=True, slots=True)
class Ledger:
    """All entries of one camera up to a moment."""

    camera: str
    at_us: int
    """UTC in microseconds."""
    entries: tuple[Entry, ...] = field(default=())
    """In order of time."""

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "camera": self.camera,
            "at_us": self.at_us,
            "inside": [one.as_json() for one in self.inside],
            "missing": [one.as_json() for one in self.missing],
            "balance": [
                {"name": one.name, "came": one.came, "left": one.left, "inside": one.inside}
                for one in self.balances
            ],
            "entries": [one.as_json() for one in self.entries],
        }

    @property
    def inside(self) -> list[Entry]:
        """What came and has not left."""
        return [one for one in self.entries if one.side == "came" and one.open]

    @property
    def missing(self) -> list[Entry]:
        """What belongs there and is not back."""
        return [one for one in self.entries if one.side == "gone" and one.open]

    @property
    def balances(self) -> list[Balance]:
        """Of each name what came and what left, by name."""
        came = Counter(one.event.category for one in self.entries if one.side == "came")
        left = Counter(
            one.event.category for one in self.entries if one.side == "came" and not one.open
        )
        return [Balance(name, came[name], left[name]) for name in sorted(came)]


def entries_of(
    seen: Sequence[Seen], at_us: int, zone: Polygon | None = None, *, walkers: bool = False
) -> list[Entry]:
    """What came and went up to a moment.

    Args:
        seen: The events of one camera, those that are not told too: what is normal there may stay.
        at_us: The moment, UTC in microseconds.
        zone: The part of the view that counts, corners as shares of the frame; None for all.
        walkers: Whether who moves through the view is a thing of its own. Otherwise it only brings
            and takes.

    Returns:
        In order of time.
    """
    known = [one for one in seen if one.event.kind == "object" and one.event.start_us <= at_us]
    moving = [one for one in known if one.walks]
    things = known if walkers else [one for one in known if one not in moving]
    return sorted(
        (entry for one in things for entry in _entries(one, moving, at_us, zone)),
        key=lambda entry: (entry.from_us, entry.event.id),
    )


def _entries(one: Seen, moving: Sequence[Seen], at_us: int, zone: Polygon | None) -> list[Entry]:
    event = one.event
    here = _within(event.box, event, zone)
    start_us, end_us = event.start_us, _end_us(event, at_us)
    others = [each for each in moving if each.event.id != event.id]
    brought = _escorts(one, start_us, others)
    taken = () if end_us is None else _escorts(one, end_us, others)
    if event.change == "missing":
        return [Entry("gone", event, start_us, end_us, brought, taken)] if here else []
    if event.moved_from is not None and event.change == "moved":
        # What moved within the zone neither came nor left; what left it belongs there.
        was_here = _within(event.moved_from, event, zone)
        if was_here and not here:
            return [Entry("gone", event, start_us, end_us, brought, taken)]
        if was_here == here:
            return []
    return [Entry("came", event, start_us, end_us, brought, taken)] if here else []


def _end_us(event: Event, at_us: int) -> int | None:
    """When an event's thing had left by a moment; None if not, or if nobody saw how it ended."""
    over = event.state == "closed" and not event.cut and event.end_us <= at_us
    return event.end_us if over else None


def _escorts(one: Seen, time_us: int, moving: Iterable[Seen]) -> tuple[Escort, ...]:
    """Who moved near a thing's place around a moment, the nearest first."""
    near: list[tuple[float, Escort]] = []
    for other in moving:
        # Both are on the clock of the one source, so distances in time hold for it.
        at_s = other.event.start_s + (time_us - other.event.start_us) / 1e6
        boxes = [box for pts_s, box, _ in other.path if -BEFORE_S <= pts_s - at_s <= AFTER_S]
        apart = min((_reach(one.event.box, box) for box in boxes), default=None)
        if apart is not None and apart <= NEAR:
            near.append((apart, Escort(other.event.id, other.event.headline)))
    return tuple(escort for _, escort in sorted(near, key=lambda pair: pair[0]))


def _within(box: Box, event: Event, zone: Polygon | None) -> bool:
    """Whether the middle of a box lies in the zone."""
    if zone is None:
        return True
    height, width = event.frame_size
    x, y = _middle(box)
    return contains(zone, x / width, y / height)


def _reach(one: Box, other: Box) -> float:
    """Distance of two boxes' middles by the sum of their half diagonals; 0 on top of each other."""
    reach = (_diagonal(one) + _diagonal(other)) / 2
    return _apart(_middle(one), _middle(other)) / max(reach, 1e-6)


def _middle(box: Box) -> tuple[float, float]:
    return (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2


def _apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    return ((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2) ** 0.5


def _diagonal(box: Box) -> float:
    return ((box.x2 - box.x1) ** 2 + (box.y2 - box.y1) ** 2) ** 0.5
