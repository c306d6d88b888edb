"""Restless normal footage: is what was promised what comes?

Faint things of all strengths blow by all day, at any place, and belong there: `EVERY_S` seconds
apart on average, 2 to 5% wide, most of them hardly to be seen. An hour of that is learned, with its
promise, as `nomaly fit` does; then `--hours` over all scenes are watched, as recordings are, with
what was learned, and once as a live camera is, which goes on learning. Frames are small (320x240),
so that hours take minutes.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import batched
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.events.event import Finding
from app.progress import Reporter
from app.simulator.simulation import Simulation
from app.simulator.things import Thing
from app.watching.calibrating import SHORT_S
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.fitting import fit_detector
from app.watching.keeper import Keeper, lowest_level
from app.watching.normal import normal_view
from app.watching.stirring import tolerating
from benchmarks.detector_runs import FPS, Options, in_processes, table
from benchmarks.looking import frames_of, nameless
from benchmarks.scoring import poisson
from calibration.levels import OpeningLevels
from calibration.promise import Promise
from calibration.remembered import RememberedLevels
from detectors.base import Detector
from detectors.configs import parse_config
from detectors.finding import Finder
from detectors.frames import BATCH
from detectors.tracks import TrackRule
from detectors.types import Frame
from novic.device import resolve_device

LEARN_S = 3600.0
TEACH_EVERY = 5
"""Frames of which one may be learned: of an hour 64 are."""
EVERY_S = 20.0
SIZE = (240, 320)
WATCHES = (("1/hour", False), ("10/hour", False), ("10/hour", True))
"""What is promised, and whether the camera is live and goes on learning."""


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
    frames = normal_view(frames_of(first, 0, first.frames, TEACH_EVERY), LEARN_S, quiet)
    settings = {"longer_side": str(SIZE[1]), **job.options.settings}
    config = parse_config(job.options.detector, settings)
    detector = fit_detector(config, frames, resolve_device("auto"), quiet, lambda: None)
    again = frames_of(first, 0, round(SHORT_S * FPS))
    return tolerating(detector, again, SHORT_S, quiet, lambda: None)


def _maps(
    detector: Detector, day: Simulation, start: int, stop: int | None
) -> Iterator[tuple[Frame, NDArray[np.float32]]]:
    for some in batched(frames_of(day, start, stop), BATCH):
        yield from zip(some, detector.detect([one.image for one in some]).maps, strict=True)


def _measured(detector: Detector, day: Simulation, learned: int) -> RememberedLevels:
    evidence = RememberedLevels(lowest_level(detector.peak))
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
    watches = [_Watch(*one, detector, evidence) for one in WATCHES]
    for frame, heat in _maps(detector, day, learned, None):
        for watch in watches:
            watch.see(frame, heat)
    return [_row(job, watch) for watch in watches]


class _Watch:
    """One camera with its promise."""

    def __init__(
        self, words: str, live: bool, detector: Detector, evidence: RememberedLevels
    ) -> None:
        self.keeper = Keeper(Promise.parse(words), detector.peak, deepcopy(evidence))
        self.live, self.began_with = live, self.keeper.kept
        settings = CameraSettings(keeper=self.keeper)
        self._camera = Camera(SIZE, live=live, view=detector.view, settings=settings)
        self._teller, self._kinds = nameless(), dict[str, str]()

    def see(self, frame: Frame, heat: NDArray[np.float32]) -> None:
        """Follow a frame."""
        self._camera.follow(self._camera.admit([frame]), heat[None])
        self._note(self._teller.findings(self._camera))

    def kinds(self) -> list[str]:
        """The kinds of all that was told."""
        self._camera.finish()
        self._note(self._teller.last(self._camera))
        return list(self._kinds.values())

    def _note(self, findings: Iterable[Finding]) -> None:
        self._kinds.update((one.event.id, one.event.kind) for one in findings)


def _row(job: _Job, watch: _Watch) -> dict[str, Any]:
    kinds, begun = watch.kinds(), watch.began_with
    events = len(kinds) - kinds.count("camera")
    low, high = poisson(events, job.hours)
    return {
        "scene": job.scene,
        "promise": f"{begun.promise}{', learning' if watch.live else ''}",
        "factor": round(begun.factor, 3),
        "last factor": round(watch.keeper.factor, 3),
        "decided by": begun.bound,
        "to be expected": begun.per_hour and round(begun.per_hour, 2),
        "hours": round(job.hours, 2),
        "events": events,
        "per hour": round(events / job.hours, 2),
        "95% from": round(low, 2),
        "to": round(high, 2),
        "camera events": kinds.count("camera"),
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
