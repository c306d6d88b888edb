"""Would it have rung? What is predicted from a store, beside a true run over the same footage.

    python -m benchmarks.would --cache maps                  # the report split, all parts
    python -m benchmarks.would --split dev --clips 1 --cache maps --parts bars,zones

Small and large things, faint and clear ones, come, stand, walk and cross in clips of a minute, each
a stretch of its own of a day of which one detector learned the first minute. A clip is watched once
into a store. Then other bars, promises, zones, names and kinds are asked of the store, and the same
frames go through the whole path again with them. Both lists of events are paired by overlap in time
and box; what has no partner on either side is wrong.
"""

import argparse
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import torch

from app.events.event import Event
from app.events.reading import SourceProgress, snapshot
from app.events.store import Store
from app.replaying.matching import Path as Sightings
from app.replaying.matching import alike
from app.replaying.rings import Asked, rings
from app.simulator.simulation import Simulation
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.keeper import Keeper
from app.watching.lookout import Lookout
from app.watching.namer import Words
from app.watching.naming import AtOnce
from app.watching.recorder import Recorder
from benchmarks.detector_runs import FPS, LEARN_S, Options
from benchmarks.looking import Remembering, frames_of, nameless
from benchmarks.scenes import material
from calibration.promise import DEFAULT
from detectors.tracks import TrackRule
from detectors.types import Frame
from detectors.zones import Zones
from novic.intervals import wilson
from novic.model import NounModel

CLIP_S = 40.0
THINGS = 9
WIDTHS = (0.03, 0.05, 0.08, 0.12)
CONTRASTS = (0.2, 1.0)
BARS = (0.9, 1.2, 1.5, 2.2)
"""Times the bar of the store."""


@dataclass
class Clip:
    """A stretch of a scene's day in which things come."""

    options: Options
    scene: str
    number: int

    @property
    def first_s(self) -> float:
        """When it begins."""
        return LEARN_S + self.number * CLIP_S

    @cached_property
    def rng(self) -> np.random.Generator:
        """Its own source of chance."""
        return self.options.rng(self.scene, 240 + self.number)

    @cached_property
    def day(self) -> Simulation:
        """The scene's day with its things: some stand, some walk."""
        rng, place, things = self.rng, self.options.material.place(self.scene), []
        for _ in range(THINGS):
            width = WIDTHS[int(rng.integers(len(WIDTHS)))]
            thing, (x, y) = self.options.material.placed(place, width, rng)
            begin = self.first_s + float(rng.uniform(2, CLIP_S - 8))
            end = begin + float(rng.uniform(1.0, 12.0))
            low, high = (float(np.log(one)) for one in CONTRASTS)
            contrast = float(np.exp(rng.uniform(low, high)))
            to_x = float(np.clip(x + rng.uniform(-0.4, 0.4), 0.05, 0.95))
            walks = rng.random() < 0.4
            path = ((begin, x, y), (end, to_x if walks else x, y))
            things.append(replace(thing, path=path, contrast=contrast))
        return self.options.day(self.scene, self.first_s + CLIP_S, things)

    @cached_property
    def frames(self) -> list[Frame]:
        """All of it."""
        first = round(self.first_s * FPS)
        return list(frames_of(self.day, first, first + round(CLIP_S * FPS)))

    @cached_property
    def store(self) -> Path:
        """Where it was watched once."""
        self.kept = TemporaryDirectory()
        self.before = watch(self, Path(self.kept.name), bar=bar_of(self))
        return Path(self.kept.name)

    @cached_property
    def detector(self) -> Remembering:
        """What learned the scene."""
        return self.options.fitted(self.day)


@dataclass(frozen=True)
class Looked:
    """Events of one run with their sightings."""

    events: list[Event]
    paths: dict[str, Sightings]

    @property
    def things(self) -> list[Event]:
        """Those of things."""
        return [one for one in self.events if one.kind == "object"]


def watch(
    clip: Clip,
    folder: Path,
    *,
    bar: float,
    zones: Zones | None = None,
    names: NounModel | None = None,
    live: bool = False,
) -> Looked:
    """Watch a clip into a store."""
    detector = clip.detector
    keeper = Keeper(DEFAULT, detector.detector.peak, bar=bar)
    settings = CameraSettings(
        keeper=keeper,
        zones=zones or Zones(),
        video="" if live else "clip",
        words=Words() if names is None else Words.of(names),
    )
    teller = nameless() if names is None else AtOnce(names)
    camera = Camera(detector.size, live=live, view=detector.view, settings=settings)
    with Store(folder) as store:
        run = store.begin_run("watch" if live else "audit", {"bar": bar})
        source = SourceProgress("simulation", "clip", detector.size, 0.0, 0.0)
        recorder = Recorder(store, run.id, source, "starter")
        lookout = Lookout(camera, detector, teller, recorder)
        for batch in itertools.batched(clip.frames, 8):
            lookout.look(batch)
            lookout.save(lookout.findings())
        lookout.save(lookout.finish())
        store.end_run(run.id, "finished", {})
        events = store.events(run.id)
        return Looked(events, {one.id: store.sightings(one.id) for one in events})


@dataclass
class Tally:
    """How far what was predicted is what came."""

    kind: str
    right: int = 0
    """Events on both sides."""
    missed: int = 0
    """That came and were not predicted."""
    extra: int = 0
    """That were predicted and did not come."""
    unsure: int = 0
    """Predictions that were called uncertain, ..."""
    unsure_wrong: int = 0
    """... and were wrong."""
    changed: int = 0
    """What was told to be lost or new."""
    examples: list[str] = field(default_factory=list)

    @property
    def of(self) -> int:
        """All."""
        return self.right + self.missed + self.extra

    def row(self) -> dict[str, Any]:
        """As it is printed."""
        low, high = wilson(self.right, self.of)
        return {
            "kind": self.kind,
            "events": self.of,
            "equal": round(self.right / self.of, 3) if self.of else None,
            "from": round(low, 3),
            "to": round(high, 3),
            "missed": self.missed,
            "extra": self.extra,
            "unsure": self.unsure,
            "unsure_wrong": self.unsure_wrong,
            "changed": self.changed,
        }


def judge(tally: Tally, told: "Predicted", truth: Looked) -> None:
    """Pair what was predicted with what came."""
    from scipy.optimize import linear_sum_assignment

    gains = np.zeros((len(told.spans), len(truth.things)))
    for row, (span, path) in enumerate(told.spans):
        for column, event in enumerate(truth.things):
            gains[row, column] = alike(
                span, path, (event.start_s, event.end_s), truth.paths[event.id]
            )
    rows, columns = linear_sum_assignment(gains, maximize=True)
    pairs = [(r, c) for r, c in zip(rows, columns, strict=True) if gains[r, c] > 0]
    tally.right += len(pairs)
    tally.missed += len(truth.things) - len(pairs)
    tally.extra += len(told.spans) - len(pairs)
    right = {r for r, _ in pairs}
    tally.unsure += len(told.unsure) + len(told.unsure_lost)
    tally.unsure_wrong += sum(row not in right for row in told.unsure)
    came = {c for _, c in pairs}
    for column, event in enumerate(truth.things):
        here = (event.start_s, event.end_s), truth.paths[event.id]
        if column not in came:
            tally.unsure_wrong += any(alike(*here, *lost) > 0 for lost in told.unsure_lost)
    tally.changed += len(told.lost) + told.new


@dataclass(frozen=True)
class Predicted:
    """What a store says would have rung."""

    spans: list[tuple[tuple[float, float], Sightings]]
    """When each is there, and its sightings."""
    unsure: list[int]
    """Numbers of those that are uncertain."""
    unsure_lost: list[tuple[tuple[float, float], Sightings]]
    """What would have been lost, which is uncertain."""
    lost: list[str]
    new: int


def predicted(folder: Path, asked: Asked) -> Predicted:
    """What is predicted by what a store holds."""
    with snapshot(folder) as store:
        run = store.required_run()
        events = [one for one in store.events(run.id) if one.kind == "object"]
        told = rings(store, run, events, asked, 0)
        spans: list[tuple[tuple[float, float], Sightings]] = []
        unsure: list[int] = []
        gone: list[tuple[tuple[float, float], Sightings]] = []
        followed = {event.id: one for event, one in told.followed}
        for event in events:
            if event.id in told.lost:
                if told.lost[event.id]:
                    gone.append(((event.start_s, event.end_s), store.sightings(event.id)))
                continue
            if told.kept.get(event.id):
                unsure.append(len(spans))
            one = followed.get(event.id)
            span = (event.start_s, event.end_s) if one is None else (one.start_s, one.end_s)
            spans.append((span, store.sightings(event.id) if one is None else one.path))
        for one, said in told.new:
            if said:
                unsure.append(len(spans))
            spans.append(((one.start_s, one.end_s), one.path))
        return Predicted(spans, unsure, gone, list(told.lost), len(told.new))


def zones_of(clip: Clip) -> list[Zones]:
    """A half and a strip that are left out, and a slanted part that alone is watched."""
    rng = np.random.default_rng((clip.number, 7))
    x, y = (float(one) for one in rng.uniform(0.25, 0.75, 2))
    half = ((0.0, 0.0), (x, 0.0), (x, 1.0), (0.0, 1.0))
    strip = ((0.0, y - 0.1), (1.0, y - 0.1), (1.0, y + 0.1), (0.0, y + 0.1))
    slant = ((0.0, 0.0), (1.0, 0.0), (x, y))
    return [Zones(exclude=(half,)), Zones(exclude=(strip,)), Zones(include=(slant,))]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--split", default="report")
    parser.add_argument("--scenes", help="comma-separated; default: all of the split")
    parser.add_argument("--clips", type=int, default=2, help="of each scene")
    parser.add_argument("--parts", default="same,bars,zones")
    parser.add_argument("--cache", type=Path, help="folder of detectors and maps")
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    scenes = told.scenes.split(",") if told.scenes else material(told.split).scenes
    options = Options(
        told.split, 0, tuple(scenes), told.cache, 1, "padim", {}, True, 4, 0, 0, ()
    )  # fmt: skip
    tallies: dict[str, Tally] = {}
    for scene, number in itertools.product(scenes, range(told.clips)):
        clip = Clip(options, scene, number)
        clip.detector.open(f"would-{clip.day.key}-{clip.first_s:g}")
        for part in told.parts.split(","):
            PARTS[part](clip, tallies)
        clip.detector.close()
        for one in tallies.values():
            print(f"# {scene} {number}", one.row(), flush=True)
    rows = [one.row() for one in tallies.values()]
    for row in rows:
        print(row)
    for one in tallies.values():
        for example in one.examples:
            print("#", one.kind, example)
    if told.json:
        print(json.dumps(rows))


def _compare(clip: Clip, tally: Tally, asked: Asked, bar: float) -> None:
    with TemporaryDirectory() as other:
        truth = watch(clip, Path(other), bar=asked.bar or bar, zones=asked.zones)
        told = predicted(clip.store, asked)
        was = tally.missed, tally.extra
        judge(tally, told, truth)
        if (tally.missed, tally.extra) != was:
            tally.examples.append(
                f"{clip.scene} {clip.number} bar {asked.bar} zones {asked.zones is not None}:"
                f" missed {tally.missed - was[0]}, extra {tally.extra - was[1]}"
                f" unsure {told.unsure}"
            )


def bar_of(clip: Clip) -> float:
    """The bar that the store of a clip has."""
    return Keeper(DEFAULT, clip.detector.detector.peak).factor


def _same(clip: Clip, tallies: dict[str, Tally]) -> None:
    """Followed again as it was: what the store keeps is enough."""
    tally = tallies.setdefault("same", Tally("same"))
    told = predicted(clip.store, Asked(None, None, TrackRule(), changed_rule=True))
    judge(tally, told, clip.before)


def _bars(clip: Clip, tallies: dict[str, Tally]) -> None:
    for times in BARS:
        tally = tallies.setdefault(f"bar x {times}", Tally(f"bar x {times}"))
        bar = bar_of(clip)
        _compare(clip, tally, Asked(bar * times, None, TrackRule()), bar)


def _zone(clip: Clip, tallies: dict[str, Tally]) -> None:
    tally = tallies.setdefault("zones", Tally("zones"))
    for zones in zones_of(clip):
        _compare(clip, tally, Asked(None, zones, TrackRule()), bar_of(clip))


PARTS: dict[str, Callable[[Clip, dict[str, Tally]], None]] = {
    "same": _same,
    "bars": _bars,
    "zones": _zone,
}


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the module's text."""


if __name__ == "__main__":
    main()
