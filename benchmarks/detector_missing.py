"""Things that were there while the view was learned and are taken away, one after the other.

What is missing is named by the learned picture. As often as it would have been, had it come? The
same things come, in the same places, to a view that was learned without them; both are named by
the starter. Right is the thing's noun, another word for it, or a kind of it, where it has a noun.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from app.simulator.simulation import Simulation
from app.simulator.things import Thing, removed, spot
from benchmarks.detector_runs import FPS, LEARN_S, LEARNED, Options, in_processes, line, mean, table
from benchmarks.looking import watched
from benchmarks.naming import Namers, labelled_noun
from benchmarks.scoring import Found, Presence, match, presences, share
from detectors.types import Box
from novic.model import starter_bundle_path

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


def _come(day: Simulation) -> Simulation:
    """The same day, but what went comes, at the same time and to the same place."""
    things = []
    for thing in day.things:
        at_s, *at = thing.path[-1]
        way = ((at_s, *at), (day.duration_s, *at))
        things.append(replace(thing, path=way, role="arrives"))
    return replace(day, things=tuple(things))


def _one(job: _Job) -> dict[str, Any]:
    day = _clip(job)
    found, false = _found(job, day)
    come, _ = _found(job, _come(day))
    things = [
        line(
            one,
            missing=any(told.event.change == "missing" for told in one.events),
            named=_named(one, thing),
            named_there=_named(there, thing),
        )
        for one, there, thing in zip(found, come, day.things, strict=True)
    ]
    return {"scene": job.scene, "things": things, "false_events": false}


def _found(job: _Job, day: Simulation) -> tuple[list[Found], int]:
    told = watched(day, job.options.fitted(day), LEARNED, names=_namers().model)
    there = [_until_the_next(one) for one in presences(day, LEARNED)]
    found, false = match(there, told)
    return found, len(false)


@cache
def _namers() -> Namers:
    return Namers(starter_bundle_path())


def _named(found: Found, thing: Thing) -> bool | None:
    """Whether its event's best name is right; None if it has no event, or no noun that we know."""
    label = thing.noun
    if thing.picture is not None:
        text = thing.picture.with_suffix(".txt")
        label = text.read_text(encoding="utf-8").split("\n")[0] if text.is_file() else ""
    noun = labelled_noun(label, frozenset(_namers().nouns))
    if noun is None or not found.events:
        return None
    candidates = found.events[0].event.candidates
    return bool(candidates) and candidates[0][0] in _namers().right(noun).kind


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
        "named right": share(thing["named"] for thing in _both(of)),
        "had it come": share(thing["named_there"] for thing in _both(of)),
        "of": len(_both(of)),
        "opens after s": mean(thing["delay_s"] for thing in of),
    }


def _both(of: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those whose names can be judged both ways."""
    return [one for one in of if None not in (one["named"], one["named_there"])]
