"""Things that were there while the view was learned and are taken away, one after the other."""

from dataclasses import dataclass, replace
from typing import Any

from app.simulator.simulation import Simulation
from app.simulator.things import Thing, removed, spot
from benchmarks.detector_runs import FPS, LEARN_S, LEARNED, Options, in_processes, line, mean, table
from benchmarks.looking import watched
from benchmarks.scoring import Presence, match, presences, share
from detectors.types import Box

WIDTHS = (0.06, 0.12, 0.20)
EVERY_S = 4.0


@dataclass(frozen=True, slots=True)
class _Job:
    options: Options
    scene: str
    round: int


def _clip(job: _Job) -> Simulation:
    """Two things of each size stand in the view and go one by one."""
    options, place = job.options, job.options.material.place(job.scene)
    rng = options.rng(job.scene, 20 + job.round)
    things: list[Thing] = []
    taken: list[Box] = []
    for width in sorted(2 * WIDTHS, reverse=True):
        for _ in range(20):
            thing = options.material.thing(place, width, rng)
            at = spot(thing, place.size, rng, taken)
            if at is not None:
                things.append(replace(thing, path=((0.0, *at), (1.0, *at))))
                day = options.day(job.scene, 2.0, [replace(things[-1], role="arrives")])
                taken.append(day.truth(0)[0].box.grown(0.2, place.size))
                break
    order = rng.permutation(len(things))
    gone = [
        removed(things[number], LEARN_S + 3 + EVERY_S * turn) for turn, number in enumerate(order)
    ]
    return options.day(job.scene, LEARN_S + 5 + EVERY_S * len(gone), gone)


def _one(job: _Job) -> dict[str, Any]:
    simulation = _clip(job)
    told = watched(simulation, job.options.fitted(simulation), LEARNED)
    there = [_until_the_next(one) for one in presences(simulation, LEARNED)]
    found, false = match(there, told)
    things = [
        line(one, missing=any(told.event.change == "missing" for told in one.events))
        for one in found
    ]
    return {"scene": job.scene, "things": things, "false_events": len(false)}


def _until_the_next(presence: Presence) -> Presence:
    """A missing thing is missing for good; its event must begin before the next one goes."""
    until_s = presence.from_s + EVERY_S - 1 / FPS
    boxes = {time_s: box for time_s, box in presence.boxes.items() if time_s <= until_s}
    return replace(presence, to_s=until_s, boxes=boxes)


def run(options: Options) -> dict[str, Any]:
    """Measure all scenes, and print a table by size."""
    rounds = max(1, round(options.objects / 2))
    jobs = [_Job(options, scene, number) for number in range(rounds) for scene in options.scenes]
    done = list(in_processes(_one, jobs, options.jobs))
    things = [thing for one in done for thing in one["things"]]
    rows = [_row(width, [t for t in things if t["width"] == width]) for width in WIDTHS]
    table(rows)
    print(f"# false events: {sum(one['false_events'] for one in done)}")
    return {"widths": rows, "clips": done}


def _row(width: float, of: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "width": width,
        "n": len(of),
        "found": share(thing["seen"] for thing in of),
        "told as missing": share(thing["missing"] for thing in of),
        "iou>=.5": share(thing["iou"] >= 0.5 for thing in of),
        "mean iou": mean(thing["iou"] for thing in of if thing["seen"]),
        "opens after s": mean(thing["delay_s"] for thing in of),
    }
