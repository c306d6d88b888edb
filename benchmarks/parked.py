"""A thing that is parked for a day: how often it rings, is told again, and is closed.

One day of 24 hours with 20 restarts, half of them kills. Of every hour 12 seconds are looked at, at
two frames a second, as if the camera had been away in between: that is harder than a day without
gaps. Meanwhile it gets dark and light again, light changes, infrared comes, somebody walks in front
of it. It comes in the first hour and is gone in the last.

    python -m benchmarks.parked [--split dev|report] [--scenes desk,garden] [--seed 0]
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.events.event import Event, Finding
from app.events.store import SourceProgress, Store
from app.simulator.nuisances import Nuisance
from app.simulator.simulation import Simulation
from app.simulator.things import sliding
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.gate import MotionGate
from app.watching.going_on import GoingOn
from app.watching.keeper import Keeper
from app.watching.lookout import Lookout
from app.watching.recorder import Recorder
from benchmarks.detector_runs import table
from benchmarks.looking import LEARN_S, fitted, nameless
from benchmarks.scenes import material
from calibration.promise import DEFAULT
from detectors.types import Frame

FPS = 5.0
STEP = 2
"""Of so many frames one is looked at."""
HOURS = 24
SETTINGS: dict[str, Any] = {"source": "simulated"}
LOOKED_AT_S = {0: 80.0, HOURS - 1: 50.0}
"""So much of an hour, ..."""
OTHERWISE_S = 12.0
"""... of all others this."""
WHAT = {
    3: "brighter 20%", 5: "darker 40%", 6: "under-exposed", 7: "infrared", 9: "infrared",
    11: "darker 20%", 13: "brighter 40%", 15: "dusk", 17: "flicker", 19: "compression",
}  # fmt: skip
"""What is the matter with the picture in an hour."""
WALKS = (2, 4, 8, 12, 16, 20)
"""Hours in which somebody walks in front of it."""
RESTARTS = range(1, 21)
"""The watch ends after these hours and begins anew, after odd ones by a kill."""
SAME = 0.3
"""IoU of an event and the parked thing."""


def hour_of(split: str, scene: str, seed: int, hour: int) -> Simulation:
    """The minute that is learned, and behind it what is looked at of an hour."""
    given = material(split)
    place, rng = given.place(scene), np.random.default_rng((given.split.seed(seed), 77))
    thing = given.thing(place, 0.12, rng)
    at = (float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.45, 0.65)))
    ends_s = LEARN_S + LOOKED_AT_S.get(hour, OTHERWISE_S)
    # What arrives is not in the minute that is learned.
    begins_s = LEARN_S + (3.0 if hour == 0 else 0.0)
    things = [replace(thing, path=((begins_s, *at), (ends_s + 1, *at)))]
    if hour in WALKS:
        walker = given.thing(place, 0.12, rng)
        way = sliding(walker.noun, 0.12, at[1], LEARN_S + 3, 2.0)
        things.append(replace(walker, path=way.path))
    name = WHAT.get(hour)
    nuisances = (Nuisance(name, LEARN_S, ends_s),) if name else ()
    if hour == HOURS - 1:
        things = []
    return Simulation(place, given.split.seed(seed), ends_s, tuple(things), nuisances, fps=FPS)


class Day:
    """A watch of one scene through all hours and restarts."""

    def __init__(self, folder: Path, split: str, scene: str, seed: int) -> None:
        self.folder, self.told = folder, list[Event]()
        self._hour = lambda hour: hour_of(split, scene, seed, hour)
        self.detector = fitted(self._hour(0).learned(LEARN_S))

    def pass_by(self) -> dict[str, Any]:
        """Watch all hours; returns what was told."""
        hours: list[int] = []
        for hour in range(HOURS):
            hours.append(hour)
            if hour in RESTARTS or hour == HOURS - 1:
                self._session(hours, killed=hour % 2 == 1)
                hours = []
        box = self._hour(0).truth(round((LEARN_S + 10) * FPS))[0].box
        here = [one for one in self.told if one.kind == "object" and one.box.iou(box) >= SAME]
        rings = [one for one in here if one.state == "opened"]
        ids = {one.id for one in rings}
        states = Counter(one.state for one in self.told if one.id in ids)
        others = [one for one in self.told if one.state == "opened" and one.id not in ids]
        return {
            "rings": len(rings),
            "reminders": max((getattr(one, "reminders", 0) for one in here), default=0),
            "closes": states["closed"],
            "messages": sum(states.values()),
            "other rings": sum(one.kind == "object" for one in others),
            "camera's own": sum(one.kind == "camera" for one in others),
        }

    def _session(self, hours: list[int], *, killed: bool) -> None:
        with Store(self.folder) as store:
            run = store.last_run()
            before = next(iter(store.sources(run.id)), None) if run is not None else None
            going_on = GoingOn(run, before, SETTINGS)
            run_id, closed = going_on.begin(store)
            source = going_on.source or SourceProgress(
                "hall", SETTINGS["source"], self.detector.size, 0.0, 0.0
            )
            settings = CameraSettings(keeper=Keeper(DEFAULT, self.detector.detector.peak))
            view, size = self.detector.view, self.detector.size
            camera = Camera(size, live=True, view=view, settings=settings)
            camera.expect(going_on.left)
            recorder = Recorder(store, run_id, source)
            lookout = Lookout(camera, self.detector, nameless(), recorder, MotionGate())
            self.told += closed
            for hour in hours:
                for frame in self._frames(hour, hours[0]):
                    lookout.look([going_on.placed(frame)])
                    self._save(lookout, lookout.findings())
            if not killed:
                self._save(lookout, lookout.finish(cut=True, goes_on=hours[-1] != HOURS - 1))

    def _save(self, lookout: Lookout, findings: Sequence[Finding]) -> None:
        lookout.save(findings)
        self.told += [finding.event for finding in findings]

    def _frames(self, hour: int, first: int) -> Iterator[Frame]:
        """What is looked at of an hour, in a session that began with the first."""
        for shot in self._hour(hour).shots(round(LEARN_S * FPS), None, STEP):
            day_s = 3600.0 * hour + shot.time_s - LEARN_S
            yield Frame(
                "hall", round(day_s * FPS), day_s - 3600.0 * first, round(1e6 * day_s), shot.image
            )


def main() -> None:
    """Watch, count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("dev", "report"), default="dev")
    parser.add_argument("--scenes", help="separated by commas; all of the split by default")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    scenes = (arguments.scenes or "").split(",") if arguments.scenes else ()
    rows = []
    for scene in scenes or material(arguments.split).scenes:
        with tempfile.TemporaryDirectory() as name:
            day = Day(Path(name), arguments.split, scene, arguments.seed)
            rows.append({"scene": scene, **day.pass_by()})
            print(json.dumps(rows[-1]), flush=True)
    table(rows)


if __name__ == "__main__":
    main()
