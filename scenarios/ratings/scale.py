"""One scale for all raters: the log-odds that a site's owner would say "seen here".

A rater's own numbers (digits, log-odds of yes against no, decision values) are fitted to the
owner's examples by logistic regression with one variable (Platt 1999), so that raters agree on what
a number means, can be averaged, and give ratings from 1 to 10 as upstream's (scenarios_spec §3.2).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.ratings.records import RatingError, RawScores

LEAST_EXAMPLES = 8
"""Of each kind; with fewer the fit says nothing (scenarios_spec §3.2)."""

_FREQUENCY_SCALE = 0.375
"""Upstream's `--output_freq_scale` (novic_spec §1.9)."""

_LEAST_LOSS = 0.01
"""Smaller log-losses cannot be told apart on tens of examples; none weighs more than this one."""

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a rater's numbers become log-odds: a x + b; and how good it is on the examples."""

    a: float
    """Above 0."""
    b: float
    auc: float
    """Of the rater's numbers: the share of pairs, one seen and one never, that it puts in order."""
    log_loss: float
    """Mean over the examples, each judged by a fit without it, nats."""
    examples: int
    """Number, of both kinds."""

    def logit(self, raw: float) -> float:
        """Log-odds that the owner would say "seen here"."""
        return self.a * raw + self.b

    def logits(self, raw: Mapping[str, float]) -> dict[str, float]:
        """The same for a rater's numbers by noun."""
        return {noun: self.logit(value) for noun, value in raw.items()}


def auc(seen: Sequence[float], never: Sequence[float]) -> float:
    """Share of all pairs in which the one that is seen has the higher score; ties count half.

    This is the area under the ROC curve (Hanley & McNeil 1982).

    Args:
        seen: Scores of what is seen, at least one.
        never: Scores of what is never seen, at least one.

    Returns:
        From 0 to 1; 0.5 is chance.
    """
    difference = np.subtract.outer(_floats(seen), _floats(never))
    return float(np.mean((np.sign(difference) + 1) / 2))


def calibrate(scores: RawScores) -> Calibration:
    """Fit a rater's numbers to the owner's examples.

    Logistic regression of "seen" on the number, L2 penalty on the slope with C = 1
    (scenarios_spec §3.2), as scikit-learn fits it.

    Args:
        scores: Of the rater; only its examples are used, each judged while the rater was not told
            of it.

    Raises:
        RatingError: If there are fewer than 8 examples of a kind, a score is no number, or the
            rater does not rank what is seen above what is never seen.
    """
    seen, never = list(scores.seen.values()), list(scores.never.values())
    if min(len(seen), len(never)) < LEAST_EXAMPLES:
        raise RatingError(
            f"the rater judged {len(seen)} examples that are seen here and {len(never)} never "
            f"seen; its numbers mean something only with {LEAST_EXAMPLES} or more of each: "
            "add examples to scenario.yaml"
        )
    x = _floats([*seen, *never])
    if not np.isfinite(x).all():
        raise RatingError("the rater gave an example a score that is no number; use another model")
    y = np.repeat([1.0, 0.0], [len(seen), len(never)])
    a, b = _fit(x, y)
    order = auc(seen, never)
    if a <= 0 or order <= 0.5:
        raise RatingError(
            "the rater does not rank what is seen here above what is never seen "
            f"(in order: {order:.0%} of pairs, chance is 50%): check that the examples are not "
            "swapped, else use another model or wording"
        )
    return Calibration(a, b, order, _log_loss_left_out(x, y), len(x))


def probability(logit: float) -> float:
    """σ(ℓ) = 1 / (1 + e^-ℓ), from 0 to 1."""
    return (1 + math.tanh(logit / 2)) / 2


def log_odds(p: float) -> float:
    """σ's inverse: ln(p / (1 - p)), for p above 0 and below 1."""
    return math.log(p) - math.log1p(-p)


def rating(logit: float) -> float:
    """How often a noun is seen, from 1 to 10: 1 + 9 σ(ℓ) (scenarios_spec §3.2)."""
    return 1 + 9 * probability(logit)


def total(rating: float) -> float:
    """What a rating makes of a noun's frequency: 0.375 r², from 0.375 to 37.5 (novic_spec §1.9)."""
    return _FREQUENCY_SCALE * rating**2


def rating_of(total: float) -> float:
    """The rating that makes a frequency, from 1 to 10: `total` the other way round."""
    return min(max(math.sqrt(total / _FREQUENCY_SCALE), 1.0), 10.0)


def frequency(rating: float) -> int:
    """The same in whole numbers, at least 1: N. A noun is in FTn exactly if N > n."""
    return max(1, round(total(rating)))


def share_likely(logits: Sequence[float]) -> float:
    """Share of a random sample of nouns with log-odds above 0.

    Half a noun of each kind is added (Krichevsky & Trofimov 1981), so a sample that has none of a
    kind does not make everything certain.

    Args:
        logits: Of a random sample, some hundreds; at least one.

    Returns:
        Above 0 and below 1.
    """
    likely = sum(logit > 0 for logit in logits)
    return (likely + 0.5) / (len(logits) + 1)


def displayed(logit: float, share: float) -> float:
    """The probability to show people.

    The examples are half of each kind, the dictionary is not, so log-odds are shifted by those of
    the true share π: p = σ(ℓ + ln(π / (1 - π))) (scenarios_spec §3.2; Elkan 2001). Ranks stay.

    Args:
        logit: Calibrated on as many examples seen as never seen.
        share: π, from `share_likely`.
    """
    return probability(logit + log_odds(share))


def fuse(logits: Sequence[Mapping[str, float]], log_losses: Sequence[float]) -> dict[str, float]:
    """What several raters say together: Σ w_j ℓ_j / Σ w_j over those who judged the noun.

    w_j = 1 / (log-loss of j on the examples, each left out)² (scenarios_spec §3.2).

    Args:
        logits: Per rater, calibrated log-odds by noun.
        log_losses: Per rater, `Calibration.log_loss`.

    Returns:
        Log-odds of every noun that any rater judged, in order of appearance.
    """
    weighted: dict[str, float] = {}
    weights: dict[str, float] = {}
    for of_rater, loss in zip(logits, log_losses, strict=True):
        weight = max(loss, _LEAST_LOSS) ** -2
        for noun, logit in of_rater.items():
            weighted[noun] = weighted.get(noun, 0.0) + weight * logit
            weights[noun] = weights.get(noun, 0.0) + weight
    return {noun: value / weights[noun] for noun, value in weighted.items()}


def _fit(x: _Floats, y: _Floats) -> tuple[float, float]:
    """(a, b) that minimise a²/2 + Σ ln(1 + e^z) - y z with z = a x + b, by Newton's method."""
    design = np.stack([x, np.ones_like(x)], axis=1)
    penalty = np.array([1.0, 0.0])
    theta = np.zeros(2)
    for _ in range(100):
        p = (1 + np.tanh(design @ theta / 2)) / 2
        gradient = design.T @ (p - y) + penalty * theta
        if np.abs(gradient).max() < 1e-9 * len(x):
            break
        curvature = design.T @ (design * (p * (1 - p))[:, None]) + np.diag(penalty)
        theta = _step(design, y, theta, np.linalg.solve(curvature, gradient))
    return float(theta[0]), float(theta[1])


def _step(design: _Floats, y: _Floats, theta: _Floats, full: _Floats) -> _Floats:
    """The longest of full, half, quarter ... steps that does not make it worse."""
    before = _objective(design, y, theta)
    length = 1.0
    while length > 1e-6 and _objective(design, y, theta - length * full) > before:
        length /= 2
    return theta - length * full


def _objective(design: _Floats, y: _Floats, theta: _Floats) -> float:
    z = design @ theta
    return float(theta[0] ** 2 / 2 + np.sum(np.logaddexp(0, z) - y * z))


def _log_loss_left_out(x: _Floats, y: _Floats) -> float:
    losses = []
    for left_out in range(len(x)):
        kept = np.arange(len(x)) != left_out
        a, b = _fit(x[kept], y[kept])
        z = a * x[left_out] + b
        losses.append(np.logaddexp(0, z) - y[left_out] * z)
    return float(np.mean(losses))


def _floats(values: Sequence[float]) -> _Floats:
    return np.asarray(values, dtype=np.float64)
