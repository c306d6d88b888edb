"""How many things of which size become an event, how well its box fits, and how soon it opens."""

from dataclasses import dataclass, replace
from typing import Any

from app.simulator.simulation import Simulation
from benchmarks.detector_runs import LEARN_S, LEARNED, Options, in_processes, line, mean, table
from benchmarks.looking import watched
from benchmarks.scoring import match, presences, share
from detectors.types import Box

WIDTHS = (0.02, 0.04, 0.06, 0.08, 0.12, 0.20)
LIES_S = 1.8
"""9 frames, as in earlier studies."""
PAUSE_S = 0.8
QUIET_S = 3.0
"""Watched before the first thing comes."""


@dataclass(frozen=True, slots=True)
class _Job:
    options: Options
    scene: str


def clip(options: Options, scene: str) -> Simulation:
    """Things of all sizes, one after the other, each off the places of the two before it."""
    rng, place = options.rng(scene, 1), options.material.place(scene)
    things, taken = [], []
    now = LEARN_S + QUIET_S
    for number in range(options.objects * len(WIDTHS)):
        width = WIDTHS[number % len(WIDTHS)]
        thing, (x, y) = options.material.placed(place, width, rng, taken[-2:])
        flip = bool(rng.random() < 0.5)
        things.append(replace(thing, path=((now, x, y), (now + LIES_S, x, y)), flip=flip))
        taken.append(_around(width, (x, y), place.size))
        now += LIES_S + PAUSE_S
    return options.day(scene, now + 1.0, things)


def _around(width: float, at: tuple[float, float], size: tuple[int, int]) -> Box:
    half = (width / 2 + 0.02) * size[1]
    x, y = at[0] * size[1], at[1] * size[0]
    return Box(x - half, y - half, x + half, y + half)


def _scene(job: _Job) -> dict[str, Any]:
    simulation = clip(job.options, job.scene)
    told = watched(simulation, job.options.fitted(simulation), LEARNED)
    found, false = match(presences(simulation, LEARNED), told)
    return {
        "scene": job.scene,
        "things": [line(one, scene=job.scene) for one in found],
        "false_events": len(false),
        "camera_events": [one.event.name for one in told if one.is_camera],
        "watched_s": simulation.duration_s - LEARN_S,
    }


def run(options: Options) -> dict[str, Any]:
    """Measure all scenes, and print a table by size."""
    scenes = []
    for done in in_processes(_scene, [_Job(options, s) for s in options.scenes], options.jobs):
        scenes.append(done)
        print(f"# {done['scene']}: " + _short(done["things"]), flush=True)
    things = [thing for scene in scenes for thing in scene["things"]]
    rows = [by_width(things, width) for width in WIDTHS]
    table(rows)
    for name in ("false_events", "watched_s"):
        print(f"# {name.replace('_', ' ')}: {sum(scene[name] for scene in scenes):g}")
    return {"widths": rows, "scenes": scenes}


def by_width(things: list[dict[str, Any]], width: float) -> dict[str, Any]:
    """One row of the table."""
    of = [thing for thing in things if thing["width"] == width]
    return {
        "width": width,
        "n": len(of),
        "event": share(thing["seen"] for thing in of),
        "iou>=.3": share(thing["iou"] >= 0.3 for thing in of),
        "iou>=.5": share(thing["iou"] >= 0.5 for thing in of),
        "mean iou": mean(thing["iou"] for thing in of if thing["seen"]),
        "opens after s": mean(thing["delay_s"] for thing in of),
        "<=.6 s": share(thing["delay_s"] <= 0.6 for thing in of if thing["seen"]),
        "events each": mean(float(thing["events"]) for thing in of if thing["seen"]),
    }


def _short(things: list[dict[str, Any]]) -> str:
    return " ".join(f"{width:g}: {by_width(things, width)['event']:g}" for width in WIDTHS)
