"""How good boxes with names are, where it is known what was there: found, named, meant, specific.

A box is told once for a thing, as an event is. It is right if at its own time it covers a thing
with an IoU of .5 or more that no higher box has taken, and if its name passes:

* found: any name. Class-agnostic AP, CAAP in LAOD (arXiv 2507.10844).
* named: the thing's noun or another word for it. The AP over boxes whose names match that AnomNOVIC
  reports (arXiv 2606.26829), with and without a list of candidates.
* meant: a name that is near enough in meaning, SNAP in LAOD.
* specific: how many levels of WordNet a right name is above (-) or below (+) the thing's noun; a
  name that is too broad is right and tells less.

All four rank boxes by one score, how unusual they are, so that they differ by what is right alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.events import TrueThing
from calibration.overlaps import IOUS, mean_precision
from calibration.ranking import RESAMPLES, bounded
from detectors.types import Box
from novic.intervals import Estimate, estimate

LEAST_IOU = 0.5

type Floats = NDArray[np.float64]
type Right = Callable[[str, TrueThing], bool]
"""Whether a name that was told is right for a thing."""


@dataclass(frozen=True, slots=True)
class ToldBox:
    """What was told of one thing."""

    at_s: float
    """When, in seconds from the start of the recording."""
    box: Box
    """Where it was then, in pixels of the frame."""
    score: float
    """How unusual it is; the higher, the sooner it counts."""
    noun: str
    """What it is called; empty if it has no name."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was there in one recording, and what was told of it."""

    things: Sequence[TrueThing]
    told: Sequence[ToldBox]


@dataclass(frozen=True, slots=True)
class Matched:
    """Which box of a recording was told of which thing."""

    box_of: Mapping[int, int]
    """Number of the box for the number of each thing that has one."""
    wrong: tuple[int, ...]
    """Numbers of the boxes that are of no thing, or whose names are not right for it."""


@dataclass(frozen=True, slots=True)
class Precision:
    """Average precision with its 95% interval, and how many it rests on."""

    ap50: Estimate
    """At an IoU of .5; `images` are the things."""
    ap: float
    """Mean over IoU .50 to .95 in steps of .05 (COCO)."""
    hits: int
    """Things with a right box at .5."""
    wrong: int
    """Boxes that are not right at .5."""

    def as_json(self) -> dict[str, Any]:
        """As scripts read it, in per cent; keys are stable."""
        ap50 = self.ap50
        return {
            "ap50": round(100 * ap50.value, 4),
            "low": round(100 * ap50.low, 4),
            "high": round(100 * ap50.high, 4),
            "ap": round(100 * self.ap, 4),
            "right": self.hits,
            "wrong": self.wrong,
        }


def any_name(noun: str, thing: TrueThing) -> bool:
    """What `found` asks of a name: nothing."""
    del noun, thing
    return True


def match(recorded: Recorded, right: Right, iou: float = LEAST_IOU) -> Matched:
    """Give each thing at most one box, boxes with the highest scores first.

    Of the things that a box may have it gets the one that it covers best. Of equal scores the
    earlier box is first, whatever the order in which they come.

    Args:
        recorded: Boxes and things of one recording.
        right: Whether a name is right.
        iou: Least intersection over union at the time of the box, above 0.
    """
    told = recorded.told
    order = sorted(range(len(told)), key=lambda n: (-told[n].score, told[n].at_s, str(told[n].box)))
    box_of: dict[int, int] = {}
    wrong: list[int] = []
    for number in order:
        one = told[number]
        covers = [
            (_covered(one, thing), -place)
            for place, thing in enumerate(recorded.things)
            if place not in box_of and right(one.noun, thing)
        ]
        best, place = max(covers, default=(0.0, 0))
        if best >= iou:
            box_of[-place] = number
        else:
            wrong.append(number)
    return Matched(box_of, tuple(wrong))


def precision(recordings: Sequence[Recorded], right: Right, seed: int = 0) -> Precision | None:
    """Average precision of the boxes of all recordings together.

    The interval is that of a bootstrap: things, each found with its box's score or missed, and
    wrong boxes are drawn again, each for themselves.

    Args:
        recordings: Boxes of one are compared with things of the same alone.
        right: Whether a name is right.
        seed: Of the resampling.

    Returns:
        The figure; None if nothing was there.
    """
    found, wrong = _scores(recordings, right, LEAST_IOU)
    if not len(found):
        return None
    rng = np.random.default_rng(seed)
    drawn = [
        average_precision(
            found[rng.integers(len(found), size=len(found))],
            wrong[rng.integers(len(wrong), size=len(wrong))] if len(wrong) else wrong,
        )
        for _ in range(RESAMPLES)
    ]
    values = [average_precision(*_scores(recordings, right, iou)) for iou in IOUS]
    hits = int(np.isfinite(found).sum())
    return Precision(
        bounded(values[0], drawn, len(found)), float(np.mean(values)), hits, len(wrong)
    )


def average_precision(found: ArrayLike, wrong: ArrayLike) -> float:
    """COCO's average precision at 101 recalls, of what is right and what is wrong.

    Boxes of one score are taken together, so that their order does not matter.

    Args:
        found: Of each thing [n] the score of its box, -inf if it has none; n at least 1.
        wrong: Scores [m] of the boxes that are not right.

    Returns:
        0 to 1.
    """
    things, others = np.asarray(found, np.float64), np.asarray(wrong, np.float64)
    hit = np.sort(things[np.isfinite(things)])
    levels = np.unique(np.concatenate([hit, others]))[::-1]
    hits = len(hit) - np.searchsorted(hit, levels, "left")
    misses = len(others) - np.searchsorted(np.sort(others), levels, "left")
    return mean_precision(hits, hits + misses, len(things))


def mean_steps(steps: Sequence[float], seed: int = 0) -> Estimate | None:
    """Mean levels between right names and their things' nouns, with a bootstrap interval.

    Args:
        steps: Of each right name: below 0 if it is broader than the noun, 0 if it is as deep.
        seed: Of the resampling.

    Returns:
        The figure in levels; None if no name is right.
    """
    return estimate(np.asarray(steps, np.float64), seed)


def _covered(one: ToldBox, thing: TrueThing) -> float:
    """IoU with a thing at the time of a box; 0 if it was not there."""
    there = thing.box_at(one.at_s)
    return 0.0 if there is None else one.box.iou(there)


def _scores(recordings: Sequence[Recorded], right: Right, iou: float) -> tuple[Floats, Floats]:
    """Score of the box of each thing, -inf where there is none; and of each wrong box."""
    found: list[float] = []
    wrong: list[float] = []
    for one in recordings:
        matched = match(one, right, iou)
        found += [
            one.told[matched.box_of[place]].score if place in matched.box_of else -np.inf
            for place in range(len(one.things))
        ]
        wrong += [one.told[number].score for number in matched.wrong]
    return np.array(found, np.float64), np.array(wrong, np.float64)
