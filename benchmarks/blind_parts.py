"""Does the blind map hold where a camera sees some parts of its view worse than others?

In the four columns of the map leaves sway, nothing is amiss, the lens is out of focus, and it is
dark, from the first learned second on. The map puts half of the cut-outs into the finished pictures
of one day, as `nomaly calibrate` does; the truth are the other half, drawn by the simulator into
other days (leaves, lens, dark, noise and compression lie over them), three at a time, and audited.
`--same` draws the map's own half there: what is left then is not due to what was put there.

    python -m benchmarks.blind_parts --keep parts.jsonl [--scenes yard,terrace] [--same] [--json]

Each moment of the map and each stretch of truth is a line of the file; what was stopped goes on.
"""

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from app.calibrating.planting import Pace, Planting, Window, scenes, sown, zone_of
from app.simulator.effects import Effect, Moment, Scope
from app.simulator.lens import disc
from app.simulator.nuisances import Nuisance
from app.simulator.places import Place, Sway
from app.simulator.scene import Floats
from app.simulator.simulation import Simulation
from app.simulator.splits import split
from app.simulator.things import TALLEST, Thing, lying, spot, tall
from app.simulator.views import scene
from app.watching.camera_settings import CameraSettings
from app.watching.keeper import Keeper
from benchmarks.blind_map import around
from benchmarks.detector_recall import LIES_S, PAUSE_S
from benchmarks.looking import LEARN_S, Remembering, fitted, frames_of, watched
from benchmarks.scoring import match, presences
from calibration.blindness import GRID, BlindMap, Planted, Share
from calibration.promise import DEFAULT
from detectors.types import Box
from novic.append_log import AppendLog

COLUMNS = ("leaves", "plain", "blurred", "dark")
SIZES = (0.02, 0.04, 0.08)
SWAYS_PX, SWAYS_S = 5.0, 2.9
BLUR_PX = 6.0
DARK = 0.06
"""Share of the light that is left."""
SOFT_PX = 12.0
"""Over which a part begins."""
TOGETHER, DROPS = 3, 8
"""Things of the truth that lie there at once, and how often some come in one stretch."""
DAY_S = 400.0
SAME = "truth of the same kinds"
FPS = 5.0


class _Seen(Effect):
    """The lens is out of focus in the third column, and little light falls into the fourth."""

    def __init__(self, scope: Scope) -> None:
        height, width = scope.size
        xs = np.arange(width, dtype=np.float32) / width * len(COLUMNS)
        soft = SOFT_PX / width * len(COLUMNS)
        blurred = np.clip((xs - 2) / soft + 0.5, 0, 1) * np.clip((3 - xs) / soft + 0.5, 0, 1)
        self._blurred = np.broadcast_to(blurred[None, :, None], (height, width, 1))
        self._light = 1 - (1 - DARK) * np.clip((xs - 3) / soft + 0.5, 0, 1)[None, :, None]
        self._kernel = disc(BLUR_PX * scope.unit)

    def lit(self, lit: Floats, at: Moment) -> Floats:
        """See `Effect`."""
        soft = cv2.filter2D(lit, -1, self._kernel, borderType=cv2.BORDER_REFLECT)
        return np.asarray((lit + self._blurred * (soft - lit)) * self._light, np.float32)


@dataclass(frozen=True, slots=True)
class Parts(Nuisance):
    """What `_Seen` does, all the time."""

    name: str = "parts"

    def effect(self, scope: Scope) -> Effect:
        """See `Nuisance`."""
        return _Seen(scope)


@dataclass(frozen=True)
class Lasting(Simulation):
    """A day whose nuisances were there while it was learned, too."""

    def learned(self, seconds: float) -> "Lasting":
        """See `Simulation`."""
        things = tuple(thing for thing in self.things if thing.role != "arrives")
        return replace(self, duration_s=seconds, things=things)


def day(name: str, seed: int, lasts_s: float, things: tuple[Thing, ...] = ()) -> Lasting:
    """A day of a scene with all four parts."""
    sway = Sway((0.0, 0.0, 0.27, 1.0), SWAYS_PX, SWAYS_S)
    place = replace(scene(name), name=f"{name} in parts", sways=(sway,))
    return Lasting(place, seed, lasts_s, things, (Parts(),), FPS)


def put(name: str, detector: Remembering, number: int) -> Iterator[Planted]:
    """What the map says of one moment."""
    first = day(name, split("dev").seed(5), DAY_S)
    pace = Pace.of(1 / FPS)
    start = int(LEARN_S * FPS) + 97 * number
    window = Window(tuple(frames_of(first, start, start + pace.frames)), 0, pace.before)
    settings = CameraSettings(keeper=Keeper(DEFAULT, detector.detector.peak))
    nouns = tuple(split("dev").nouns_for(first.place))
    how = Planting(sizes=SIZES, nouns=nouns, settings=settings)
    for together in scenes(window, how, number):
        for one in sown(detector, window, together, settings):
            yield one.planted


def truth(name: str, detector: Remembering, number: int, half: str) -> Iterator[Planted]:
    """What becomes of half of the cut-outs in one stretch of another day."""
    things = tuple(_coming(scene(name), number, half))
    lasts_s = math.ceil(LEARN_S + 3 + DROPS * (LIES_S + PAUSE_S) + 1)
    other = day(name, split("report").seed(11 + number), lasts_s, things)
    start = int(LEARN_S * FPS)
    told = watched(other, detector.forgetful, start, live=False)
    for one in match(presences(other, start), told)[0]:
        thing = other.things[one.presence.id]
        yield Planted(zone_of(*thing.path[0][1:], GRID), thing.width, 0, one.seen)


def _coming(place: Place, number: int, half: str) -> Iterator[Thing]:
    """Some things at a time, each off the places of those before."""
    rng = np.random.default_rng((29, number, len(place.name)))
    nouns = split(half).nouns_for(place)
    before: list[Box] = []
    for drop in range(DROPS):
        now = LEARN_S + 3 + drop * (LIES_S + PAUSE_S)
        taken, before = [*before], []
        for _ in range(TOGETHER):
            size = SIZES[int(rng.integers(len(SIZES)))]
            thing = lying(nouns[int(rng.integers(len(nouns)))], size, (0.5, 0.5), 0.0)
            at = spot(thing, place.size, rng, taken) if tall(thing, place.size) < TALLEST else None
            if at is not None:
                taken.append(around(thing, at, place.size, 0.12))
                before.append(around(thing, at, place.size, 0.02))
                yield replace(thing, path=((now, *at), (now + LIES_S, *at)))


class Kept:
    """What is done so far, by scene, part and number."""

    def __init__(self, path: Path) -> None:
        """Read what an earlier call did; a line that was cut off is done again."""
        self._log = AppendLog(path)
        self.things: dict[tuple[str, str, int], list[Planted]] = {}
        self._log.read(self._take)

    def add(self, key: tuple[str, str, int], things: Sequence[Planted]) -> None:
        """Keep one more."""
        self.things[key] = [*things]
        row = dict(zip(("scene", "part", "number"), key, strict=True))
        told = [[one.zone, one.size, one.hour, one.found, one.thin] for one in things]
        self._log.append({**row, "things": told})

    def _take(self, row: dict[str, Any]) -> None:
        key = row["scene"], row["part"], row["number"]
        self.things[key] = [Planted(*thing) for thing in row["things"]]

    def of(self, part: str, names: Sequence[str]) -> BlindMap:
        """All of some scenes together."""
        all_of = [
            things for (name, of, _), things in self.things.items() if of == part and name in names
        ]
        return BlindMap(tuple(thing for things in all_of for thing in things), GRID)


def column(of: BlindMap, number: int, size: float | None) -> Share:
    """What was found in a column."""
    zones = [of.share(zone, size) for zone in of.zones if zone % len(COLUMNS) == number]
    return Share(sum(one.found for one in zones), sum(one.of for one in zones))


def rows(said: BlindMap, true: BlindMap) -> Iterator[tuple[str, Share, Share]]:
    """What the map says and what is, by column and size, then by zone."""
    for number, name in enumerate(COLUMNS):
        for size in (*SIZES, None):
            label = f"{name}, {'all' if size is None else f'{100 * size:g}%'}"
            yield label, column(said, number, size), column(true, number, size)
    for zone in said.zones:
        yield f"zone {zone}", said.share(zone), true.share(zone)


def show(title: str, said: BlindMap, true: BlindMap) -> None:
    """A table."""
    table = Table(title=f"{title}: found, per cent; thin things apart: {said.thin()}")
    for name in ("", "map", "of", "truth", "of", "points"):
        table.add_column(name, justify="right")
    near = of = 0
    for label, here, there in rows(said, true):
        if not here.of or not there.of:
            continue
        points = 100 * (here.value - there.value)
        near, of = near + (abs(points) <= 10), of + 1
        shares = (f"{100 * here.value:.0f}", str(here.of), f"{100 * there.value:.0f}")
        table.add_row(label, *shares, str(there.of), f"{points:+.0f}")
    Console().print(table, f"within 10 points: {near} of {of}")


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", default="yard,terrace,flowerbed")
    parser.add_argument("--moments", type=int, default=8, help="of the map, in each scene")
    parser.add_argument("--stretches", type=int, default=12, help="of truth, in each scene")
    parser.add_argument("--keep", type=Path, required=True, help="file of lines")
    parser.add_argument("--cache", type=Path, help="folder of detectors")
    parser.add_argument("--same", action="store_true", help="kinds of the map in the truth, too")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    names, kept = args.scenes.split(","), Kept(args.keep)
    true_part, half = (SAME, "dev") if args.same else ("truth", "report")
    for name in names:
        detector = None
        for number in range(max(args.moments, args.stretches)):
            for part, most, work in (
                ("map", args.moments, put),
                (true_part, args.stretches, partial(truth, half=half)),
            ):
                if number < most and (name, part, number) not in kept.things:
                    first = day(name, split("dev").seed(5), DAY_S)
                    detector = detector or fitted(first, args.cache).forgetful
                    kept.add((name, part, number), [*work(name, detector, number)])
        show(name, kept.of("map", [name]), kept.of(true_part, [name]))
    said, true = kept.of("map", names), kept.of(true_part, names)
    show("scenes together", said, true)
    if args.json:
        print(
            json.dumps(
                [[label, one.as_json(), two.as_json()] for label, one, two in rows(said, true)]
            )
        )


if __name__ == "__main__":
    main()
