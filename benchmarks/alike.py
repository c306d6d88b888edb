"""Is what went told from what came, and is a thing known again elsewhere and in other light?

Things of a split lie in its scenes, each at several places and in other light. The learned picture
is of the empty scene; boxes are the true ones, off by up to an eighth of their sides and rounded to
cells. Without a detector: how often one finds them is `benchmarks.detector`'s.

    python -m benchmarks.alike [--split report] [--things 12] [--again] [--json]
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.events.event import Picture
from app.events.media import CONTEXT_MARGIN
from app.feedback import heeding as feedback
from app.feedback.saying import LIKENESS
from app.feedback.verdicts import Verdict
from app.simulator.simulation import Simulation
from app.simulator.things import Thing, spot
from app.watching.leak import measured
from app.watching.namer import Elected, name_pictures, vote
from app.watching.pasting import EVENT, others_in
from benchmarks.scenes import Material, material
from detectors import changes
from detectors.learned import LearnedView
from detectors.signatures import Signatures
from detectors.types import Box, Pixels
from novic.device import resolve_device
from novic.model import ModelOptions, NounModel, load_model

WIDTHS = (0.06, 0.12, 0.2)
APPEARANCES = 4
LASTS_S = 12.0
CELL = 8
EMBEDDER = "starter"


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One appearance of a thing."""

    noun: str
    width: float
    told: str
    """What happened by its pictures; empty if they do not differ."""
    gone: str
    """The same, had it been learned and gone; empty if that was not looked at."""
    place: changes.Place | None
    signatures: Signatures | None
    picture: Picture


def view_of(day: Simulation) -> LearnedView:
    """The view of a day, from frames all over it."""
    return LearnedView.of([shot.image for shot in day.shots(0, None, 6)])


def jittered(true: Box, size: tuple[int, int], rng: np.random.Generator) -> Box:
    """A box as a detector would draw it."""
    height, width = size
    off = rng.uniform(-0.12, 0.12, 4) * np.array([true.width, true.height] * 2)
    sides = np.array([true.x1, true.y1, true.x2, true.y2]) + off
    x1, y1, x2, y2 = (np.round(sides / CELL) * CELL).clip(0, [width, height] * 2).tolist()
    return Box(x1, y1, max(x2, x1 + CELL), max(y2, y1 + CELL))


def appearances(
    using: Material, scene: str, things: int, rng: np.random.Generator, *, went: bool
) -> tuple[LearnedView, list[Seen]]:
    """The view of a scene, and things of all widths there, each APPEARANCES times.

    What happens where one has gone is looked at only with `went`.
    """
    place = using.place(scene)

    def day(*lying: Thing) -> Simulation:
        return Simulation(place, using.split.seed(int(rng.integers(1 << 16))), LASTS_S, lying)

    empty, seen = view_of(day()), []
    for number in range(things):
        width = WIDTHS[number % len(WIDTHS)]
        thing = using.thing(place, width, rng)
        for _ in range(APPEARANCES):
            as_wide = replace(thing, width=width * float(rng.uniform(0.85, 1.18)))
            at = spot(as_wide, place.size, rng)
            if at is None:
                continue
            there = replace(as_wide, path=((0.0, *at), (LASTS_S + 1, *at)))
            full = day(there)
            shot = full.shot(int(rng.integers(full.frames)))
            box = jittered(shot.truth[0].box, place.size, rng)
            left, moment = day(), int(rng.integers(full.frames))
            gone = _gone(full, left.shot(moment).image, box) if went else ""
            seen.append(_seen(thing.noun, width, empty, shot.image, box, gone))
    return empty, seen


def _gone(full: Simulation, now: Pixels, box: Box) -> str:
    return happened(changes.Place.in_view(view_of(full), now, box))


def _seen(noun: str, width: float, empty: LearnedView, now: Pixels, box: Box, gone: str) -> Seen:
    came = changes.Place.in_view(empty, now, box)
    size = (now.shape[0], now.shape[1])
    crops = tuple(one.cut(now).copy() for one in (box, box.grown(CONTEXT_MARGIN, size)))
    picture = Picture(0.0, box, size, crops, crops[0], np.zeros((1, 1), np.float32), 1.0)
    looks = Signatures.of(came) if came is not None else None
    return Seen(noun, width, happened(came), gone, came, looks, picture)


def happened(place: changes.Place | None) -> str:
    """What has happened at a place, by one look."""
    found = changes.compare(place) if place is not None else None
    return changes.judged(found.before, found.now) if found is not None else ""


def known_again(seen: Sequence[Seen], names: NounModel, view: LearnedView) -> dict[str, object]:
    """Shares of re-appearances and of other things that a verdict on each appearance silences.

    Its likeness is chosen as that of a user's verdict is, on things pasted into the view.
    """
    seen = [one for one in seen if one.signatures is not None]
    named = name_pictures(names, [one.picture for one in seen])
    shown = [_shown(one, vote({one.picture: named[one.picture]})) for one in seen]
    others = {width: others_in(view, width, names) for width in WIDTHS}
    again: dict[float, list[bool]] = {width: [] for width in WIDTHS}
    leaked: list[bool] = []
    told: list[float] = []
    for number, (one, event) in enumerate(zip(seen, shown, strict=True)):
        verdict = measured(_verdict(event), others[one.width])
        if verdict.leak is not None:
            told.append(len(verdict.leak.silenced) / verdict.leak.others)
        for also, (other, beside) in enumerate(zip(seen, shown, strict=True)):
            if also != number:
                goes = beside.likeness(verdict, verdict.likeness) >= verdict.likeness
                (again[one.width] if other.noun == one.noun else leaked).append(goes)
    return {
        "things": len({one.noun for one in seen}),
        "silenced": share([one for marks in again.values() for one in marks]),
        **{f"silenced {width:.0%}": share(marks) for width, marks in again.items()},
        "leak": share(leaked),
        "leak told": round(float(np.mean(told)), 3),
    }


def _shown(one: Seen, elected: Elected) -> feedback.Seen:
    """An appearance as an event."""
    event = replace(EVENT, candidates=elected.candidates)
    signature = one.signatures.now if one.signatures is not None else None
    return feedback.Seen(event, EMBEDDER, elected.vector, signature)


def _verdict(seen: feedback.Seen) -> Verdict:
    """That it is normal, as it is kept."""
    if seen.vector is None or seen.signature is None:
        raise ValueError("what was not named or seen can't be said to be normal")
    vector, signature = (one.astype(np.float16).astype(np.float32)
                         for one in (seen.vector, seen.signature))  # fmt: skip
    return Verdict(
        0, "normal", "said", "", seen.event.change, seen.event.noun, seen.event.candidates, "",
        0, None, EMBEDDER, vector, signature, LIKENESS,
    )  # fmt: skip


def share(marks: Sequence[bool]) -> float | None:
    """Of true ones; None of none."""
    return round(float(np.mean(marks)), 3) if marks else None


def main() -> None:
    """Run all scenes, print a line each and one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--split", default="report")
    parser.add_argument("--scenes", help="comma-separated; default: all of the split")
    parser.add_argument("--things", type=int, default=12, help="at each scene")
    parser.add_argument("--again", action="store_true", help="leave out what has gone")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    options = parser.parse_args()
    using = material(options.split)
    names = load_model(None, resolve_device("auto"), ModelOptions(), many_images=True)
    scenes: dict[str, dict[str, object]] = {}
    for number, scene in enumerate(options.scenes.split(",") if options.scenes else using.scenes):
        rng = np.random.default_rng(using.split.seed(77 + number))
        view, seen = appearances(using, scene, options.things, rng, went=not options.again)
        told = {
            "came": dict(Counter(one.told for one in seen)),
            "went": dict(Counter(one.gone for one in seen if one.gone)),
        }
        scenes[scene] = told | known_again(seen, names, view)
        if not options.json:
            print(scene, scenes[scene], flush=True)
    print(json.dumps(scenes))


if __name__ == "__main__":
    main()
