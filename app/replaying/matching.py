"""Which of what would ring is which event that rang."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from app.events.event import Event
from app.replaying.following import Rung
from detectors.types import Box

SLACK_S = 0.6
"""Both may begin and end so much apart and still overlap in time."""
LEAST = 0.25
"""Of the smaller box, which the other must cover where both were at one time."""

type Path = Sequence[tuple[float, Box, float]]
"""(pts_s, box, score) of sightings."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Events beside what would ring."""

    pairs: Mapping[str, Rung]
    """What each event would be, by its id."""
    lost: tuple[Event, ...]
    new: tuple[Rung, ...]


def matched(events: Sequence[Event], paths: Mapping[str, Path], rung: Sequence[Rung]) -> Matched:
    """Pair events with what would ring, so that all overlap as long as may be.

    Args:
        events: That rang.
        paths: Their sightings by id; of those without the event's own box counts.
        rung: What would ring.
    """
    gains = np.zeros((len(events), len(rung)))
    for row, event in enumerate(events):
        for column, one in enumerate(rung):
            path = paths.get(event.id) or [(event.start_s, event.box, event.score)]
            gains[row, column] = alike(span(event), path, (one.start_s, one.end_s), one.path)
    rows, columns = linear_sum_assignment(gains, maximize=True)
    pairs = {
        events[row].id: rung[column]
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if gains[row, column] > 0
    }
    taken = {id(one) for one in pairs.values()}
    return Matched(
        pairs,
        tuple(event for event in events if event.id not in pairs),
        tuple(one for one in rung if id(one) not in taken),
    )


def span(event: Event) -> tuple[float, float]:
    """When an event was seen first and last, in seconds of the source."""
    return event.start_s, event.end_s


def alike(
    one_span: tuple[float, float], one: Path, other_span: tuple[float, float], other: Path
) -> float:
    """How long two things were in one place at one time; 0 if never."""
    begin, end = max(one_span[0], other_span[0]), min(one_span[1], other_span[1])
    if end - begin < -SLACK_S:
        return 0.0
    times = np.linspace(begin, max(begin, end), 5)
    shares = [_cover(_at(one, float(at)), _at(other, float(at))) for at in times]
    best = max(shares)
    if best < LEAST:
        return 0.0
    length = max(one_span[1], other_span[1]) - min(one_span[0], other_span[0])
    both = max(0.0, end - begin) / length if length > 0 else 1.0
    return 0.01 + both + float(np.mean(shares))


def _at(path: Path, at_s: float) -> Box:
    """Where it was nearest to a time."""
    return min(path, key=lambda one: abs(one[0] - at_s))[1]


def _cover(one: Box, other: Box) -> float:
    smaller = min(one.area, other.area)
    return one.overlap(other) / smaller if smaller > 0 else 0.0
