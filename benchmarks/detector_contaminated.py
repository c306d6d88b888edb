"""What somebody who walks through the normal footage costs: things are found as without him.

For 3 of the 60 seconds that are learned (5%) a thing of a tenth of the width walks through. Then
the things of `recall` come, once after a clean minute and once after this one, and at the end the
same thing walks by again, in the same lane, and has to be told.
"""

from dataclasses import dataclass, replace
from typing import Any

from app.simulator.simulation import Simulation
from app.simulator.things import Thing
from benchmarks.detector_recall import WIDTHS, by_width, clip
from benchmarks.detector_runs import LEARNED, Options, in_processes, line, table
from benchmarks.looking import watched
from benchmarks.scoring import match, presences

WIDTH = 0.1
WALKS_S = 3.0
FROM_S = 24.0


@dataclass(frozen=True, slots=True)
class _Job:
    options: Options
    scene: str
    walker: bool


def _clip(job: _Job) -> Simulation:
    """The clip of `recall`, with the walker while it is learned or without, and again behind it."""
    day = clip(job.options, job.scene)
    rng, place = job.options.rng(job.scene, 9), job.options.material.place(job.scene)
    walker, lane = job.options.material.thing(place, WIDTH, rng), float(rng.uniform(0.4, 0.7))
    before = _walking(replace(walker, role="belongs"), FROM_S, lane)
    again = _walking(walker, day.duration_s, lane)
    things = (*day.things, again, *([before] if job.walker else []))
    return replace(day, things=things, duration_s=again.path[-1][0] + 2.0)


def _walking(thing: Thing, from_s: float, lane: float) -> Thing:
    way = ((from_s, -WIDTH / 2, lane), (from_s + WALKS_S, 1 + WIDTH / 2, lane))
    return replace(thing, path=way)


def _one(job: _Job) -> dict[str, Any]:
    simulation = _clip(job)
    told = watched(simulation, job.options.fitted(simulation), LEARNED)
    found, false = match(presences(simulation, LEARNED), told)
    walked = found[-1]
    return {
        "scene": job.scene,
        "walker": job.walker,
        "things": [line(one) for one in found[:-1]],
        "told again": walked.seen,
        "false": len(false),
    }


def run(options: Options) -> dict[str, Any]:
    """Measure every scene after both minutes, and print a table by size."""
    jobs = [_Job(options, scene, walker) for scene in options.scenes for walker in (False, True)]
    done = []
    for one in in_processes(_one, jobs, options.jobs):
        done.append(one)
        print(f"# {one['scene']}, walker {one['walker']}: told again {one['told again']}")
    rows = [_row([one for one in done if one["walker"] == walker]) for walker in (False, True)]
    table(rows)
    return {"rows": rows, "clips": done}


def _row(clips: list[dict[str, Any]]) -> dict[str, Any]:
    things = [thing for clip in clips for thing in clip["things"]]
    return {
        "walker": "learned" if clips[0]["walker"] else "not learned",
        **{f"{width:.0%}": by_width(things, width)["event"] for width in WIDTHS},
        "told again": f"{sum(clip['told again'] for clip in clips)}/{len(clips)}",
        "false": sum(clip["false"] for clip in clips),
    }
