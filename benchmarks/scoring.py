"""What was told against what was there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from app.simulator.simulation import Simulation
from app.simulator.things import Kind, Truth
from benchmarks.looking import Told
from detectors.types import Box

SLACK_S = 0.5
"""An event may begin so much before the truth: a shadow, a smear."""


@dataclass(frozen=True, slots=True)
class Presence:
    """One thing from when it is there (or missing) to when it is not."""

    id: int
    noun: str
    kind: Kind
    width_share: float
    from_s: float
    to_s: float
    boxes: dict[float, Box]
    """Where it was at which time."""

    def at(self, time_s: float) -> Box:
        """Where it was at the time nearest to this."""
        return self.boxes[min(self.boxes, key=lambda known: abs(known - time_s))]


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one thing."""

    presence: Presence
    events: tuple[Told, ...]
    """Events on it, by their beginning."""
    iou: float
    """Of the best event's box with the truth at that box's time; 0 if there is none."""
    delay_s: float
    """From appearing to the first event's opening; NaN if there is none."""

    @property
    def seen(self) -> bool:
        """Whether any event overlaps it."""
        return bool(self.events)


def presences(simulation: Simulation, start: int, stop: int | None = None) -> list[Presence]:
    """The things of a stretch of a simulation, without drawing it."""
    seen: dict[int, list[tuple[float, Truth]]] = {}
    for index in range(*slice(start, stop).indices(simulation.frames)):
        for truth in simulation.truth(index):
            seen.setdefault(truth.id, []).append((index / simulation.fps, truth))
    return [
        Presence(
            number,
            of[0][1].noun,
            of[0][1].kind,
            simulation.things[number].width,
            of[0][0],
            of[-1][0],
            {time_s: truth.box for time_s, truth in of},
        )
        for number, of in sorted(seen.items())
    ]


def match(presences: Iterable[Presence], told: Sequence[Told]) -> tuple[list[Found], list[Told]]:
    """Say which events tell of which things.

    Args:
        presences: What was there.
        told: What was told; events of the camera itself are left out.

    Returns:
        A line for each thing, and the events that overlap nothing that was there in their time.
    """
    objects = [one for one in told if not one.is_camera]
    found, used = [], set()
    for presence in presences:
        events = sorted((one for one in objects if _on(one, presence)), key=lambda o: o.opened_s)
        used |= {one.event.id for one in events}
        ious = [_iou(one, presence) for one in events]
        delay_s = events[0].opened_s - presence.from_s if events else float("nan")
        found.append(Found(presence, tuple(events), max(ious, default=0.0), delay_s))
    return found, [one for one in objects if one.event.id not in used]


def _on(told: Told, presence: Presence) -> bool:
    """Whether an event began while the thing was there, and overlaps it in any sighting."""
    if not presence.from_s - SLACK_S <= told.event.start_s <= presence.to_s + 1e-6:
        return False
    return any(
        box.overlap(presence.at(time_s)) > 0
        for time_s, box, _ in told.path
        if presence.from_s - SLACK_S <= time_s <= presence.to_s + SLACK_S
    )


def _iou(told: Told, presence: Presence) -> float:
    return told.event.box.iou(presence.at(told.event.snapshot_s))


def poisson(events: int, hours: float, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a rate a hour after so many events (Garwood 1936)."""
    from scipy.stats import chi2

    tail = (1 - level) / 2
    low = chi2.ppf(tail, 2 * events) / 2 if events else 0.0
    return float(low / hours), float(chi2.ppf(1 - tail, 2 * events + 2) / 2 / hours)


def share(values: Iterable[bool]) -> float | None:
    """Share of marks that are set, rounded; None of none."""
    marks = list(values)
    return round(float(np.mean(marks)), 3) if marks else None
