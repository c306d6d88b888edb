"""One click: do repeats of a thing go silent, and what else is lost in its place and hours?

Things of a split lie in its scenes, one at a time, each at a place of its own. From the first
appearance of each a rule is made as `nomaly feedback quiet` makes it: what looks like it, where it
was and about its size around, 8 to 12 o'clock. Then the same thing comes again about there (off by
up to half its width, other size, other light, other box), every other thing of the scene lies at
the same spot at the same hours, and the thing lies elsewhere. The likeness is chosen, and a leak
told, with the simulator's own things pasted into the view, as for a user. Without a detector: boxes
are the true ones, off by up to an eighth of their sides.

    python -m benchmarks.quiet [--split report] [--scenes a,b] [--things 8] [--least -0.5] [--json]
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from app.events.event import Event, Picture
from app.events.media import CONTEXT_MARGIN
from app.feedback.quiet import Looks, Quiet
from app.feedback.saying import LIKENESS
from app.feedback.seen import Seen
from app.feedback.when import When
from app.feedback.where import Where
from app.simulator.places import Place
from app.simulator.simulation import Simulation
from app.simulator.things import Thing, spot
from app.watching.leak import lined
from app.watching.namer import name_pictures, vote
from app.watching.pasting import EVENT, Pasted, others_in
from benchmarks.alike import LASTS_S, WIDTHS, jittered, share, view_of
from benchmarks.scenes import Material, material
from detectors import changes
from detectors.learned import LearnedView
from detectors.signatures import Signatures
from novic.device import resolve_device
from novic.model import ModelOptions, NounModel, load_model

REPEATS = 4
EMBEDDER = "starter"
AT = datetime(2026, 11, 2, 9, 30).astimezone()
HOURS = When.parse("8-12")


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One appearance: whose place it is in, what it is, its picture and event."""

    of: int
    thing: int
    event: Event
    picture: Picture
    signature: np.ndarray | None


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A scene in which things are laid."""

    using: Material
    place: Place
    view: LearnedView
    rng: np.random.Generator

    @classmethod
    def of(cls, using: Material, scene: str, rng: np.random.Generator) -> "Stage":
        """The scene, its view learned while it is empty."""
        place = using.place(scene)
        empty = Simulation(place, using.split.seed(int(rng.integers(1 << 16))), LASTS_S, ())
        return cls(using, place, view_of(empty), rng)

    def shown(self, thing: Thing, at: tuple[float, float], of: int, number: int) -> Shown | None:
        """A thing about a spot, x, y as shares; None if it reaches out of the view."""
        wide = thing.width * float(self.rng.uniform(0.85, 1.18))
        off = self.rng.uniform(-0.5, 0.5, 2) * thing.width
        x, y = (float(side) for side in np.clip(np.array(at) + off, wide / 2, 1 - wide / 2))
        lying = replace(thing, width=wide, path=((0.0, x, y), (LASTS_S + 1, x, y)))
        seed = self.using.split.seed(int(self.rng.integers(1 << 16)))
        day = Simulation(self.place, seed, LASTS_S, (lying,))
        shot = day.shot(int(self.rng.integers(day.frames)))
        if not shot.truth:
            return None
        size = self.place.size
        box = jittered(shot.truth[0].box, size, self.rng)
        came = changes.Place.in_view(self.view, shot.image, box)
        looks = Signatures.of(came) if came is not None else None
        crops = tuple(one.cut(shot.image).copy() for one in (box, box.grown(CONTEXT_MARGIN, size)))
        nothing = np.zeros((1, 1), np.float32)
        picture = Picture(0.0, box, size, crops, crops[0], nothing, 1.0)
        event = replace(EVENT, box=box, frame_size=size, start_us=round(AT.timestamp() * 1e6))
        signature = looks.now if looks is not None else None
        return Shown(of, number, event, picture, signature)


def laid(stage: Stage, things: int) -> tuple[list[Shown], list[float]]:
    """All appearances, and the widths of the things."""
    drawn = []
    for number in range(things):
        thing = stage.using.thing(stage.place, WIDTHS[number % len(WIDTHS)], stage.rng)
        at = spot(thing, stage.place.size, stage.rng)
        if at is not None and thing.noun not in {one.noun for one, _ in drawn}:
            drawn.append((thing, at))
    found: list[Shown | None] = []
    for of, (own, at) in enumerate(drawn):
        found += [stage.shown(own, at, of, of) for _ in range(1 + REPEATS)]
        for number, (other, _) in enumerate(drawn):
            if number != of:
                as_wide = replace(other, width=own.width)
                found.append(stage.shown(as_wide, at, of, number))
    return [one for one in found if one is not None], [own.width for own, _ in drawn]


def seen_of(shown: Sequence[Shown], names: NounModel) -> list[Seen]:
    """What a camera would know of each."""
    named = name_pictures(names, [one.picture for one in shown])
    found = []
    for one in shown:
        elected = vote({one.picture: named[one.picture]})
        event = replace(one.event, candidates=elected.candidates, thing=elected.thing)
        found.append(Seen(event, EMBEDDER, elected.vector, one.signature))
    return found


def rule_of(seen: Seen, others: Sequence[Pasted], least: float) -> tuple[Quiet, float | None]:
    """The rule of an appearance, and the leak that is told of it."""
    event, vector, signature = seen.event, seen.vector, seen.signature
    if vector is None or signature is None:
        raise ValueError("what was not named or seen can't be known again")
    looks = Looks(EMBEDDER, vector, signature, event.candidates, event.change, least)
    likeness, leak = lined([(one.noun, one.likeness(looks, least)) for one in others], least)
    rule = Quiet(
        1, "said", "", event.noun, False, event.change, Where.around(event.box, event.frame_size),
        HOURS, replace(looks, likeness=likeness), 0, None,
    )  # fmt: skip
    return rule, len(leak.silenced) / leak.others if leak.others else None


def scored(stage: Stage, things: int, names: NounModel, least: float) -> dict[str, object]:
    """Shares of repeats and of others that one click on each thing quiets."""
    shown, widths = laid(stage, things)
    seen = seen_of(shown, names)
    others = {width: others_in(stage.view, width, names) for width in sorted(set(widths))}
    again: list[bool] = []
    lost: list[bool] = []
    away: list[bool] = []
    told: list[float] = []
    for of, width in enumerate(widths):
        mine = [number for number, one in enumerate(shown) if one.of == of]
        own = [number for number in mine if shown[number].thing == of]
        if not own or seen[own[0]].signature is None:
            continue
        rule, leak = rule_of(seen[own[0]], others[width], least)
        told += [] if leak is None else [leak]
        again += [rule.quiets(seen[number]) for number in own[1:]]
        lost += [rule.quiets(seen[number]) for number in mine if number not in own]
        away += [
            rule.quiets(seen[number])
            for number, one in enumerate(shown)
            if one.of != of and one.thing == of
        ]
    return {
        "rules": len(told),
        "repeats": len(again),
        "repeats quiet": share(again),
        "others planted": len(lost),
        "others lost": share(lost),
        "same thing elsewhere": len(away),
        "quiet elsewhere": share(away),
        "leak told": round(float(np.mean(told)), 4) if told else None,
    }


def main() -> None:
    """Run all scenes, print a line each and one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--split", default="report")
    parser.add_argument("--scenes", help="comma-separated; default: all of the split")
    parser.add_argument("--things", type=int, default=8, help="at each scene")
    parser.add_argument("--least", type=float, default=LIKENESS, help="least likeness")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    options = parser.parse_args()
    using = material(options.split)
    names = load_model(None, resolve_device("auto"), ModelOptions(), many_images=True)
    scenes: dict[str, dict[str, object]] = {}
    for number, scene in enumerate(options.scenes.split(",") if options.scenes else using.scenes):
        rng = np.random.default_rng(using.split.seed(177 + number))
        scenes[scene] = scored(Stage.of(using, scene, rng), options.things, names, options.least)
        if not options.json:
            print(scene, scenes[scene], flush=True)
    print(json.dumps(scenes))


if __name__ == "__main__":
    main()
