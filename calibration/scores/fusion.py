"""Several scores as one (ood_spec §4.6).

`FisherFusion` needs no unknown pictures: it asks how rare each score is among known pictures that
nothing was fitted on. `LogisticFusion` weighs scores by pictures that are known to be foreign; it
must be measured on other kinds of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.scores.conformal import LEAST, Ranks, TailedRanks, ranks_of, tailed_ranks_of
from calibration.scores.protocol import Fitted, Floats, Ints, Pictures, Score, ScoreError, enough

SHARE = 0.4
"""Of the known pictures that scores are not fitted on."""
LEAST_FOREIGN = 10
PENALTY = 1.0
_FLAT = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class FisherFusion:
    """-2 sum of log p (Fisher 1932) of conformal p-values, with a tail above their 90% quantile.

    The p-values hang together, so the sum is only a score: `pvalue` ranks it anew among known
    pictures that neither the scores nor their p-values were learned from.
    """

    scores: tuple[Score, ...]
    share: float = SHARE
    """Of the known pictures that is kept for p-values: half for the scores', half for the sum's."""
    seed: int = 0
    name: str = "fisher"

    def fit(self, known: Pictures) -> "FittedFisher":
        """See `protocol.Score`."""
        _several(self.name, self.scores)
        learned, kept = parted(self.name, known, self.share, 2 * LEAST, self.seed)
        fitted = [score.fit(known.part(learned)) for score in self.scores]
        first, second = known.part(kept[::2]), known.part(kept[1::2])
        ranks = [
            tailed_ranks_of(score.name, one.score(first))
            for score, one in zip(self.scores, fitted, strict=True)
        ]
        parts = tuple(zip(fitted, ranks, strict=True))
        return FittedFisher(parts, ranks_of(self.name, _fisher(parts, second)))


@dataclass(frozen=True, slots=True, eq=False)
class FittedFisher:
    """See `FisherFusion`."""

    parts: tuple[tuple[Fitted, TailedRanks], ...]
    ranks: Ranks
    """Of the sum."""

    def score(self, batch: Pictures) -> Floats:
        """See `protocol.Fitted`."""
        return _fisher(self.parts, batch)

    def pvalue(self, batch: Pictures) -> Floats:
        """How rare each picture is among known ones [N]: a share α of known ones has α or less."""
        return self.ranks.p(self.score(batch))


@dataclass(frozen=True, slots=True, eq=False)
class LogisticFusion:
    """Log-odds of being foreign, linear in the scores: logistic regression with a penalty.

    Known and foreign count alike, however many there are of each.
    """

    scores: tuple[Score, ...]
    foreign: Pictures
    """Pictures of what does not belong, of many kinds."""
    share: float = SHARE
    """Of the known pictures that the weights are learned on."""
    seed: int = 0
    name: str = "logistic"

    def fit(self, known: Pictures) -> "FittedLogistic":
        """See `protocol.Score`."""
        _several(self.name, self.scores)
        if len(self.foreign) < LEAST_FOREIGN:
            raise ScoreError(
                f"{self.name}: needs {LEAST_FOREIGN} foreign pictures or more to learn from, these "
                f"are {len(self.foreign)}"
            )
        learned, kept = parted(self.name, known, self.share, LEAST, self.seed)
        fitted = tuple(score.fit(known.part(learned)) for score in self.scores)
        inside, outside = _table(fitted, known.part(kept)), _table(fitted, self.foreign)
        middles = np.median(inside, axis=0)
        spreads = np.quantile(inside, 0.75, axis=0) - np.quantile(inside, 0.25, axis=0)
        for score, spread in zip(self.scores, spreads, strict=True):
            if spread <= _FLAT:
                raise ScoreError(f"{score.name}: gives known pictures hardly differing scores")
        weights, bias = _logistic((inside - middles) / spreads, (outside - middles) / spreads)
        return FittedLogistic(fitted, middles, spreads, weights, bias)


@dataclass(frozen=True, slots=True, eq=False)
class FittedLogistic:
    """See `LogisticFusion`."""

    parts: tuple[Fitted, ...]
    middles: Floats
    """Of the known pictures' scores [S]."""
    spreads: Floats
    """From their first to their third quartile [S]."""
    weights: Floats
    """Of the scores so standardised [S]."""
    bias: float

    def score(self, batch: Pictures) -> Floats:
        """See `protocol.Fitted`."""
        standard = (_table(self.parts, batch) - self.middles) / self.spreads
        return (standard * self.weights).sum(axis=1) + self.bias


def parted(name: str, known: Pictures, share: float, least: int, seed: int) -> tuple[Ints, Ints]:
    """Numbers of pictures that scores are fitted on, and of those kept from it, in random order.

    Raises:
        ScoreError: If fewer than `least` would be kept, or nothing would be left.
    """
    if not 0 < share < 1:
        raise ScoreError(f"{name}: the share that is kept must be between 0 and 1, got {share}")
    enough(name, len(known), int(np.ceil(least / share)))
    order = np.random.default_rng(seed).permutation(len(known))
    kept = max(least, round(share * len(known)))
    return order[kept:], order[:kept]


def _several(name: str, scores: Sequence[Score]) -> None:
    if not scores:
        raise ScoreError(f"{name}: needs one score or more")


def _fisher(parts: tuple[tuple[Fitted, TailedRanks], ...], batch: Pictures) -> Floats:
    return -2 * np.sum([ranks.log_p(one.score(batch)) for one, ranks in parts], axis=0)


def _table(fitted: tuple[Fitted, ...], pictures: Pictures) -> Floats:
    """Scores [N, S]."""
    return np.stack([one.score(pictures) for one in fitted], axis=1)


def _logistic(inside: Floats, outside: Floats) -> tuple[Floats, float]:
    """Weights [S] and bias: the least of both mean losses and a small penalty on the weights."""
    from scipy.optimize import minimize  # noqa: PLC0415  # a second, and only who fits needs it

    rows = np.concatenate([inside, outside])
    signs = np.concatenate([-np.ones(len(inside)), np.ones(len(outside))])
    shares = np.concatenate([np.full(len(part), 1 / len(part)) for part in (inside, outside)])
    penalty = PENALTY / len(rows)

    def loss(flat: Floats) -> tuple[float, Floats]:
        margins = signs * (rows @ flat[:-1] + flat[-1])
        value = float((shares * np.logaddexp(0, -margins)).sum())
        slope = -shares * signs * np.exp(-np.logaddexp(0, margins))
        gradient = np.append(slope @ rows + penalty * flat[:-1], slope.sum())
        return value + penalty * float((flat[:-1] ** 2).sum()) / 2, gradient

    found = minimize(loss, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return found[:-1], float(found[-1])
