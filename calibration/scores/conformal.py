"""How rare a score is among what is known: conformal p-values (ood_spec §4.5 and §4.6)."""

from dataclasses import dataclass

import numpy as np

from calibration.scores.protocol import Floats, ScoreError
from calibration.tail import Pareto, moments

TAIL_FROM = 0.9
"""Quantile of the known scores above which a tail is fitted."""
LEAST = 20
"""Known scores that p-values are told from."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """p = (1 + known scores not below it) / (n + 1); valid if known and new are exchangeable."""

    ordered: Floats
    """Scores of what is known, ascending [n]."""

    def p(self, scores: Floats) -> Floats:
        """Of scores [N], in (0, 1]."""
        at_least = len(self.ordered) - np.searchsorted(self.ordered, scores, "left")
        return (1 + at_least) / (len(self.ordered) + 1)


@dataclass(frozen=True, slots=True, eq=False)
class TailedRanks:
    """The same, but continuous above a level, where ranks would call all far scores equal.

    The excesses over the level are a generalised Pareto distribution without an end: a bounded tail
    would again make all equal that lies beyond it, so a negative shape is taken for 0.
    """

    ranks: Ranks
    level: float
    share: float
    """p at the level."""
    tail: Pareto

    def log_p(self, scores: Floats) -> Floats:
        """Logarithms of p of scores [N]: the higher the score, the lower."""
        found = np.log(self.ranks.p(scores))
        beyond = scores > self.level
        over = (scores[beyond] - self.level) / self.tail.scale
        if self.tail.shape > 1e-6:
            fall = np.log1p(self.tail.shape * over) / self.tail.shape
        else:
            fall = over
        found[beyond] = np.log(self.share) - fall
        return found


def ranks_of(name: str, scores: Floats) -> Ranks:
    """Learn from the scores of what is known [n].

    Raises:
        ScoreError: If they are few, not finite, or all alike.
    """
    if len(scores) < LEAST:
        raise ScoreError(
            f"{name}: needs {LEAST} known pictures or more that nothing was fitted on, these are "
            f"{len(scores)}"
        )
    if not np.isfinite(scores).all():
        raise ScoreError(f"{name}: gives known pictures scores that are not finite numbers")
    if scores.min() == scores.max():
        raise ScoreError(f"{name}: gives all known pictures the same score, so nothing is rare")
    return Ranks(np.sort(scores))


def tailed_ranks_of(name: str, scores: Floats) -> TailedRanks:
    """The same with a tail above the 90% quantile.

    Raises:
        ScoreError: As `ranks_of` does.
    """
    ranks = ranks_of(name, scores)
    level = float(np.quantile(ranks.ordered, TAIL_FROM))
    excesses = ranks.ordered[ranks.ordered > level] - level
    share = (1 + len(excesses)) / (len(ranks.ordered) + 1)
    if not len(excesses):
        # A tenth or more share the highest score; what is above it is rarer the farther it lies.
        spread = level - float(ranks.ordered.mean())
        return TailedRanks(ranks, level, share, Pareto(0.0, max(spread, 1e-12), share))
    tail = moments(excesses, share)
    if tail.shape < 0:
        tail = Pareto(0.0, float(excesses.mean()), share)
    return TailedRanks(ranks, level, share, tail)
