"""What is told in each nuisance, and what is still found while it lasts.

A minute is learned and 20 s are watched; then the nuisance begins and lasts. For `--seconds` of it
nothing comes, then `--objects` things of each width of `--widths` (6% of the frame's unless said)
come one after the other.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from app.simulator.nuisances import Nuisance, nuisance_names
from app.simulator.simulation import Simulation
from benchmarks.detector_runs import LEARN_S, LEARNED, Options, in_processes, line, table
from benchmarks.looking import Told, watched
from benchmarks.scoring import match, presences, share

QUIET_S = 20.0
LIES_S, PAUSE_S = 2.0, 0.8
RIGHT = {
    "over-exposed": ("white", "over-exposed", "overexposed"),
    "under-exposed": ("black", "under-exposed", "underexposed", "dark"),
    "infrared": ("colour", "infrared", "grey"),
    "nudge": ("moved",),
    "compression": ("compress",),
    "frozen": ("frozen",),
    "covered": ("covered", "one colour", "black"),
    "out of focus": ("focus",),
    "rain": ("weather", "rain"),
    "snow": ("weather", "snow"),
    "insects": ("insects",),
    "shake": ("shakes",),
    "patch of sun": ("light",),
    "headlights": ("light",),
    "reflection": ("light",),
}
"""By the beginning of a nuisance's name: words of which one must be in the name of the camera's
event. Nothing needs to be told of those that are not here."""
NO_NEWS = ("insects", "shake", "patch of sun", "headlights", "reflection")
"""Of these the product tells only what it would else have told as a thing: where nothing at all is
told, that is right, too."""


@dataclass(frozen=True, slots=True)
class _Job:
    options: Options
    scene: str
    nuisance: str

    @property
    def starts_s(self) -> float:
        return LEARN_S + QUIET_S

    @property
    def things_s(self) -> float:
        return self.starts_s + self.options.seconds


def _clip(job: _Job) -> Simulation:
    options, place = job.options, job.options.material.place(job.scene)
    rng = options.rng(job.scene, 2)
    things, now = [], job.things_s
    for width in options.widths * options.objects:
        thing, at = options.material.placed(place, width, rng)
        things.append(replace(thing, path=((now, *at), (now + LIES_S, *at))))
        now += LIES_S + PAUSE_S
    day = options.day(job.scene, now + 1.0, things)
    return replace(day, nuisances=(Nuisance(job.nuisance, job.starts_s),))


def _one(job: _Job) -> dict[str, Any]:
    simulation = _clip(job)
    told = watched(simulation, job.options.fitted(simulation), LEARNED)
    found, _ = match(presences(simulation, LEARNED), told)
    alone = [one for one in told if job.starts_s <= one.event.start_s < job.things_s]
    objects = [one for one in alone if not one.is_camera]
    # A frozen picture is told from its first frame on, the last before it froze.
    lasted = [one for one in told if one.event.end_s >= job.starts_s]
    named = [one for one in lasted if one.event.start_s < job.things_s]
    return {
        "nuisance": job.nuisance,
        "scene": job.scene,
        "before": len(told) - len(lasted),
        "events": len(objects),
        "longest_s": round(max((one.lasts_s for one in objects), default=0.0), 1),
        "camera": sorted({one.event.name for one in told if one.is_camera}),
        "right": is_right(job.nuisance, named),
        "things": [line(one) for one in found],
    }


def is_right(nuisance: str, told: list[Told]) -> bool:
    """Whether the camera's own events, of all that was told of a nuisance, name it if need be."""
    words = next((words for name, words in RIGHT.items() if nuisance.startswith(name)), ())
    if not told and nuisance in NO_NEWS:
        return True
    names = [one.event.name for one in told if one.is_camera]
    return not words or any(word in name for word in words for name in names)


def run(options: Options) -> dict[str, Any]:
    """Measure every nuisance in every scene, and print a table."""
    names = options.names or tuple(nuisance_names())
    jobs = [_Job(options, scene, name) for name in names for scene in options.scenes]
    done = []
    for one in in_processes(_one, jobs, options.jobs):
        done.append(one)
        told = ", ".join(one["camera"]) or "nothing"
        print(
            f"# {one['nuisance']} in {one['scene']}: {one['events']} events, told {told}",
            flush=True,
        )
    rows = [
        _row([one for one in done if one["nuisance"] == name], options.widths) for name in names
    ]
    table(rows)
    return {"nuisances": rows, "clips": done, "seconds": options.seconds}


def _row(clips: list[dict[str, Any]], widths: tuple[float, ...]) -> dict[str, Any]:
    things = [thing for clip in clips for thing in clip["things"]]
    told = Counter(name for clip in clips for name in clip["camera"])
    return {
        "nuisance": clips[0]["nuisance"],
        "clips": len(clips),
        "events": sum(clip["events"] for clip in clips),
        "most": max(clip["events"] for clip in clips),
        "longest s": max(clip["longest_s"] for clip in clips),
        "right": f"{sum(clip['right'] for clip in clips)}/{len(clips)}",
        **{
            f"{width:.2g} found": share(
                thing["seen"] for thing in things if thing["width"] == round(width, 3)
            )
            for width in widths
        },
        "iou>=.3": share(thing["iou"] >= 0.3 for thing in things),
        "n": len(things),
        "told": ", ".join(f"{name} {count}" for name, count in told.items()) or "-",
    }
