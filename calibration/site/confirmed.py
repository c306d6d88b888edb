"""What people confirmed of events, and what p is worth by it (`novic.certainty.Scaling`)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from calibration.reliability import ece
from novic.certainty import Scaling
from novic.vocabulary import NounScore, canonical

UNKNOWN = "unknown"
"""What people write of a thing that nobody can tell."""
LEAST = 50
"""Confirmed names from which on p is refitted."""
_LEAST_EACH = 5
"""Of right and of wrong ones among them: of one kind alone nothing can be learned."""
_BLOCKS = 10
"""Stretches of time that take turns in fitting and judging."""
_BOUNDS = ((0.05, 5.0), (-8.0, 8.0))


@dataclass(frozen=True, slots=True)
class Confirmed:
    """An event of which people said what it was."""

    id: str
    time_us: int
    """When it began, UTC in microseconds."""
    candidates: tuple[NounScore, ...]
    """With what the decoder itself gave them, before any scaling of a calibration; best first."""
    score: float
    """Peak of its map, 1.0 is just unusual."""
    noun: str
    """What it truly was; empty where it was nothing."""
    level: float | None = None
    """The largest bar at which it would have rung; None where an older Nomaly told it."""
    bar: float | None = None
    """What maps were divided by."""
    seen: Mapping[str, float] = field(default_factory=dict)
    """Numbers that weights may ask (`calibration.site.weights`); empty where an older Nomaly told
    it, or one is no number."""

    @property
    def is_normal(self) -> bool:
        """Whether people said that it is normal there."""
        return not self.noun

    @property
    def is_unknown(self) -> bool:
        """Whether nobody could tell what it was: then no name is right or wrong by it."""
        return canonical(self.noun) == UNKNOWN

    @property
    def is_named(self) -> bool:
        """Whether people said what it was."""
        return not self.is_normal and not self.is_unknown

    @property
    def rest(self) -> float:
        """Probability of all that is not among the candidates, 0 to 1."""
        return max(0.0, 1.0 - sum(one.p for one in self.candidates))

    @property
    def right(self) -> bool:
        """Whether the best candidate is what it was."""
        return bool(self.candidates) and _same(self.candidates[0].noun, self.noun)


@dataclass(frozen=True, slots=True, eq=False)
class Refit:
    """What p of names became."""

    scaling: Scaling | None
    """From the decoder's own p to p at this camera; None to leave it as it is."""
    said: str
    """How that came, one sentence."""
    p: NDArray[np.float64]
    """Of the best candidates [N], as the decoder gives it."""
    refitted: NDArray[np.float64]
    """The same by scalings that were fitted on other stretches of time [N]; empty without."""
    right: NDArray[np.bool_]
    """Whether they were right [N]."""


def refit(events: Sequence[Confirmed]) -> Refit:
    """Fit what p is worth at a camera, and keep it only where it holds in other stretches of time.

    Args:
        events: All that was confirmed; those that were nothing, or that nobody can tell, have no
            name and are left out.
    """
    named = sorted((one for one in events if one.is_named), key=lambda one: one.time_us)
    named = [one for one in named if one.candidates]
    p = np.array([one.candidates[0].p for one in named], np.float64)
    right = np.array([one.right for one in named], np.bool_)
    none = np.zeros(0, np.float64)
    if len(named) < LEAST:
        many = f"{len(named)} confirmed name{'' if len(named) == 1 else 's'}"
        said = f"names_p: not refitted, {many}, {LEAST} are needed"
        return Refit(None, said, p, none, right)
    few = min(int(right.sum()), int((~right).sum()))
    if few < _LEAST_EACH:
        said = (
            f"names_p: not refitted, {int(right.sum())} of {len(named)} confirmed names are right; "
            f"{_LEAST_EACH} right and {_LEAST_EACH} wrong ones are needed"
        )
        return Refit(None, said, p, none, right)
    crossed = _crossed(named)
    fitted = np.array([_best(one, scaling) for one, scaling in zip(named, crossed, strict=True)])
    before = float(np.mean([_unlikely(one, Scaling()) for one in named]))
    after = float(
        np.mean([_unlikely(one, scaling) for one, scaling in zip(named, crossed, strict=True)])
    )
    worth = (
        f"p was off by {ece(p, right):.3f} before and by {ece(fitted, right):.3f} after on "
        "average, in stretches of time"
    )
    if after >= before:
        said = f"names_p: left as it is, a refit on {len(named)} names does no better ({worth})"
        return Refit(None, said, p, fitted, right)
    said = f"names_p: refitted on {len(named)} confirmed names ({worth} it was not fitted on)"
    return Refit(_fitted(named), said, p, fitted, right)


def _crossed(named: Sequence[Confirmed]) -> list[Scaling]:
    """For each of N events in the order of time, a scaling that was fitted on the other half."""
    block = np.arange(len(named)) * _BLOCKS // len(named) % 2
    halves = [[one for one, at in zip(named, block, strict=True) if at != half] for half in (0, 1)]
    both = [_fitted(half) for half in halves]
    return [both[half] for half in block]


def _fitted(events: Sequence[Confirmed]) -> Scaling:
    def cost(at: NDArray[np.float64]) -> float:
        scaling = Scaling(float(at[0]), float(at[1]))
        return sum(_unlikely(one, scaling) for one in events) / len(events)

    found = minimize(cost, [1.0, 0.0], method="Nelder-Mead", bounds=_BOUNDS)
    return Scaling(round(float(found.x[0]), 4), round(float(found.x[1]), 4))


def _unlikely(event: Confirmed, scaling: Scaling) -> float:
    """Negative log-likelihood of what it was, or of the rest if that is no candidate."""
    nouns, rest = scaling.of(event.candidates, event.rest)
    said = [one.p for one in nouns if _same(one.noun, event.noun)]
    return -math.log(max(sum(said) if said else rest, 1e-6))


def _best(event: Confirmed, scaling: Scaling) -> float:
    return min(1.0, scaling.of(event.candidates, event.rest)[0][0].p)


def _same(noun: str, other: str) -> bool:
    return canonical(noun) == canonical(other)
