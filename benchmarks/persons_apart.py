"""Where several people are seen in one box, has each a box of his own, and nobody else two?

The things of `benchmarks.persons`. The yard's blobs that hold several people are those of PEOPLE,
whose boxes were drawn by hand on enlarged pictures; all others were looked at, and hold one. Each
picture is judged for itself: that two pictures of an event must agree is not asked here.

Which of the network's boxes count was decided on one half (`--own`); the other is told, parted as
in `benchmarks.persons`.

    python -m benchmarks.persons_apart [--own] [--json]
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.audit import VTEST
from benchmarks.naming import STAMPS
from benchmarks.persons import SMALL, Thing, others, walkers
from detectors.types import Box
from novic.device import resolve_device
from novic.model import load_model
from novic.persons import PersonEvidence

IOU = 0.5
PEOPLE: dict[int, tuple[tuple[int, int, int, int], ...]] = {
    25: (
        (374, 188, 399, 271),
        (392, 176, 412, 253),
        (412, 208, 442, 306),
    ),
    30: (
        (631, 252, 666, 353),
        (664, 248, 697, 344),
    ),
    55: (
        (376, 180, 401, 259),
        (405, 181, 430, 263),
        (398, 174, 425, 238),
    ),
    60: (
        (468, 203, 501, 293),
        (505, 200, 531, 284),
    ),
    85: (
        (375, 179, 402, 259),
        (410, 182, 431, 263),
        (451, 166, 479, 243),
        (484, 168, 510, 242),
    ),
    100: (
        (494, 148, 518, 220),
        (516, 151, 540, 221),
    ),
    115: (
        (542, 135, 569, 202),
        (569, 138, 588, 205),
    ),
    130: (
        (593, 119, 613, 183),
        (617, 125, 639, 187),
    ),
    145: (
        (628, 110, 648, 171),
        (646, 113, 666, 172),
    ),
    170: (
        (671, 101, 691, 158),
        (695, 102, 714, 156),
    ),
    190: (
        (684, 98, 699, 154),
        (708, 100, 722, 155),
    ),
    205: (
        (672, 100, 694, 156),
        (696, 102, 713, 158),
    ),
    220: (
        (658, 106, 680, 166),
        (682, 110, 699, 168),
    ),
    235: (
        (642, 114, 666, 177),
        (669, 119, 688, 178),
    ),
    250: (
        (634, 121, 657, 186),
        (658, 125, 678, 187),
    ),
    265: (
        (610, 130, 636, 195),
        (636, 133, 656, 199),
    ),
    280: (
        (599, 140, 625, 209),
        (631, 142, 652, 210),
    ),
    295: (
        (585, 153, 612, 228),
        (617, 156, 638, 228),
    ),
    310: (
        (588, 171, 617, 251),
        (620, 171, 642, 249),
    ),
    325: (
        (606, 190, 631, 274),
        (637, 191, 661, 275),
    ),
    340: (
        (640, 211, 668, 301),
        (671, 210, 698, 299),
    ),
    345: (
        (444, 182, 482, 271),
        (449, 165, 470, 243),
    ),
    355: (
        (687, 230, 715, 327),
        (718, 230, 742, 326),
    ),
    360: (
        (436, 241, 464, 337),
        (443, 181, 473, 252),
    ),
    520: (
        (627, 271, 655, 367),
        (664, 210, 692, 300),
    ),
    530: (
        (349, 400, 394, 552),
        (371, 388, 411, 525),
    ),
    565: (
        (189, 349, 232, 537),
        (181, 404, 263, 556),
    ),
    680: (
        (488, 169, 512, 241),
        (517, 156, 537, 230),
    ),
    725: (
        (486, 205, 522, 300),
        (533, 194, 562, 281),
        (529, 191, 549, 269),
    ),
    740: (
        (557, 184, 584, 258),
        (569, 219, 614, 319),
    ),
}
"""By the number of the frame (x1, y1, x2, y2) of each of several people in one blob, in pixels;
whoever is partly hidden is drawn whole."""


def truth(thing: Thing) -> list[Box]:
    """The people in a thing's box, if there are several."""
    scale = SMALL if thing.kind == "people small" else 1.0
    drawn = [Box(*sides).scaled(scale, scale) for sides in PEOPLE.get(thing.frame, ())]
    inside = [box for box in drawn if box.overlap(thing.box) > 0.5 * box.area]
    return inside if len(inside) > 1 else []


def found(thing: Thing, evidence: PersonEvidence) -> list[Box]:
    """The boxes that a thing is parted in, if it is."""
    sides = (thing.box.x1, thing.box.y1, thing.box.x2, thing.box.y2)
    seen = thing.surrounded
    places = evidence.look(seen).places
    parts = [Box(*seen.in_picture(place.edges, sides)) for place in places]
    return parts if len(parts) > 1 else []


def right(parts: Sequence[Box], people: Sequence[Box]) -> int:
    """How many parts show one person each, the best pairs first."""
    pairs = [
        (part.iou(person), i, j) for i, part in enumerate(parts) for j, person in enumerate(people)
    ]
    taken: dict[int, int] = {}
    for iou, i, j in sorted(pairs, reverse=True):
        if iou >= IOU and i not in taken and j not in taken.values():
            taken[i] = j
    return len(taken)


def measured(things: Sequence[Thing], evidence: PersonEvidence) -> Iterator[dict[str, int | str]]:
    """Of each kind: boxes of several, and how they are parted; of one thing, and how many are."""
    for kind in ("people", "people small", "stamps", "pieces"):
        own = [(truth(thing), found(thing, evidence)) for thing in things if thing.kind == kind]
        several = [(people, parts) for people, parts in own if people]
        single = [parts for people, parts in own if not people]
        yield {
            "kind": kind,
            "of several": len(several),
            "people": sum(len(people) for people, _ in several),
            "parted": sum(bool(parts) for _, parts in several),
            "parts": sum(len(parts) for _, parts in several),
            "right parts": sum(right(parts, people) for people, parts in several),
            "all right": sum(
                right(parts, people) == len(parts) == len(people) for people, parts in several
            ),
            "of one": len(single),
            "wrongly parted": sum(bool(parts) for parts in single),
        }


def main() -> None:
    """Measure and print; the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--own", action="store_true", help="the half that was looked at instead")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    options = parser.parse_args()
    for path, package in ((VTEST, "opencv-doc"), (STAMPS, "tuxpaint-stamps-default")):
        if not Path(path).exists():
            sys.exit(f"{path} is missing: apt-get install {package}")
    nouns = frozenset(load_model(None, resolve_device("cpu")).bundle.tokens.nouns)
    things = [one for one in [*walkers(), *others(nouns)] if one.held_out != options.own]
    rows = list(measured(things, PersonEvidence()))
    if not options.json:
        for row in rows:
            print("  ".join(f"{name} {value}" for name, value in row.items()))
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
