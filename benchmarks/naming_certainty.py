"""From which p on is a name right more often than not?

A name that is shown as sure must be right in at least half of the cases *at* the line, not only on
average above it: the share of right names is fitted to p as a rising step function (isotonic
regression, Ayer et al. 1955), and the line is where it first reaches the share that is wanted.

The line is chosen on the stamps of `benchmarks.naming` of one half of the nouns, cut out of real
photographs as an event's crops are (tight and with a 12% margin, averaged), at full size and 60
pixels long, as seen from afar. It is judged on the stamps of the other half, on the photographs of
`benchmarks.naming_held_out` named whole, as `nomaly name` does, and on the events of an audit of
`vtest.avi` with an empty yard as normal: people walking by, which the starter has no name for.

Right is the label, another word for it, or a kind of it ("bird" for a crow).

    python -m benchmarks.naming_certainty [--json] [--bundle FOLDER] [--events AUDIT]
"""

import argparse
import hashlib
import itertools
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.isotonic import IsotonicRegression

from app.events.store import Store
from benchmarks.naming import STAMPS, Namers, Stamp, backgrounds, composite, find_stamps, shrink
from benchmarks.naming_held_out import DATA, find_photographs
from novic.embedder import Pixels
from novic.model import starter_bundle_path

MARGINS = (0.0, 0.12)
"""Of an event's two crops."""
AFAR = 60
"""Pixels of the longer side of what is seen from afar."""
BINS = (0.0, 0.15, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class Said:
    """The best name of one thing."""

    noun: str
    p: float
    exact: bool
    right: bool
    """The label, another word for it, or a kind of it."""


def of_dev(noun: str) -> bool:
    """Whether a noun's pictures are those that the line is chosen on."""
    return hashlib.sha256(noun.encode()).digest()[0] % 2 == 0


def said_of(namers: Namers, things: Sequence[Sequence[Pixels]], nouns: Sequence[str]) -> list[Said]:
    """Name things, each by the mean over its crops."""
    named = iter(namers.model.name([crop for crops in things for crop in crops], 10))
    found = []
    for crops, noun in zip(things, nouns, strict=True):
        mass: defaultdict[str, float] = defaultdict(float)
        for _ in crops:
            for one in next(named).nouns:
                mass[one.noun] += one.p / len(crops)
        best = max(mass, key=lambda word: mass[word])
        right = namers.right(noun)
        found.append(Said(best, mass[best], best in right.exact, best in right.kind))
    return found


def crops_of(stamps: Sequence[Stamp], *, afar: bool) -> list[list[Pixels]]:
    """The crops that an event would have of each stamp before a photograph."""
    photos = backgrounds()
    things = []
    for number, stamp in enumerate(stamps):
        crops = [composite(stamp.path, photos[number % len(photos)], margin) for margin in MARGINS]
        things.append([shrink(crop, AFAR) for crop in crops] if afar else crops)
    return things


def line(said: Iterable[Said], wanted: float) -> float:
    """The least p from which on so large a share is right; 1.0 if there is none."""
    listed = sorted(said, key=lambda one: one.p)
    p = np.array([one.p for one in listed])
    fitted = IsotonicRegression().fit_transform(p, [one.right for one in listed])
    reached = p[fitted >= wanted]
    return float(reached[0]) if len(reached) else 1.0


def reliability(said: Sequence[Said]) -> list[dict[str, float]]:
    """Shares of right names by p."""
    rows = []
    for low, high in itertools.pairwise(BINS):
        within = [one for one in said if low <= one.p < high or one.p == high == 1.0]
        rows.append({"from": low, "to": high, **above(within, 0.0)})
    return rows


def above(said: Sequence[Said], at: float) -> dict[str, float]:
    """How many names lie above a line, and how many of these are right."""
    sure = [one for one in said if one.p >= at]
    count = max(len(sure), 1)
    return {
        "n": len(said),
        "sure": len(sure),
        "right": round(sum(one.right for one in sure) / count, 3),
        "exact": round(sum(one.exact for one in sure) / count, 3),
    }


def passers_by(audit: Path) -> list[Said]:
    """The events of an audit in which no name is right."""
    with Store(audit) as store:
        run = store.last_run()
        events = store.events(run.id) if run is not None else []
    return [Said(event.noun, event.p, exact=False, right=False) for event in events]


def measure(bundle: Path, data: Path, audit: Path | None) -> dict:
    """Choose the line on one half, judge it on all else."""
    namers = Namers(bundle)
    nouns = frozenset(namers.nouns)
    stamps, photographs = find_stamps(nouns), find_photographs(data, nouns)
    if not stamps:
        sys.exit(f"no stamps in {STAMPS}: apt-get install tuxpaint-stamps-default")
    halves: dict[bool, list[Said]] = {True: [], False: []}
    for afar in (False, True):
        labels = [stamp.noun for stamp in stamps]
        named = said_of(namers, crops_of(stamps, afar=afar), labels)
        for one, label in zip(named, labels, strict=True):
            halves[of_dev(label)].append(one)
    sets = {
        "stamps, dev": halves[True],
        "stamps, other nouns": halves[False],
        "photographs": said_of(
            namers, [[image] for image, _ in photographs], [noun for _, noun in photographs]
        ),
    }
    if audit is not None:
        sets["people in vtest"] = passers_by(audit)
    lines = {share: round(line(halves[True], share), 3) for share in (0.5, 0.75, 0.9)}
    return {
        "lines": lines,
        "sets": {
            name: {
                "at_line": {share: above(said, at) for share, at in lines.items()},
                "before": above(said, 0.15),
                "reliability": reliability(said),
            }
            for name, said in sets.items()
        },
    }


def show(result: dict, console: Console) -> None:
    """Print the tables."""
    console.print(f"Lines: {result['lines']}")
    table = Table(title="sure from p on, and right (exact) of these")
    for column in ("set", "things", ".15", *map(str, result["lines"].values())):
        table.add_column(column)
    for name, found in result["sets"].items():
        cells = [found["before"], *found["at_line"].values()]
        table.add_row(name, str(cells[0]["n"]), *(_shares(cell) for cell in cells))
    console.print(table)
    table = Table(title="right by p")
    table.add_column("set")
    for low, high in itertools.pairwise(BINS):
        table.add_column(f"{low:g}-{high:g}")
    for name, found in result["sets"].items():
        cells = [f"{row['right']:.2f} of {row['n']}" for row in found["reliability"]]
        table.add_row(name, *cells)
    console.print(table)


def _shares(cell: dict[str, float]) -> str:
    return f"{cell['sure']}: {cell['right']:.2f} ({cell['exact']:.2f})"


def main() -> None:
    """Measure, print tables, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print only the JSON object")
    parser.add_argument("--bundle", type=Path, default=starter_bundle_path())
    parser.add_argument("--data", type=Path, default=DATA, help="where gcompris was unpacked")
    parser.add_argument(
        "--events", type=Path, help="audit of vtest.avi with an empty yard (benchmarks.audit)"
    )
    options = parser.parse_args()
    result = measure(options.bundle, options.data, options.events)
    if not options.json:
        show(result, Console(width=140))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
