"""Things that move or stay: learned, fast and crossing ones, crowds, long stays."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from app.simulator.simulation import Simulation
from app.simulator.things import Thing, sliding, spot
from benchmarks.detector_runs import FPS, LEARN_S, LEARNED, Options, in_processes, line, mean, table
from benchmarks.looking import Told, watched
from benchmarks.scoring import Found, match, presences, share
from detectors.types import Box

PACES = (0.15, 0.3, 0.6, 1.0, 1.5)
"""Own widths a frame."""
GAPS = (0.0, 0.01, 0.02, 0.04, 0.08)
"""Shares of the frame's width."""
EVERY_S = 12.0
SMALL, LARGE = 0.06, 0.12


@dataclass(frozen=True, slots=True)
class _Clip:
    """Something to watch and how to judge it."""

    things: list[Thing]
    seconds: float
    judge: Callable[[list[Found], list[Told], list[Told]], dict[str, Any]]
    """From what became of each thing, the events on nothing, and all events."""


def _passing(options: Options, scene: str, mover: bool) -> _Clip:
    """Something passes every 12 s while it is learned and later; things come elsewhere."""
    rng, place = options.rng(scene, 3), options.material.place(scene)
    passes = replace(
        options.material.thing(place, LARGE, rng),
        path=((2.0, -LARGE, 0.68), (6.0, 1 + LARGE, 0.68)),
        role="belongs",
        every_s=EVERY_S,
    )
    lane = Box(0, 0.45 * place.size[0], place.size[1], 0.91 * place.size[0])
    things, now = [], LEARN_S + 2 * EVERY_S
    while len(things) < options.objects:
        thing, at = options.material.placed(place, SMALL, rng, [lane])
        things.append(replace(thing, path=((now, *at), (now + 1.8, *at))))
        now += 2.6
    return _Clip([passes, *things] if mover else things, now + 1, _elsewhere)


def _elsewhere(found: list[Found], false: list[Told], _: list[Told]) -> dict[str, Any]:
    return {
        "events on the mover": len(false),
        "6% elsewhere": share(one.seen for one in found),
        "things": [line(one) for one in found],
    }


def _fast(options: Options, scene: str, width: float, pace: float) -> _Clip:
    """Passes at one pace, one after the other, in both directions."""
    rng, place = options.rng(scene, 4), options.material.place(scene)
    things, now = [], LEARN_S + 3
    for number in range(max(2, options.objects // 2)):
        direction = 1 if number % 2 == 0 else -1
        thing = options.material.thing(place, width, rng)
        path = sliding(thing.noun, width, rng.uniform(0.3, 0.8), now, direction * pace * FPS)
        things.append(replace(thing, path=path.path))
        now = path.path[-1][0] + 3.0
    return _Clip(things, now, _one_event_each)


def _one_event_each(found: list[Found], false: list[Told], _: list[Told]) -> dict[str, Any]:
    return {
        "passes": len(found),
        "one event": sum(len(one.events) == 1 for one in found),
        "none": sum(not one.events for one in found),
        "several": sum(len(one.events) > 1 for one in found),
        "boxed frames": mean(_boxed(one) for one in found),
        "false": len(false),
    }


def _boxed(found: Found) -> float:
    """Share of the frames in which it is there that an event has a box of IoU >= .3 on it."""
    seen = {
        round(time_s, 3)
        for one in found.events
        for time_s, box, _ in one.path
        if box.iou(found.presence.at(time_s)) >= 0.3
    }
    return sum(round(time_s, 3) in seen for time_s in found.presence.boxes) / len(
        found.presence.boxes
    )


def _crossing(options: Options, scene: str) -> _Clip:
    """Two things walk through each other, three times."""
    rng, place = options.rng(scene, 5), options.material.place(scene)
    things, now = [], LEARN_S + 3
    for _ in range(3):
        y = float(rng.uniform(0.4, 0.75))
        for direction in (1, -1):
            thing = options.material.thing(place, 0.1, rng)
            way = sliding(thing.noun, 0.1, y, now, direction * 0.3 * FPS)
            things.append(replace(thing, path=way.path))
        now = things[-1].path[-1][0] + 3.0
    return _Clip(things, now, _kept)


def _kept(found: list[Found], false: list[Told], told: list[Told]) -> dict[str, Any]:
    """Whether each thing has one event that stays on it to the end."""
    objects = [one for one in told if not one.is_camera]
    return {
        "things": len(found),
        "events": len(objects),
        "kept": sum(_followed(one, objects) for one in found),
        "false": len(false),
    }


def _followed(found: Found, told: list[Told]) -> bool:
    """Whether one event is on it both in the first and in the last third of its way."""
    times = sorted(found.presence.boxes)
    first, last = times[len(times) // 3], times[-(len(times) // 3)]
    return any(
        any(_on(found, *s) and s[0] <= first for s in one.path)
        and any(_on(found, *s) and s[0] >= last for s in one.path)
        for one in told
    )


def _on(found: Found, time_s: float, box: Box, _: float) -> bool:
    inside = found.presence.from_s <= time_s <= found.presence.to_s
    return inside and box.iou(found.presence.at(time_s)) >= 0.3


def _crowd(options: Options, scene: str) -> _Clip:
    """Ten things at once."""
    rng, place = options.rng(scene, 6), options.material.place(scene)
    things: list[Thing] = []
    taken: list[Box] = []
    while len(things) < 10:
        width = float(rng.choice([0.05, 0.08, 0.12]))
        thing = options.material.thing(place, width, rng)
        at = spot(thing, place.size, rng, taken)
        if at is None:
            continue
        things.append(replace(thing, path=((LEARN_S + 3, *at), (LEARN_S + 6, *at))))
        day = options.day(scene, LEARN_S + 5, things[-1:])
        taken.append(day.truth(round((LEARN_S + 4) * FPS))[0].box.grown(0.25, place.size))
    return _Clip(things, LEARN_S + 9, _counted)


def _touching(options: Options, scene: str, width: float, gap: float) -> _Clip:
    """Two things side by side, twice."""
    rng, place = options.rng(scene, 7), options.material.place(scene)
    things, now = [], LEARN_S + 3
    for _ in range(2):
        x, y = rng.uniform(0.2, 0.5), rng.uniform(0.4, 0.7)
        for number in range(2):
            thing = options.material.thing(place, width, rng)
            at = (float(x + number * (width + gap)), float(y))
            things.append(replace(thing, path=((now, *at), (now + 2.4, *at))))
        now += 5.0
    return _Clip(things, now, _counted)


def _counted(found: list[Found], false: list[Told], told: list[Told]) -> dict[str, Any]:
    return {
        "things": len(found),
        "events": sum(not one.is_camera for one in told),
        "seen": sum(one.seen for one in found),
        "iou>=.3": sum(one.iou >= 0.3 for one in found),
        "iou>=.5": sum(one.iou >= 0.5 for one in found),
        "false": len(false),
    }


def _stay(options: Options, scene: str) -> _Clip:
    """One thing stays for 90 s; another passes, and a third comes and goes meanwhile."""
    rng, place = options.rng(scene, 8), options.material.place(scene)
    stays, passes, comes = (
        options.material.thing(place, width, rng) for width in (0.1, 0.08, 0.08)
    )
    start = LEARN_S + 3
    way = sliding(passes.noun, 0.08, 0.6, start + 20, 0.3 * FPS)
    things = [
        replace(stays, path=((start, 0.5, 0.6), (start + 90, 0.5, 0.6))),
        replace(passes, path=way.path),
        replace(comes, path=((start + 60, 0.2, 0.35), (start + 64, 0.2, 0.35))),
    ]
    return _Clip(things, start + 95, _counted)


@dataclass(frozen=True, slots=True)
class _Job:
    options: Options
    scene: str
    name: str


def _clips(options: Options, scene: str) -> dict[str, Callable[[], _Clip]]:
    clips: dict[str, Callable[[], _Clip]] = {
        "learned mover": lambda: _passing(options, scene, True),
        "no mover": lambda: _passing(options, scene, False),
        "crossing": lambda: _crossing(options, scene),
        "ten at once": lambda: _crowd(options, scene),
        "long stay": lambda: _stay(options, scene),
    }
    for width in (SMALL, LARGE):
        for pace in PACES:
            if width * pace > 0.01:
                key = f"{width:.0%} at {pace:g} widths a frame"
                clips[key] = lambda w=width, p=pace: _fast(options, scene, w, p)
        for gap in GAPS:
            key = f"two of {width:.0%}, gap {gap:.0%}"
            clips[key] = lambda w=width, g=gap: _touching(options, scene, w, g)
    return clips


def _one(job: _Job) -> tuple[str, dict[str, Any]]:
    clip = _clips(job.options, job.scene)[job.name]()
    simulation: Simulation = job.options.day(job.scene, clip.seconds, clip.things)
    told = watched(simulation, job.options.fitted(simulation), LEARNED)
    found, false = match(presences(simulation, LEARNED), told)
    return job.name, {"scene": job.scene, **clip.judge(found, false, told)}


def run(options: Options) -> dict[str, Any]:
    """Measure every kind of movement in every scene, and print a table for each way to judge."""
    names = list(_clips(options, options.scenes[0]))
    chosen = [name for name in names if not options.names or any(n in name for n in options.names)]
    jobs = [_Job(options, scene, name) for name in chosen for scene in options.scenes]
    done: dict[str, list[dict[str, Any]]] = {}
    for name, result in in_processes(_one, jobs, options.jobs):
        done.setdefault(name, []).append(result)
        print(f"# {name}: { {key: v for key, v in result.items() if key != 'things'} }", flush=True)
    rows = {name: _added(results) for name, results in done.items()}
    for keys in dict.fromkeys(tuple(row) for row in rows.values()):
        table([{"what": name, **row} for name, row in rows.items() if tuple(row) == keys])
    return {"movers": rows}


def _added(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts added up and shares averaged over scenes."""
    added: dict[str, Any] = {}
    for key, first in results[0].items():
        if isinstance(first, float):
            added[key] = mean(one[key] for one in results)
        elif isinstance(first, int):
            added[key] = sum(one[key] for one in results)
    return added
