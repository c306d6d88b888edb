"""Figures of a calibration, each on what nothing was fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from app.calibrating.answers import Answers
from app.calibrating.footage import Looked
from app.events.event import Picture
from app.watching.namer import Names, name_pictures, vote
from calibration.levels import scores_from
from calibration.promise import told_hours
from calibration.ranking import auroc
from calibration.ranking import measured as with_interval
from calibration.reliability import ece
from calibration.scores.protocol import Floats
from calibration.site.calibrated import HeldOut, SiteCalibration, unnameable
from calibration.site.confirmed import Refit
from calibration.site.crops import TEST, Crops, parts
from calibration.tail import CONFIDENCE, Tail, fit_tail
from novic.intervals import Estimate

ALPHAS = (0.01, 0.05, 0.1, 0.2)
"""Levels of p at which it is told how many normal crops lie below."""
MOST_NAMED = 80
"""Things that were found of those put there, of which names are asked."""
LEAST_RINGS = 5
"""Confirmed events of either kind from which on their scores are compared."""
_MARKS = 40


@dataclass(frozen=True, slots=True)
class Curve:
    """How often normal footage would ring by how unusual a thing must be; empty if not known."""

    rows: tuple[tuple[float, float, float], ...] = ()
    """(level, events an hour that the fitted part lets expect, those that came in the other)."""
    bounds: tuple[float, ...] = ()
    """At most so many an hour at each level, so surely as CONFIDENCE."""
    bar: float = 1.0
    """The level at which the camera rings."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Figures, and what plots are drawn from."""

    site_shares: dict[float, float] = field(default_factory=dict)
    """Of held-out normal crops that have so low a p or lower, by p."""
    unnameable_shares: dict[float, float] = field(default_factory=dict)
    normal: dict[str, Floats] = field(default_factory=dict)
    """Scores of held-out normal crops, by part ..."""
    planted: dict[str, Floats] = field(default_factory=dict)
    """... and of the things that were put there and found."""
    roc: dict[str, Estimate] = field(default_factory=dict)
    """AUROC of each part, and of the score of confirmed events."""
    rings: tuple[Floats, Floats] | None = None
    """Scores of confirmed events that were nothing, and of others."""
    tail: Curve = field(default_factory=Curve)
    tail_said: str = "tail: not measured"
    ece: tuple[float, float] | None = None
    """Of p of names before and after, on other stretches of time than were fitted on."""

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        return {
            "site_p_shares": _keyed(self.site_shares),
            "unnameable_p_shares": _keyed(self.unnameable_shares),
            "auroc": {name: one.as_json() for name, one in self.roc.items()},
            "names_ece": None if self.ece is None else [round(one, 4) for one in self.ece],
            "tail": [[round(number, 5) for number in row] for row in self.tail.rows],
        }

    def with_planted(
        self,
        done: SiteCalibration,
        crops: Crops,
        held_out: HeldOut,
        pictures: Sequence[Picture],
        names: Names,
    ) -> "Measured":
        """The same with how well p tells things that were put there from what is normal.

        Args:
            done: What was fitted.
            crops: All crops.
            held_out: Which of them nothing was fitted on.
            pictures: Of the things that were found.
            names: What names crops.
        """
        if not pictures or not len(held_out.at):
            return self
        chosen = [pictures[at] for at in np.unique(_spread(len(pictures), MOST_NAMED))]
        named = name_pictures(names, chosen)
        elected = [vote({one: named[one]}) for one in chosen]
        voted = [one for one in elected if one.vector is not None]
        normal, planted = dict[str, Floats](), dict[str, Floats]()
        vectors = [one.vector for one in voted if one.vector is not None]
        if done.site is not None and vectors:
            normal["site_p"] = done.distances(crops.vectors[held_out.at])
            planted["site_p"] = done.distances(np.stack(vectors))
        if done.unnameable_ranks is not None and voted:
            top = [one.candidates[0][1] for one in voted]
            rest = np.clip([one.rest for one in voted], 0.0, 1.0)
            at = held_out.at
            normal["unnameable_p"] = unnameable(crops.top_p[at], crops.rest[at])
            planted["unnameable_p"] = unnameable(top, rest)
        found = {
            name: one
            for name in normal
            if (one := with_interval(auroc, normal[name], planted[name])) is not None
        }
        return replace(self, normal=normal, planted=planted, roc=self.roc | found)


def measured(
    held_out: HeldOut,
    looked: Looked,
    answers: Answers,
    names: Refit,
    bar: float,
) -> Measured:
    """Measure all that needs no things put into the footage.

    Args:
        held_out: Crops that nothing was fitted on.
        looked: What was seen.
        answers: What people confirmed.
        names: What p of names became.
        bar: At which the camera rings.
    """
    tail, said = _tail(looked, bar)
    figures = Measured(_shares(held_out.site_p), _shares(held_out.unnameable_p))
    roc, rings = _rings(answers)
    worth = None
    if len(names.refitted):
        worth = ece(names.p, names.right), ece(names.refitted, names.right)
    elif len(names.p):
        worth = ece(names.p, names.right), ece(names.p, names.right)
    return replace(figures, roc=roc, rings=rings, tail=tail, tail_said=said, ece=worth)


def _shares(p: Floats) -> dict[float, float]:
    return {level: float((p <= level).mean()) for level in ALPHAS} if len(p) else {}


def _rings(answers: Answers) -> tuple[dict[str, Estimate], tuple[Floats, Floats] | None]:
    """How well the score of an event tells things from nothing, by what people said."""
    nothing = np.array([one.score for one in answers.events if one.is_normal])
    things = np.array([one.score for one in answers.events if one.is_named])
    if min(len(nothing), len(things)) < LEAST_RINGS:
        return {}, None
    found = with_interval(auroc, nothing, things)
    return ({} if found is None else {"event_score": found}), (nothing, things)


def _tail(looked: Looked, bar: float) -> tuple[Curve, str]:
    """Events an hour by level: fitted on four fifths of the footage, counted in the last."""
    at_s = np.array([one.time_s for one in looked.levels], np.float64)
    tested = parts(at_s, looked.length_s) == TEST if len(at_s) else np.zeros(0, np.bool_)
    hours = looked.hours
    if hours <= 0:
        return Curve(), "tail: not measured, no footage was looked at"
    if not looked.levels:
        return Curve(), f"tail: nothing came near to ringing in {told_hours(hours)}"
    kept = [one for one, test in zip(looked.levels, tested, strict=True) if not test]
    other = np.array(
        [one.value for one, test in zip(looked.levels, tested, strict=True) if test], np.float64
    )
    tail: Tail = fit_tail(scores_from(kept, 0.8 * hours))
    low = min(bar, *(one.value for one in looked.levels))
    spread = np.linspace(low, max(_highest(looked), 1.25 * bar), _MARKS)
    levels = np.union1d(spread, [bar]).tolist()
    rows = tuple((at, tail.rate(at), float(np.sum(other > at)) / (0.2 * hours)) for at in levels)
    bounds = tuple(tail.rate(at, CONFIDENCE) for at in levels)
    most, came = tail.rate(bar, CONFIDENCE), int(np.sum(other > bar))
    said = (
        f"tail: at bar {bar:.2f}, where this camera rings, at most {most:.3g} false events an hour "
        f"({100 * CONFIDENCE:.0f}% sure) by {told_hours(0.8 * hours)} of footage; in the other "
        f"{told_hours(0.2 * hours)} {came or 'none'} rang"
    )
    return Curve(rows, bounds, bar), said


def _highest(looked: Looked) -> float:
    return max(1.25, 1.1 * max(one.value for one in looked.levels))


def _spread(count: int, most: int) -> list[int]:
    return [int(at) for at in np.linspace(0, count - 1, min(count, most))]


def _keyed(shares: dict[float, float]) -> dict[str, float]:
    return {f"{level:g}": round(share, 4) for level, share in shares.items()}
