"""Who brought what, and what is still there: scripted comings and goings through the whole path.

    python -m benchmarks.ledger --split report

In each scene somebody (a cut-out) walks by and leaves a thing where he walks; of some a second one
takes it away again. Told from the events alone, as `nomaly ledger` does.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.ledger.entries import Escort, Seen, entries_of
from app.simulator.simulation import Simulation
from app.simulator.things import Thing, spot
from benchmarks.detector_runs import FPS, in_processes, table
from benchmarks.looking import LEARN_S, Told, fitted, watched
from benchmarks.scenes import material
from benchmarks.scoring import Presence, presences
from detectors.types import Box

_THING, _WALKER = 0.08, 0.13
_PACE = 0.25
"""Of the frame's width a second."""
_EACH_S = 24.0


@dataclass(frozen=True, slots=True)
class _Job:
    split: str
    scene: str
    seed: int
    things: int
    cache: Path | None


@dataclass(frozen=True, slots=True)
class _Visit:
    thing: Thing
    brings: Thing
    takes: Thing | None


def _script(job: _Job) -> list[_Visit]:
    """Things one after the other, each brought by somebody, every other one taken again."""
    drawn = material(job.split)
    place, rng = drawn.place(job.scene), np.random.default_rng((job.seed, 77))
    visits: list[_Visit] = []
    taken: list[Box] = []
    now = LEARN_S + 3
    for number in range(job.things):
        thing = drawn.thing(place, _THING, rng)
        at = spot(thing, place.size, rng, taken)
        if at is None:
            break
        taken.append(_box(at, place.size))
        brought_s = now + (0.5 * _WALKER + at[0]) / _PACE
        leaves = number % 2 == 0
        takes_s = now + 11 + (0.5 * _WALKER + at[0]) / _PACE
        to_s = takes_s if leaves else 1e6
        lies = replace(thing, path=((brought_s, *at), (to_s, *at)))
        walks = _walker(drawn.thing(place, _WALKER, rng), at[1], now)
        takes = _walker(drawn.thing(place, _WALKER, rng), at[1], now + 11) if leaves else None
        visits.append(_Visit(lies, walks, takes))
        now += _EACH_S
    return visits


def _walker(thing: Thing, y: float, start_s: float) -> Thing:
    """Crosses the view from left to right at the height of a thing."""
    end_s = start_s + (1 + _WALKER) / _PACE
    return replace(thing, path=((start_s, -_WALKER / 2, y), (end_s, 1 + _WALKER / 2, y)))


def _box(at: tuple[float, float], size: tuple[int, int]) -> Box:
    height, width = size
    x, y, half = at[0] * width, at[1] * height, _THING * width
    return Box(x - half, y - half, x + half, y + half)


def _measured(job: _Job) -> dict[str, object]:
    visits = _script(job)
    things = [one for v in visits for one in (v.thing, v.brings, v.takes) if one is not None]
    length = LEARN_S + 6 + _EACH_S * len(visits)
    place = material(job.split).place(job.scene)
    day = Simulation(place, job.seed, length, tuple(things), fps=FPS)
    told = watched(day, fitted(day, job.cache), round(LEARN_S * FPS))
    at_us = max(one.event.end_us for one in told) - 1_000_000
    seen = [Seen(one.event, one.path) for one in told]
    entries = [one for one in entries_of(seen, at_us) if one.side == "came"]
    where = {one.id: one for one in presences(day, 0)}
    numbers = {id(thing): number for number, thing in enumerate(things)}
    by_id = {one.event.id: one for one in told}
    right = brought = taken = takes = used = 0
    for visit in visits:
        lay = where[numbers[id(visit.thing)]].at(visit.thing.path[0][0] + 2)
        own = [one for one in entries if one.event.box.iou(lay) >= 0.3]
        used += len(own)
        takes += visit.takes is not None
        right += len(own) == 1 and own[0].open == (visit.takes is None)
        if len(own) == 1:
            brought += _is_by(own[0].brought, by_id, where[numbers[id(visit.brings)]])
            if visit.takes is not None:
                taken += _is_by(own[0].taken, by_id, where[numbers[id(visit.takes)]])
    return {
        "scene": job.scene,
        "things": len(visits),
        "balance right": right,
        "brought by": brought,
        "taken by": f"{taken} of {takes}",
        "entries of nothing": len(entries) - used,
    }


def _is_by(escorts: Sequence[Escort], told: Mapping[str, Told], presence: Presence) -> bool:
    """Whether the first who was near is the one who walked there."""
    if not escorts:
        return False
    during = [
        box.iou(presence.at(at_s))
        for at_s, box, _ in told[escorts[0].event_id].path
        if presence.from_s <= at_s <= presence.to_s
    ]
    return sum(iou >= 0.3 for iou in during) >= max(1.0, 0.5 * len(during))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--things", type=int, default=6)
    parser.add_argument("--scenes", nargs="*")
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    drawn = material(options.split)
    jobs = [
        _Job(options.split, scene, drawn.split.seed(options.seed), options.things, options.cache)
        for scene in options.scenes or drawn.scenes
    ]
    table(list(in_processes(_measured, jobs, 1)))


if __name__ == "__main__":
    main()
