"""What an evaluation of the pipeline measured: rows of figures, and what became of each thing."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.evaluating.pipeline.meaning import Meanings
from app.evaluating.pipeline.views import Pictures
from calibration.events import TrueThing
from calibration.named import (
    Precision,
    Recorded,
    ToldBox,
    any_name,
    match,
    mean_steps,
    precision,
)
from novic.intervals import Estimate, estimate


@dataclass(frozen=True, slots=True, eq=False)
class ToldThing:
    """A box with a name, and what it was named by."""

    box: ToldBox
    pictures: Pictures | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What one way of finding and naming told of all recordings."""

    name: str
    """What its row is called."""
    boxes: str
    """What found the boxes."""
    with_list: bool
    """Whether it was given the list of candidates."""
    things: dict[str, list[ToldThing]]
    """By recording."""


@dataclass(frozen=True, slots=True, eq=False)
class Fate:
    """What became of one thing."""

    told: ToldThing | None
    """The box on it; None if it was not found."""
    iou: float
    named: bool
    meant: bool
    steps: int | None
    """Levels of WordNet that the name is too deep (above 0) or too broad; None if not right."""

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        noun = None if self.told is None else self.told.box.noun
        verdict = {"named": self.named, "meant": self.meant, "steps": self.steps}
        return {"noun": noun, "iou": round(self.iou, 4), **verdict}


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """The figures of one way."""

    told: Told
    found: Precision | None
    """None if nothing was there."""
    named: Precision | None
    meant: Precision | None
    right: Estimate | None
    """Share of all things, those that were found and whose name is right at any level."""
    specific: Estimate | None
    """Mean levels of right names, not a share; None if no name is right."""
    fates: dict[str, list[Fate]]
    """By recording, in the order of its things."""
    false: dict[str, list[ToldThing]]
    """Boxes on no thing, by recording."""

    @property
    def label(self) -> str:
        """The row's name, and that it had a list."""
        return f"{self.told.name}, with list" if self.told.with_list else self.told.name

    def as_json(self) -> dict[str, Any]:
        """As scripts read it, in per cent, `specific` in levels; keys are stable."""
        steps = self.specific
        return {
            "name": self.told.name,
            "boxes": self.told.boxes,
            "with_list": self.told.with_list,
            "told": sum(len(things) for things in self.told.things.values()),
            "found": self.found and self.found.as_json(),
            "named": self.named and self.named.as_json(),
            "meant": self.meant and self.meant.as_json(),
            "right": self.right and self.right.as_json(),
            "specific": steps
            and {
                "value": round(steps.value, 4),
                "low": round(steps.low, 4),
                "high": round(steps.high, 4),
                "things": steps.images,
            },
            "false": [
                {
                    "recording": recording,
                    "at_s": round(one.box.at_s, 3),
                    "box": _corners(one.box),
                    "score": round(one.box.score, 4),
                    "noun": one.box.noun,
                }
                for recording, boxes in self.false.items()
                for one in boxes
            ],
        }


@dataclass(frozen=True, slots=True, eq=False)
class PipelineResult:
    """All rows over the same things."""

    rows: tuple[Row, ...]
    things: dict[str, list[TrueThing]]
    """What was there, by recording."""
    listed: tuple[str, ...]
    """The candidates; none without a list."""
    left_out: dict[str, str]
    """Why, by what was left out."""

    @property
    def count(self) -> int:
        """How many things were there."""
        return sum(map(len, self.things.values()))

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; the same for the same recordings; keys are stable."""
        return {
            "recordings": list(self.things),
            "things": self.count,
            "candidates": list(self.listed),
            "left_out": self.left_out,
            "rows": [row.as_json() for row in self.rows],
            "each": [
                {
                    "recording": recording,
                    "noun": thing.noun,
                    "start_s": round(thing.start_s, 3),
                    "end_s": round(thing.end_s, 3),
                    "width_share": round(thing.width_share, 4),
                    "told": {row.label: row.fates[recording][place].as_json() for row in self.rows},
                }
                for recording, things in self.things.items()
                for place, thing in enumerate(things)
            ],
        }


def row_of(told: Told, things: dict[str, list[TrueThing]], meanings: Meanings) -> Row:
    """Measure one way.

    Args:
        told: What it told.
        things: What was there, by recording.
        meanings: Judges names.
    """
    recorded = {
        name: Recorded(there, [one.box for one in told.things.get(name, [])])
        for name, there in things.items()
    }
    everything = list(recorded.values())
    fates: dict[str, list[Fate]] = {}
    false: dict[str, list[ToldThing]] = {}
    for name, one in recorded.items():
        own, matched = told.things.get(name, []), match(one, any_name)
        fates[name] = [
            _fate(thing, own[matched.box_of[place]] if place in matched.box_of else None, meanings)
            for place, thing in enumerate(one.things)
        ]
        false[name] = [own[number] for number in sorted(matched.wrong)]
    steps = [fate.steps for own in fates.values() for fate in own]
    return Row(
        told,
        precision(everything, any_name),
        precision(everything, meanings.named),
        precision(everything, meanings.meant),
        estimate(np.array([one is not None for one in steps], np.float64)),
        mean_steps([one for one in steps if one is not None]),
        fates,
        false,
    )


def _fate(thing: TrueThing, told: ToldThing | None, meanings: Meanings) -> Fate:
    if told is None:
        return Fate(None, 0.0, False, False, None)
    noun, there = told.box.noun, thing.box_at(told.box.at_s)
    return Fate(
        told,
        0.0 if there is None else told.box.box.iou(there),
        meanings.named(noun, thing),
        meanings.meant(noun, thing),
        meanings.steps(noun, thing),
    )


def _corners(one: ToldBox) -> list[float]:
    return [round(side, 1) for side in (one.box.x1, one.box.y1, one.box.x2, one.box.y2)]
