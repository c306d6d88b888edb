"""Are people named people, and nothing else?

Things are cut out as events are (tight, with a 12% margin, and the square around them), and named
by the starter with and without the evidence of a person (`novic.persons`):

* people of `vtest.avi` (Debian opencv-doc): blobs that differ from its empty yard, of a person's
  shape and one at a time, as they are and in a picture of .4 of the size;
* cut-outs of Debian's `tuxpaint-stamps-default`, 60 to 200 pixels long, on photographs;
* pieces of those photographs;
* the lower 55% of the same people, of their full size, and the upper, as boxes that hold no more;
* the cut-outs before the legs of somebody, a quarter to a half as high.

`--fit` fits the coefficients on one half, the other is what is told: of the people by who walks, of
the rest by noun. A few of the yard's walkers may be in both halves, under two numbers.

    python -m benchmarks.persons [--fit] [--near] [--json]
"""

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression

from app.sources.open import open_recording
from app.watching.best import CROP_SIDE, at_most
from benchmarks.audit import VTEST
from benchmarks.naming import STAMPS, backgrounds, find_stamps
from benchmarks.vtest import find_blobs, half_size, undisturbed
from detectors.types import Box, Pixels
from novic.device import resolve_device
from novic.model import NounModel, load_model
from novic.persons import MOST_POSE, PersonEvidence, logit
from novic.surrounded import Surrounded
from novic.vocabulary import PERSON

EVERY, RATE = 5, 10.0
"""Every fifth frame of the yard, which has ten a second."""
SHAPE = (1.2, 4.5)
"""Height of a person over the width, ..."""
LEAST = 30
"""... and least height in pixels."""
SMALL = 0.4
SIDES = (60, 100, 200)
PIECES = 200
PRIOR = 0.25
"""Share of people that the coefficients are fitted for."""
PHOTOGRAPHS = ("home.jpg", "building.jpg", "graf1.png", "leuvenA.jpg", "board.jpg", "aero1.jpg")
FURTHER = ("rubberwhale1.png", "fruits.jpg", "stuff.jpg")
MARGIN = 0.12
PART = 0.55
"""Of a person's height, of the boxes that hold a part."""
WHOLE = ("people", "people small")
PARTS = ("people lower", "people upper", "stamps at legs")
KINDS = (*WHOLE, *PARTS, "stamps", "pieces")
HIGH = (0.25, 0.5)
"""Of what stands before somebody's legs, of the height."""


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """One thing in its picture."""

    kind: str
    """One of KINDS."""
    noun: str
    """Of a stamp; who it is, of the others."""
    image: Pixels
    box: Box
    frame: int = -1
    """Its number, of the yard."""
    near: bool = False
    """Whether nothing is known of what lies farther around."""

    @property
    def held_out(self) -> bool:
        """Whether nothing is fitted on it."""
        group = self.kind.split()[0]
        return hashlib.sha256(f"{group} {self.noun}".encode()).digest()[0] % 2 == 1

    @property
    def surrounded(self) -> Surrounded:
        """It in its square."""
        box = self.box
        seen = Surrounded.of(self.image, (box.x1, box.y1, box.x2, box.y2))
        wide = None if self.near else seen.wide
        return replace(seen, square=at_most(seen.square, CROP_SIDE), wide=wide)

    @property
    def crops(self) -> list[Pixels]:
        """What is named."""
        size = self.image.shape[:2]
        return [box.cut(self.image) for box in (self.box, self.box.grown(MARGIN, size))]


def walkers() -> Iterator[Thing]:
    """People of the yard."""
    frames = [frame.image for frame in open_recording(str(VTEST)).frames()]
    empty = np.median([half_size(frame) for frame in frames[::10]], axis=0)
    blobs = [find_blobs(half_size(frame), empty) for frame in frames[::EVERY]]
    for who, walk in enumerate(undisturbed(blobs, RATE / EVERY)):
        for number, box in walk[::3]:
            if box.height < LEAST or not SHAPE[0] <= box.height / box.width <= SHAPE[1]:
                continue
            frame = frames[number * EVERY]
            yield Thing("people", f"{who}", frame, box, number * EVERY)
            part = PART * box.height
            lower = Box(box.x1, box.y2 - part, box.x2, box.y2)
            upper = Box(box.x1, box.y1, box.x2, box.y1 + part)
            yield Thing("people lower", f"{who}", frame, lower, number * EVERY)
            yield Thing("people upper", f"{who}", frame, upper, number * EVERY)
            small = cv2.resize(frame, None, fx=SMALL, fy=SMALL, interpolation=cv2.INTER_AREA)
            small_box = box.scaled(SMALL, SMALL)
            yield Thing("people small", f"{who}", small.astype(np.uint8), small_box, number * EVERY)


def others(nouns: frozenset[str]) -> Iterator[Thing]:
    """Cut-outs on photographs, and pieces of these."""
    rng = np.random.default_rng(0)
    photographs = _photographs()
    for number, stamp in enumerate(find_stamps(nouns)):
        back = Image.fromarray(photographs[number % len(photographs)])
        cut = Image.open(stamp.path).convert("RGBA")
        cut = cut.crop(cut.getchannel("A").getbbox())
        scale = float(rng.choice(SIDES)) / max(cut.size)
        size = (max(8, round(cut.width * scale)), max(8, round(cut.height * scale)))
        cut = cut.resize(size, Image.Resampling.BICUBIC)
        x, y = (int(rng.integers(0, max(1, a - b))) for a, b in zip(back.size, size, strict=True))
        back.paste(cut, (x, y), cut)
        yield Thing("stamps", stamp.noun, np.asarray(back), Box(x, y, x + size[0], y + size[1]))
    for number in range(PIECES):
        image = photographs[number % len(photographs)]
        height, width = int(rng.integers(30, 200)), int(rng.integers(20, 150))
        x = int(rng.integers(0, image.shape[1] - width))
        y = int(rng.integers(0, image.shape[0] - height))
        yield Thing("pieces", f"{number}", image, Box(x, y, x + width, y + height))


def before_legs(nouns: frozenset[str], people: Sequence[Thing]) -> Iterator[Thing]:
    """Cut-outs before the legs of people, of the same half."""
    rng = np.random.default_rng(1)
    sides = [[one for one in people if one.held_out is half] for half in (False, True)]
    for stamp in find_stamps(nouns):
        held_out = Thing("stamps", stamp.noun, people[0].image, people[0].box).held_out
        who = sides[held_out][int(rng.integers(len(sides[held_out])))]
        cut = Image.open(stamp.path).convert("RGBA")
        cut = cut.crop(cut.getchannel("A").getbbox())
        scale = float(rng.uniform(*HIGH)) * who.box.height / max(cut.size)
        wide, high = (max(8, round(side * scale)) for side in cut.size)
        middle = float(rng.uniform(who.box.x1, who.box.x2))
        back = Image.fromarray(who.image)
        x = int(np.clip(middle - wide / 2, 0, back.width - wide))
        y = int(np.clip(who.box.y2 - high, 0, back.height - high))
        cut = cut.resize((wide, high), Image.Resampling.BICUBIC)
        back.paste(cut, (x, y), cut)
        place = Box(x, y, x + wide, y + high)
        yield Thing("stamps at legs", stamp.noun, np.asarray(back), place)


def _photographs() -> list[Pixels]:
    paths = [VTEST.parent / name for name in (*PHOTOGRAPHS, *FURTHER)]
    images = [np.asarray(Image.open(path).convert("RGB")) for path in paths] + backgrounds()
    return [
        image
        if min(image.shape[:2]) >= 300
        else np.asarray(Image.fromarray(image).resize((640, 480)))
        for image in images
    ]


def fitted(things: Sequence[Thing], evidence: PersonEvidence) -> dict[str, list[float]]:
    """Coefficients of both networks, of the first alone, and the offsets."""
    plain = (*WHOLE, "stamps", "pieces")
    own = [thing for thing in things if not thing.held_out and thing.kind in plain]
    seen = [thing.surrounded for thing in own]
    found = [max((s for s, _ in evidence.pedestrians(one)), default=0.0) for one in seen]
    flags = np.clip([logit(evidence.somebody(one)) for one in seen], -MOST_POSE, MOST_POSE)
    scores = np.array([logit(one) for one in found])
    person = np.array([thing.kind.startswith("people") for thing in own])
    weights = np.where(person, PRIOR / person.sum(), (1 - PRIOR) / (~person).sum()) * len(own)
    told = {}
    for name, columns in (("alone", [scores]), ("both", [scores, flags])):
        model = LogisticRegression().fit(np.stack(columns, axis=1), person, sample_weight=weights)
        told[name] = [round(float(one), 2) for one in (*model.coef_[0], model.intercept_[0])]
    return told


def measured(
    things: Sequence[Thing], evidence: PersonEvidence, kinds: Sequence[str] = KINDS
) -> list[dict[str, float | str]]:
    """How the held-out things of kinds are named, without and with the evidence."""
    device = resolve_device("cpu")
    without = load_model(None, device, many_images=True)
    plain = NounModel(without.embedder, without.decoder)
    mixed = NounModel(without.embedder, without.decoder, persons=evidence)
    rows: list[dict[str, float | str]] = []
    for kind in kinds:
        own = [thing for thing in things if thing.kind == kind and thing.held_out]
        before, plain_s = _named(plain, own)
        after, mixed_s = _named(mixed, own)
        share = {
            "person before": np.mean([name == PERSON for name in before]),
            "person": np.mean([name == PERSON for name in after]),
            "exact before": np.mean([n == t.noun for n, t in zip(before, own, strict=True)]),
            "exact": np.mean([n == t.noun for n, t in zip(after, own, strict=True)]),
            "cost": mixed_s / plain_s,
        }
        figures = {name: round(float(value), 3) for name, value in share.items()}
        rows.append({"kind": kind, "n": len(own), **figures})
    return rows


def _named(model: NounModel, things: Sequence[Thing]) -> tuple[list[str], float]:
    """The best noun of each, by the mean over its crops, and processor seconds."""
    crops = [thing.crops for thing in things]
    squares = [thing.surrounded for thing in things]
    around = [one for one, own in zip(squares, crops, strict=True) for _ in own]
    begun_s = time.process_time()
    named = iter(model.name([crop for own in crops for crop in own], 10, around))
    took_s = time.process_time() - begun_s
    best = []
    for own in crops:
        mass: Counter[str] = Counter()
        for _ in own:
            mass.update({one.noun: one.p for one in next(named).nouns})
        best.append(mass.most_common(1)[0][0] if mass else "")
    return best, took_s


def main() -> None:
    """Measure and print; the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--fit", action="store_true", help="fit the coefficients, too")
    parser.add_argument(
        "--near", action="store_true", help="only parts, by what lies near around them alone"
    )
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    options = parser.parse_args()
    for path, package in ((VTEST, "opencv-doc"), (STAMPS, "tuxpaint-stamps-default")):
        if not Path(path).exists():
            sys.exit(f"{path} is missing: apt-get install {package}")
    evidence = PersonEvidence()
    nouns = frozenset(load_model(None, resolve_device("cpu")).bundle.tokens.nouns)
    people = [*walkers()]
    whole = [one for one in people if one.kind == "people"]
    things = [*people, *others(nouns), *before_legs(nouns, whole)]
    if options.near:
        things = [replace(thing, near=True) for thing in things if thing.kind in PARTS]
    rows = measured(things, evidence, PARTS if options.near else KINDS)
    if not options.json:
        for row in rows:
            print("  ".join(f"{name} {value}" for name, value in row.items()))
    coefficients = {"fitted": fitted(things, evidence)} if options.fit else {}
    print(json.dumps({"rows": rows, **coefficients}))


if __name__ == "__main__":
    main()
