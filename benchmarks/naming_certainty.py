"""What is a decoder's p worth, and what is told as a fact of it?

All is chosen on the stamps of one half of the nouns (`benchmarks.naming_truth`): the scaling of p
by the likelihood of the true noun, and that of kinds by logistic regression. Since p then means how
often a name is right, the lines from which on it is told as a fact are what is wanted of it.

It is judged on the stamps of the other half, near and afar, on the photographs, and on the events
of an audit of `vtest.avi` with an empty yard as normal: people walking by.

The expected calibration error (ECE) has ten bins of equal numbers of things. Few things make it
large by chance alone, so beside it stands what a perfect p would have here: the same p, with truths
drawn by them.

    python -m benchmarks.naming_certainty [--json] [--bundle FOLDER] [--events AUDIT] [--write]
"""

import argparse
import json
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from app.events.store import Store
from benchmarks.naming import STAMPS
from benchmarks.naming_held_out import DATA
from benchmarks.naming_truth import Thing, Truth, Truths, of_dev, photographs, plain_model, stamps
from calibration.reliability import ece
from novic.bundle import read_card
from novic.certainty import CERTAINTY, FORMAT, VERSION, Certainty, KindLine, Scaling
from novic.kinds import KindScaling, kind_masses, kind_sizes
from novic.model import starter_bundle_path
from novic.synonyms import joined

NOUN, KIND, SENSITIVE = 0.7, 0.8, 0.9
"""Shares that are to be right at the line of nouns, of kinds, and of nouns that alarm or accuse."""
DRAWS = 200


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one thing."""

    truth: Truth
    noun: str
    p: float
    sure: bool
    kind: str
    kind_p: float
    kind_sure: bool

    @property
    def exact(self) -> bool:
        """Whether the noun, or another word for it, comes first."""
        return self.noun in self.truth.words

    @property
    def noun_right(self) -> bool:
        """The same, or a broader word for it."""
        return self.exact or self.noun in self.truth.broader

    @property
    def plain(self) -> bool:
        """Whether anything is told as a fact."""
        return self.sure or self.kind_sure

    @property
    def right(self) -> bool:
        """Whether what comes first is right: a sure noun, else a kind, else the noun."""
        by_noun = self.sure or not self.kind
        return self.noun_right if by_noun else self.kind in self.truth.kinds


def told(thing: Thing, certainty: Certainty) -> Told:
    """What the product tells of a thing."""
    mass = thing.mass(certainty.scaling).items()
    noun, p = joined(mass)[0] if certainty.measured else max(mass, key=lambda one: one[1])
    kind = certainty.kind(mass)
    return Told(
        thing.truth,
        noun,
        p,
        certainty.sure(noun, p),
        kind.noun if kind else "",
        kind.p if kind else 0.0,
        kind is not None and kind.sure,
    )


def fitted(dev: Sequence[Thing]) -> Certainty:
    """What suits things best."""
    found = minimize(_unlikely, [0.7, 0.5], args=(dev,), method="Nelder-Mead")
    scaling = Scaling(*(round(float(value), 3) for value in found.x))
    return Certainty(NOUN, SENSITIVE, scaling, KindLine(fitted_kinds(dev, scaling), KIND))


def _unlikely(parameters: Sequence[float], things: Sequence[Thing]) -> float:
    """Mean negative log-likelihood of the true nouns, or of the rest where they are not named."""
    if parameters[0] <= 0:
        return math.inf
    scaling, total = Scaling(*parameters), 0.0
    for thing in things:
        for crop in thing.crops:
            nouns, rest = scaling.of(crop.nouns, crop.rest)
            said = [one.p for one in nouns if one.noun in thing.truth.words]
            total -= math.log(max(sum(said) if said else rest, 1e-9)) / len(thing.crops)
    return total / len(things)


def fitted_kinds(things: Sequence[Thing], scaling: Scaling) -> KindScaling:
    """A logistic regression on every kind of every thing."""
    rows, true = [], []
    for thing in things:
        for kind, mass in kind_masses(thing.mass(scaling).items()).items():
            kept = min(max(mass, 1e-4), 1 - 1e-4)
            rows.append((math.log(kept / (1 - kept)), math.log(kind_sizes()[kind])))
            true.append(kind in thing.truth.kinds)
    model = LogisticRegression(C=1e6).fit(np.array(rows), true)
    values = (*model.coef_[0], model.intercept_[0])
    return KindScaling(*(round(float(value), 3) for value in values))


def _of_kinds(things: Sequence[Thing], certainty: Certainty) -> tuple[list[float], list[bool]]:
    """The probability of every kind of every thing, and whether it is true."""
    probabilities, true = [], []
    for thing in things:
        for kind, p in certainty.kind_p(thing.mass(certainty.scaling).items()).items():
            probabilities.append(p)
            true.append(kind in thing.truth.kinds)
    return probabilities, true


def by_chance(p: Sequence[float]) -> float:
    """The same of truths that are drawn by p: what is left where p is perfect."""
    rng, said = np.random.default_rng(0), np.array(p)
    errors = [ece(said, rng.random(len(said)) < said) for _ in range(DRAWS)]
    return float(np.mean(errors))


def figures(things: Sequence[Thing], certainty: Certainty) -> dict[str, float]:
    """How good what is told of things is."""
    all_told = [told(thing, certainty) for thing in things]
    before = [told(thing, BEFORE) for thing in things]
    plain = [one for one in all_told if one.plain]
    p, exact = [one.p for one in all_told], [one.exact for one in all_told]
    of_kinds, true = _of_kinds(things, certainty)
    old = [one for one in before if one.sure]
    return {
        "things": len(things),
        "exact": _share(exact),
        "exact_before": _share(one.exact for one in before),
        "plain": len(plain) / len(things),
        "plain_right": _share(one.right for one in plain),
        "plain_before": len(old) / len(things),
        "plain_right_before": _share(one.noun_right for one in old),
        "all_right": _share(one.right for one in all_told),
        "all_right_before": _share(one.noun_right for one in before),
        "ece": ece(p, exact),
        "ece_before": ece([one.p for one in before], [one.exact for one in before]),
        "ece_by_chance": by_chance(p),
        "ece_kinds": ece(of_kinds, true),
        "ece_kinds_by_chance": by_chance(of_kinds),
        "kinds": len(true),
    }


BEFORE = Certainty(0.565, 0.98)
"""Of the starter before its p were scaled."""


def _share(values: Iterable[bool]) -> float:
    listed = list(values)
    return sum(listed) / max(len(listed), 1)


def audited(folder: Path) -> dict[str, int]:
    """How many events of an audit are told as facts, by noun and by kind, and not at all."""
    with Store(folder) as store:
        run = store.last_run()
        events = store.events(run.id) if run is not None else []
    things = [event for event in events if event.kind == "object"]
    return {
        "events": len(things),
        "person_first": sum(event.noun == "person" for event in things),
        "person_sure": sum(event.sure and event.noun == "person" for event in things),
        "other_sure": sum(event.sure and event.noun != "person" for event in things),
        "of_sure_kind": sum(event.of_sure_kind for event in things),
    }


def measure(bundle: Path, data: Path, audit: Path | None) -> tuple[Certainty, dict[str, Any]]:
    """Choose on one half of the stamps, judge on all else."""
    model, truths = plain_model(bundle), Truths()
    found = stamps(model, truths)
    if not found:
        sys.exit(f"no stamps in {STAMPS}: apt-get install tuxpaint-stamps-default")
    dev = [thing for thing in found if of_dev(thing.truth.noun)]
    others = [thing for thing in found if not of_dev(thing.truth.noun)]
    certainty = fitted(dev)
    sets = {
        "stamps, chosen on": dev,
        "stamps, other nouns": [thing for thing in others if not thing.afar],
        "the same 60 px long": [thing for thing in others if thing.afar],
        "photographs": photographs(model, truths, data),
    }
    result: dict[str, Any] = {
        "certainty": asdict(certainty),
        "sets": {name: figures(things, certainty) for name, things in sets.items()},
    }
    if audit is not None:
        result["audit"] = audited(audit)
    return certainty, result


def write(bundle: Path, certainty: Certainty) -> None:
    """Lay what was chosen beside a bundle."""
    kinds = certainty.kinds
    said = {
        "format": FORMAT,
        "version": VERSION,
        "weights_sha256": read_card(bundle)["weights_sha256"],
        "sure_from": certainty.sure_from,
        "sensitive_from": certainty.sensitive_from,
        "scaling": asdict(certainty.scaling),
        "kinds": kinds and {**asdict(kinds.scaling), "sure_from": kinds.sure_from},
        "measured": f"python -m benchmarks.naming_certainty, {datetime.now(UTC):%Y-%m-%d}: on the "
        "stamps of one half of the nouns; judged on other nouns and photographs in "
        "benchmarks/README.md",
    }
    (bundle / CERTAINTY).write_text(f"{json.dumps(said, indent=2)}\n", encoding="utf-8")


def show(result: dict[str, Any], console: Console) -> None:
    """Print the tables."""
    console.print(result["certainty"])
    table = Table(title="before -> now")
    for column in ("set", "things", "exact", "told plainly: right", "all right", "ECE", "of kinds"):
        table.add_column(column)
    for name, one in result["sets"].items():
        table.add_row(
            name,
            str(one["things"]),
            f"{one['exact_before']:.3f} -> {one['exact']:.3f}",
            f"{one['plain_before']:.2f}: {one['plain_right_before']:.2f} -> "
            f"{one['plain']:.2f}: {one['plain_right']:.2f}",
            f"{one['all_right_before']:.2f} -> {one['all_right']:.2f}",
            f"{one['ece_before']:.3f} -> {one['ece']:.3f} ({one['ece_by_chance']:.3f} by chance)",
            f"{one['ece_kinds']:.3f} ({one['ece_kinds_by_chance']:.3f})",
        )
    console.print(table)


def main() -> None:
    """Measure, print tables, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print only the JSON object")
    parser.add_argument("--bundle", type=Path, default=starter_bundle_path())
    parser.add_argument("--data", type=Path, default=DATA, help="where gcompris was unpacked")
    parser.add_argument("--write", action="store_true", help="write the bundle's certainty.json")
    parser.add_argument(
        "--events", type=Path, help="audit of vtest.avi with an empty yard (benchmarks.audit)"
    )
    options = parser.parse_args()
    certainty, result = measure(options.bundle, options.data, options.events)
    if options.write:
        write(options.bundle, certainty)
    if not options.json:
        show(result, Console(width=160))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
