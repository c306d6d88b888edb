"""How good the events of a recording are, where it is known what was there and when."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from calibration.overlaps import average_precision, mean_average_precision
from calibration.ranking import auroc, measured
from detectors.types import Box, Detection
from novic.intervals import Estimate, estimate

SIZES = (0.02, 0.04, 0.06, 0.08, 0.12, 0.20)
"""Widths of things over the frame's that are told apart; each thing counts for the nearest."""
IOUS = (0.3, 0.5)
NEAR_S = 2.0
"""A sighting so long before or after a thing was there is still its doing: a ghost, a gust."""
LEAST_HITS = 3
"""Sightings that an event opens on; the time of this one is when it opened."""
_TICK_S = 1e-3

type Sighting = tuple[float, Box, float]
"""When, in seconds from the start of the video, where, in pixels of the frame, and its score."""


@dataclass(frozen=True, slots=True)
class TrueThing:
    """Something that does not belong in the view."""

    noun: str
    times_s: tuple[float, ...]
    """When its box is known, rising, in seconds from the start of the video; it is there from the
    first to the last."""
    boxes: tuple[Box, ...]
    """Where it was at these times, in pixels of the frame."""
    width_share: float
    """Its width over the frame's, where it is widest."""
    aliases: tuple[str, ...] = ()
    """Other words for it that are as right as its noun."""

    @property
    def start_s(self) -> float:
        """When it appears."""
        return self.times_s[0]

    @property
    def end_s(self) -> float:
        """When it was last there."""
        return self.times_s[-1]

    @property
    def size(self) -> float:
        """Which of SIZES its width is nearest to."""
        return min(SIZES, key=lambda size: abs(log(max(self.width_share, 1e-6) / size)))

    def box_at(self, at_s: float, slack_s: float = _TICK_S) -> Box | None:
        """Where it was at a time, by the nearest moment known; None if it was not there."""
        if not self.start_s - slack_s <= at_s <= self.end_s + slack_s:
            return None
        after = min(bisect_left(self.times_s, at_s), len(self.times_s) - 1)
        before = max(0, after - 1)
        nearer = before if at_s - self.times_s[before] <= self.times_s[after] - at_s else after
        return self.boxes[nearer]


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one thing."""

    thing: TrueThing
    iou: float
    """The best of a sighting with the thing at its time; 0 if no event touches it."""
    delay_s: float | None
    """From its appearing to the first event on it opening; None if there is none."""
    events: int
    """That touch it."""


@dataclass(frozen=True, slots=True)
class EventFigures:
    """Figures of a recording."""

    found: tuple[Found, ...]
    false_events: int
    hours: float
    """That were looked at."""
    false_per_hour: tuple[float, float, float]
    """The rate, and the 95% interval that a Poisson count of so many leaves."""
    recall: dict[float, Estimate]
    """Share of the things of each size, and of all (0), that an event touches."""
    tight: dict[float, dict[float, float]]
    """By IoU, then by size as above: share that a sighting covers so well."""
    ap: float | None
    """Of the boxes of events in every frame, mean over IoU .50 to .95; None without a thing."""
    ap50: float | None
    seconds_auroc: Estimate | None
    """Of seconds with a thing against those without, by their highest score."""
    delay_s: float | None
    """Median of those found; None if none was."""


def event_figures(
    things: Sequence[TrueThing],
    events: Sequence[Sequence[Sighting]],
    frames_s: Sequence[float],
    hours: float,
    peaks: Sequence[tuple[float, float]] = (),
) -> EventFigures:
    """Compare what was told with what was there.

    Args:
        things: All that does not belong.
        events: Sightings of each event in order.
        frames_s: Times of all frames that were looked at, in seconds.
        hours: That were looked at, without blind times; above 0.
        peaks: A second and its highest score, of all seconds that were looked at.
    """
    touches = [[_touches(thing, event) for thing in things] for event in events]
    found = tuple(
        _found(thing, [event for event, row in zip(events, touches, strict=True) if row[number]])
        for number, thing in enumerate(things)
    )
    false = sum(not any(row) for row in touches)
    images = _images(things, events, frames_s)
    there = [_present(things, second) for second, _ in peaks]
    quiet = [peak for (_, peak), busy in zip(peaks, there, strict=True) if not busy]
    loud = [peak for (_, peak), busy in zip(peaks, there, strict=True) if busy]
    delays = [one.delay_s for one in found if one.delay_s is not None]
    return EventFigures(
        found=found,
        false_events=false,
        hours=hours,
        false_per_hour=poisson_rate(false, hours),
        recall=_by_size(found),
        tight={iou: _shares(found, iou) for iou in IOUS},
        ap=mean_average_precision(images),
        ap50=average_precision(images, 0.5),
        seconds_auroc=measured(auroc, quiet, loud),
        delay_s=float(np.median(delays)) if delays else None,
    )


def poisson_rate(count: int, hours: float) -> tuple[float, float, float]:
    """A rate an hour with its exact 95% interval (Garwood 1936).

    Args:
        count: How many came.
        hours: In how long, above 0.
    """
    from scipy.stats import gamma  # noqa: PLC0415  # a second, and only who measures needs it

    low = float(gamma.ppf(0.025, count)) if count else 0.0
    return count / hours, low / hours, float(gamma.ppf(0.975, count + 1)) / hours


def _touches(thing: TrueThing, event: Sequence[Sighting]) -> bool:
    """Whether an event lies on a thing at some time, or just after it has gone."""
    return any(
        box.overlap(there) > 0
        for at_s, box, _ in event
        if (there := thing.box_at(at_s, NEAR_S)) is not None
    )


def _found(thing: TrueThing, events: Sequence[Sequence[Sighting]]) -> Found:
    ious = [
        box.iou(there)
        for event in events
        for at_s, box, _ in event
        if (there := thing.box_at(at_s)) is not None
    ]
    opened = [event[min(LEAST_HITS, len(event)) - 1][0] for event in events]
    delay = max(0.0, min(opened) - thing.start_s) if opened else None
    return Found(thing, max(ious, default=0.0), delay, len(events))


def _images(
    things: Sequence[TrueThing], events: Sequence[Sequence[Sighting]], frames_s: Sequence[float]
) -> list[tuple[list[Detection], list[Box]]]:
    """What was told and what was there in every frame."""
    told: dict[int, list[Detection]] = {}
    for event in events:
        for at_s, box, score in event:
            told.setdefault(round(at_s / _TICK_S), []).append(Detection(box, score))
    return [
        (
            told.get(round(at_s / _TICK_S), []),
            [box for thing in things if (box := thing.box_at(at_s)) is not None],
        )
        for at_s in frames_s
    ]


def _present(things: Sequence[TrueThing], second: float) -> bool:
    return any(thing.start_s < second + 1 and thing.end_s >= second for thing in things)


def _sized(found: Sequence[Found], size: float) -> list[Found]:
    """Things of a size; of any for 0."""
    return [one for one in found if size in (0, one.thing.size)]


def _by_size(found: Sequence[Found]) -> dict[float, Estimate]:
    recalls: dict[float, Estimate] = {}
    for size in (*SIZES, 0.0):
        hits = np.array([one.events > 0 for one in _sized(found, size)], np.float64)
        share = estimate(hits)
        if share is not None:
            recalls[size] = share
    return recalls


def _shares(found: Sequence[Found], iou: float) -> dict[float, float]:
    sized = {size: _sized(found, size) for size in (*SIZES, 0.0)}
    return {
        size: sum(one.iou >= iou for one in some) / len(some)
        for size, some in sized.items()
        if some
    }
