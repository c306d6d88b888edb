"""Restless normal footage: is what was promised what comes?

Faint things of all strengths blow by all day, at any place, and belong there: `EVERY_S` seconds
apart on average, 2 to 5% wide, most of them hardly to be seen. `LEARN_S` of that is learned, with
its promise, as `nomaly fit` does; then `--hours` over all scenes are watched, as recordings are.
Frames are small (320x240), so that hours take minutes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.progress import Reporter
from app.simulator.simulation import Simulation
from app.simulator.things import Thing
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.fitting import fit_detector
from app.watching.keeper import Keeper, lowest_level
from app.watching.normal import normal_view
from app.watching.stirring import tolerating
from benchmarks.detector_runs import FPS, Options, in_processes, table
from benchmarks.looking import frames_of, nameless
from benchmarks.scoring import poisson
from calibration.evidence import Evidence
from calibration.levels import OpeningLevels
from calibration.promise import Promise
from detectors.base import Detector
from detectors.configs import parse_config
from detectors.finding import Finder
from detectors.frames import BATCH
from detectors.tracks import TrackRule
from detectors.types import Frame
from novic.device import resolve_device

LEARN_S = 1200.0
EVERY_S = 20.0
SIZE = (240, 320)
PROMISES = ("1/hour", "10/hour")


@dataclass(frozen=True, slots=True)
class _Job:
    options: Options
    scene: str

    @property
    def hours(self) -> float:
        return self.options.hours / len(self.options.scenes)


def _day(job: _Job) -> Simulation:
    options, place = job.options, job.options.material.place(job.scene, SIZE)
    rng, things, now = options.rng(job.scene, 11), [], 0.0
    duration_s = LEARN_S + 3600 * job.hours
    while (now := now + float(rng.exponential(EVERY_S))) < duration_s:
        thing, at = options.material.placed(place, float(rng.uniform(0.02, 0.05)), rng)
        things.append(_blown(thing, now, at, rng))
    seed = options.material.split.seed(options.seed)
    return Simulation(place, seed, duration_s, tuple(things), fps=FPS)


def _blown(thing: Thing, now: float, at: tuple[float, float], rng: np.random.Generator) -> Thing:
    lasts_s, contrast = rng.uniform(1.5, 4.0), float(np.exp(rng.uniform(np.log(0.05), 0.0)))
    to = (at[0] + rng.normal(0, 0.03), at[1] + rng.normal(0, 0.03))
    path = ((now, *at), (now + float(lasts_s), float(to[0]), float(to[1])))
    return replace(thing, path=path, contrast=contrast, role="belongs")


def _learned(job: _Job, day: Simulation) -> Detector:
    quiet, first = Reporter(quiet=True), day.learned(LEARN_S)
    frames = normal_view(frames_of(first, 0, first.frames), LEARN_S, quiet)
    settings = {"longer_side": str(SIZE[1]), **job.options.settings}
    config = parse_config(job.options.detector, settings)
    detector = fit_detector(config, frames, resolve_device("auto"), quiet, lambda: None)
    again = frames_of(first, 0, first.frames)
    return tolerating(detector, again, LEARN_S, quiet, lambda: None)


def _maps(
    detector: Detector, day: Simulation, start: int, stop: int | None
) -> Iterator[tuple[Frame, NDArray[np.float32]]]:
    some: list[Frame] = []
    for frame in frames_of(day, start, stop):
        some.append(frame)
        if len(some) == BATCH:
            yield from zip(some, detector.detect([one.image for one in some]).maps, strict=True)
            some = []
    if some:
        yield from zip(some, detector.detect([one.image for one in some]).maps, strict=True)


def _measured(detector: Detector, day: Simulation, learned: int) -> Evidence:
    evidence = Evidence(lowest_level(detector.peak))
    levels = OpeningLevels(Finder(detector.view), TrackRule(), evidence.lowest)
    for frame, heat in _maps(detector, day, 0, learned):
        levels.see(frame, heat)
    levels.finish()
    evidence.add(levels.take(), LEARN_S)
    return evidence


def _one(job: _Job) -> list[dict[str, Any]]:
    day, learned = _day(job), round(LEARN_S * FPS)
    detector = _learned(job, day)
    evidence = _measured(detector, day, learned)
    keepers = [Keeper(Promise.parse(one), detector.peak, evidence) for one in PROMISES]
    cameras = [
        Camera(SIZE, live=False, view=detector.view, settings=CameraSettings(keeper=keeper))
        for keeper in keepers
    ]
    teller = nameless()
    told: list[dict[str, str]] = [{} for _ in cameras]
    for frame, heat in _maps(detector, day, learned, None):
        for camera, events in zip(cameras, told, strict=True):
            camera.follow(camera.admit([frame]), heat[None])
            events.update((one.event.id, one.event.kind) for one in teller.findings(camera))
    rows = []
    for keeper, camera, events in zip(keepers, cameras, told, strict=True):
        camera.finish()
        events.update((one.event.id, one.event.kind) for one in teller.last(camera))
        kinds = list(events.values())
        rows.append(_row(job, keeper, len(kinds) - kinds.count("camera"), kinds.count("camera")))
    return rows


def _row(job: _Job, keeper: Keeper, events: int, states: int) -> dict[str, Any]:
    low, high = poisson(events, job.hours)
    return {
        "scene": job.scene,
        "promise": str(keeper.promise),
        "factor": round(keeper.factor, 3),
        "decided by": keeper.kept.bound,
        "hours": round(job.hours, 2),
        "events": events,
        "per hour": round(events / job.hours, 2),
        "95% from": round(low, 2),
        "to": round(high, 2),
        "camera events": states,
    }


def run(options: Options) -> dict[str, Any]:
    """Learn and watch in every scene, and print a row for each promise."""
    rows = []
    for some in in_processes(_one, [_Job(options, one) for one in options.scenes], options.jobs):
        rows += some
        print(f"# {some}", flush=True)
    rows.sort(key=lambda row: row["promise"])
    table(rows)
    return {"rows": rows}
