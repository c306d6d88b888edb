"""Does the blind map of `nomaly calibrate` say what is really found?

For each scene a detector learns the first minute of one simulated day. The map puts one half of the
cut-outs into a few moments of that day, as the command does. What it says is held against things
that it knows nothing of: the other half of the cut-outs, on another day of the same scene, drawn by
the simulator (light, noise and compression lie over them too), watched as a live camera is.

    python -m benchmarks.blind_map [--scenes garden,yard] [--repeats 8] [--nouns] [--json]
"""

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from app.calibrating.planting import (
    Pace,
    Planting,
    Window,
    blind_map,
    scenes,
    sown,
    zone_of,
)
from app.simulator.simulation import Simulation
from app.simulator.splits import split
from app.simulator.things import TALLEST, Thing, lying, spot, tall
from app.simulator.views import scene
from app.watching.camera_settings import CameraSettings
from app.watching.keeper import Keeper
from benchmarks.detector_recall import LIES_S, PAUSE_S
from benchmarks.looking import LEARN_S, fitted, frames_of, watched
from benchmarks.scoring import match, presences
from calibration.blindness import GRID, SIZES, BlindMap, Planted
from calibration.promise import DEFAULT
from detectors.base import Detector
from detectors.types import Box

MOMENTS = 4
"""Of the first day, into which things are put."""
TOGETHER = 3
"""Things of the second day that lie there at once."""
DAY_S = 400.0
FPS = 5.0


@dataclass(frozen=True, slots=True)
class Compared:
    """One scene."""

    name: str
    said: BlindMap
    true: BlindMap

    def rows(self) -> Iterator[tuple[str, float, int, float, int]]:
        """(what, share said, of, true share, of) for each size, each zone and all."""
        keys: list[tuple[str, dict[str, Any]]] = [("all", {})]
        keys += [(f"{100 * size:g}%", {"size": size}) for size in self.said.sizes]
        keys += [(f"zone {zone}", {"zone": zone}) for zone in self.said.zones]
        for label, where in keys:
            said, true = self.said.share(**where), self.true.share(**where)
            yield label, said.value, said.of, true.value, true.of


def compared(name: str, repeats: int, kept: Path | None) -> Compared:
    """Make the map of a scene, and plant what it knows nothing of."""
    place = scene(name)
    first = Simulation(place, split("dev").seed(5), DAY_S)
    detector = fitted(first, kept)
    settings = CameraSettings(keeper=Keeper(DEFAULT, detector.detector.peak))
    how = Planting(nouns=tuple(split("dev").nouns_for(place)), settings=settings)
    # One moment takes each size to each zone once, so a moment comes back with other things.
    said = blind_map(detector.detector, (moment(first, at) for at in range(repeats)), how)
    true = BlindMap(tuple(planted_truth(name, detector, repeats)), GRID)
    return Compared(name, said, true)


def moment(day: Simulation, number: int) -> Window:
    """One of MOMENTS, spread over the day after what was learned."""
    pace = Pace.of(1 / FPS)
    free = int((day.duration_s - LEARN_S) * FPS) - pace.frames
    start = int(LEARN_S * FPS) + free * (number % MOMENTS) // MOMENTS
    return Window(tuple(frames_of(day, start, start + pace.frames)), 0, pace.before)


def planted_truth(name: str, detector: Any, repeats: int) -> Iterator[Planted]:  # noqa: ANN401
    """What becomes of the other half of the cut-outs on another day."""
    place, rng = scene(name), np.random.default_rng((17, len(name)))
    nouns = split("report").nouns_for(place)
    things: list[Thing] = []
    now = LEARN_S + 3.0
    count = repeats * len(SIZES) * GRID[0] * GRID[1] // 2
    before: list[Box] = []
    while len(things) < count:
        # What lies where something has just lain would go on with its event.
        taken, before = [*before], []
        for _ in range(TOGETHER):
            size = SIZES[int(rng.integers(len(SIZES)))]
            thing = lying(nouns[int(rng.integers(len(nouns)))], size, (0.5, 0.5), 0.0)
            at = spot(thing, place.size, rng, taken) if tall(thing, place.size) < TALLEST else None
            if at is None:
                continue
            things.append(replace(thing, path=((now, *at), (now + LIES_S, *at))))
            taken.append(around(thing, at, place.size, 0.12))
            before.append(around(thing, at, place.size, 0.02))
        now += LIES_S + PAUSE_S
    day = Simulation(place, split("report").seed(11), math.ceil(now + 1), tuple(things))
    start = int(LEARN_S * FPS)
    found, _ = match(presences(day, start), watched(day, detector.forgetful, start))
    for one in found:
        thing = day.things[one.presence.id]
        x, y = thing.path[0][1:]
        yield Planted(zone_of(x, y, GRID), thing.width, 0, one.seen)


def around(thing: Thing, at: tuple[float, float], size: tuple[int, int], margin: float) -> Box:
    """A thing's box and a margin of a share of the frame's width, in pixels."""
    height, width = size
    x, y = at[0] * width, at[1] * height
    across = (thing.width / 2 + margin) * width
    down = tall(thing, size) / 2 * height + margin * width
    return Box(x - across, y - down, x + across, y + down)


def alone(name: str, kept: Path | None) -> tuple[int, int]:
    """Of how many things it makes no difference that others are put there with them."""
    day = Simulation(scene(name), split("dev").seed(5), DAY_S)
    detector: Detector = fitted(day, kept).detector
    how, window = Planting(nouns=tuple(split("dev").nouns_for(day.place))), moment(day, 1)
    same = of = 0
    for together in scenes(window, how, 99):
        for put, both in zip(together, sown(detector, window, together, how.settings), strict=True):
            single = sown(detector, window, [put], how.settings)[0]
            same += single.planted.found == both.planted.found
            of += 1
    return same, of


def by_noun(name: str, half: str, kept: Path | None) -> dict[str, tuple[int, int]]:
    """How many of each kind are found at the smallest size, and of how many.

    Args:
        name: Of the scene.
        half: Whose cut-outs: `dev` or `report`.
        kept: As `compared` takes it.
    """
    day = Simulation(scene(name), split("dev").seed(5), DAY_S)
    detector = fitted(day, kept).detector
    settings = CameraSettings(keeper=Keeper(DEFAULT, detector.peak))
    nouns = tuple(split(half).nouns_for(day.place))
    how = Planting(nouns=nouns, sizes=SIZES[:1], settings=settings)
    found: dict[str, tuple[int, int]] = dict.fromkeys(nouns, (0, 0))
    for number in range(MOMENTS):
        window = moment(day, number)
        for together in scenes(window, how, number + 50):
            for one in sown(detector, window, together, settings):
                hits, of = found[one.noun]
                found[one.noun] = hits + one.planted.found, of + 1
    return found


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", default="garden,yard,terrace")
    parser.add_argument("--repeats", type=int, default=8)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--nouns", action="store_true", help="only the smallest size, by kind")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    results = []
    if args.nouns:
        for name in args.scenes.split(","):
            for half in ("dev", "report"):
                print(name, half, by_noun(name, half, args.keep))
        return
    for name in args.scenes.split(","):
        done = compared(name, args.repeats, args.keep)
        results.append(done)
        show(done, "{} of {} alike alone".format(*alone(name, args.keep)))
    said, true = ([thing for one in results for thing in of(one)] for of in (_said, _true))
    pooled = Compared("all", BlindMap(tuple(said), GRID), BlindMap(tuple(true), GRID))
    show(pooled, "scenes together")
    if args.json:
        print(json.dumps({one.name: [*one.rows()] for one in results}))


def _said(done: Compared) -> tuple[Planted, ...]:
    return done.said.things


def _true(done: Compared) -> tuple[Planted, ...]:
    return done.true.things


def show(done: Compared, note: str) -> None:
    """The table of one scene."""
    table = Table(title=f"{done.name}: found, per cent; {note}")
    for column in ("", "map", "of", "truth", "of", "points"):
        table.add_column(column, justify="right")
    for label, said, of, true, of_true in done.rows():
        numbers = (f"{100 * said:.0f}", str(of), f"{100 * true:.0f}", str(of_true))
        table.add_row(label, *numbers, f"{100 * (said - true):+.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
