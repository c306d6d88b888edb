"""How often is what has gone, come or moved found, told as what it is, and named?

Scenes of a split are learned with things lying in them, which go one after the other; learned
without, the same things come to the same places; and learned with, they move elsewhere. Everything
goes through the product's own path from maps to named events.

    python -m benchmarks.changes [--split report] [--scenes yard,desk] [--rounds 1] [--json]
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import batched

import numpy as np

from app.events.event import Finding
from app.simulator.cutouts import cutouts
from app.simulator.places import Place
from app.simulator.simulation import Simulation
from app.simulator.splits import Split, split
from app.simulator.things import Thing, lying, relocated, removed, spot, tall
from app.simulator.views import scene
from app.watching.camera import Camera, tell
from detectors.build import build_detector
from detectors.configs import PadimConfig
from detectors.types import Box, Frame
from novic.device import resolve_device
from novic.model import ModelOptions, NounModel, load_model

LEARN_S, PAUSE_S, FPS = 60.0, 6.0, 5.0
WIDTHS = (0.06, 0.12, 0.2, 0.06, 0.12, 0.2)
"""Of the things in a view, shares of its width."""
KINDS = ("missing", "arrived", "moved")


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that went, came or moved."""

    scene: str
    noun: str
    width: float
    done: str
    """What it did."""
    found: bool
    """Whether an event has a box on its place."""
    iou: float
    told: str
    """As what that event is told; empty if there is none."""
    named: bool
    """Whether the noun is among the first three."""
    sure: bool


def things_in(place: Place, using: Split, rng: np.random.Generator) -> list[Thing]:
    """Things of all widths lying apart, and beside each a place where it could lie as well."""
    nouns = rng.permutation(using.nouns_for(place)).tolist()
    taken: list[Box] = []
    found: list[Thing] = []
    for number, width in enumerate(sorted(WIDTHS, reverse=True)):
        thing = lying(nouns[number % len(nouns)], width, (0.5, 0.5), 0.0)
        middle = spot(thing, place.size, rng, taken)
        if middle is not None:
            taken.append(box_of(thing, middle, place))
            found.append(lying(thing.noun, width, middle, 0.0))
    return found


def box_of(thing: Thing, middle: tuple[float, float], place: Place) -> Box:
    """Where a thing lies, in pixels."""
    height, width = place.size
    half_x, half_y = thing.width / 2 * width, tall(thing, place.size) / 2 * height
    x, y = middle[0] * width, middle[1] * height
    return Box(x - half_x, y - half_y, x + half_x, y + half_y)


def day(
    place: Place, things: Sequence[Thing], done: str, seed: int, rng: np.random.Generator
) -> Simulation:
    """The day on which each thing in turn does it."""
    acting: list[Thing] = []
    taken = [box_of(one, one.path[0][1:], place) for one in things]
    for number, thing in enumerate(things):
        at_s = LEARN_S + 2.0 + PAUSE_S * number
        elsewhere = spot(thing, place.size, rng, taken) if done == "moved" else None
        if done == "arrived":
            acting.append(lying(thing.noun, thing.width, thing.path[0][1:], at_s))
        elif elsewhere is not None:
            taken.append(box_of(thing, elsewhere, place))
            acting += relocated(thing, at_s, elsewhere)
        elif done == "missing":
            acting.append(removed(thing, at_s))
    lasts_s = LEARN_S + 4.0 + PAUSE_S * len(things)
    return Simulation(place, seed, lasts_s, tuple(acting))


def watched(simulation: Simulation, names: NounModel) -> list[Finding]:
    """The events of a day, learned from its first minute."""
    learned = round(LEARN_S * FPS)
    device = resolve_device("auto")
    detector = build_detector(PadimConfig(), device)
    detector.fit([shot.image for shot in simulation.shots(0, learned, 5)])
    camera = Camera(simulation.place.size, live=False, view=detector.view)
    found: list[Finding] = []
    for shots in batched(simulation.shots(learned), 8):
        frames = [
            Frame("cam", round(s.time_s * FPS), s.time_s, round(1e6 * s.time_s), s.image)
            for s in shots
        ]
        camera.follow(frames, detector.detect([frame.image for frame in frames]).maps)
        found += tell(names, [camera])[0]
    camera.finish()
    return found + tell(names, [camera])[0]


def cases(simulation: Simulation, found: Sequence[Finding], done: str) -> list[Case]:
    """What became of each thing that did something."""
    last = simulation.frames - 1
    listed = []
    for truth in simulation.shot(last).truth:
        if done == "moved" and truth.kind == "missing":
            continue
        near = [(one.event.box.iou(truth.box), one.event) for one in found]
        iou, event = max(near, key=lambda pair: pair[0], default=(0.0, None))
        hit = event is not None and event.box.overlap(truth.box) > 0
        accepted = cutouts()[truth.noun].accepts
        nouns = [noun for noun, _ in event.candidates[:3]] if event is not None and hit else []
        listed.append(
            Case(
                simulation.place.name,
                truth.noun,
                min(WIDTHS, key=lambda width: abs(width - truth.width_share)),
                done,
                hit,
                round(iou, 3),
                event.change if event is not None and hit else "",
                any(noun in accepted for noun in nouns),
                event is not None and hit and event.sure,
            )
        )
    return listed


def table(found: Sequence[Case]) -> dict[str, object]:
    """Shares by what was done and by width."""
    rows: dict[str, object] = {}
    for done in KINDS:
        for width in sorted(set(WIDTHS)):
            some = [one for one in found if one.done == done and one.width == width]
            if some:
                rows[f"{done} {width:.0%}"] = {
                    "things": len(some),
                    "found": share(one.found for one in some),
                    "told so": share(one.told == done for one in some),
                    "told": dict(Counter(one.told or "not at all" for one in some)),
                    "named": share(one.named for one in some),
                }
    return rows


def share(marks: object) -> float:
    """Of true ones."""
    return round(float(np.mean(list(marks))), 3)  # type: ignore[call-overload]


def main() -> None:
    """Run all, print a line a day and one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--split", default="report")
    parser.add_argument("--scenes", help="comma-separated; default: all of the split")
    parser.add_argument("--kinds", default=",".join(KINDS), help="comma-separated")
    parser.add_argument("--rounds", type=int, default=1, help="days of each kind at each scene")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    options = parser.parse_args()
    using = split(options.split)
    scenes = options.scenes.split(",") if options.scenes else using.scenes
    names = load_model(None, resolve_device("auto"), ModelOptions(), many_images=True)
    listed: list[Case] = []
    false_events = 0
    for number, (name, turn) in enumerate((n, t) for n in scenes for t in range(options.rounds)):
        place = scene(name)
        rng = np.random.default_rng(using.seed(31 + number))
        things = things_in(place, using, rng)
        for done in options.kinds.split(","):
            simulation = day(place, things, done, using.seed(number), rng)
            found = watched(simulation, names)
            some = cases(simulation, found, done)
            truth = simulation.shot(simulation.frames - 1).truth
            false_events += sum(
                all(one.event.box.overlap(true.box) == 0 for true in truth) for one in found
            )
            listed += some
            if not options.json:
                for one in some:
                    print(replace(one), turn, flush=True)
    print(json.dumps({"split": using.name, "false_events": false_events, **table(listed)}))


if __name__ == "__main__":
    main()
