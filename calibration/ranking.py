"""How well scores part what is good from what is not, with bootstrap intervals."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from novic.intervals import CONFIDENCE, Estimate

RESAMPLES = 1000

type Floats = NDArray[np.float64]
type Measure = Callable[[Floats, Floats], float]
"""From the scores of what is good [n] and of what is not [m], both 1 or more, to a figure."""


def auroc(good: ArrayLike, bad: ArrayLike) -> float:
    """Chance that something bad scores higher than something good; ties count half.

    Args:
        good: Scores [n] of what is good, n at least 1.
        bad: Scores [m] of what is not, m at least 1.
    """
    ordered, scores = np.sort(np.asarray(good, np.float64)), np.asarray(bad, np.float64)
    below = np.searchsorted(ordered, scores, "left")
    not_above = np.searchsorted(ordered, scores, "right")
    return float((below + not_above).mean() / 2 / len(ordered))


def f1_max(good: ArrayLike, bad: ArrayLike) -> tuple[float, float]:
    """The best F1 that any threshold gives, and that threshold: scores from it on are bad.

    It is chosen on the labels: what a threshold from good images alone gives is lower.

    Args:
        good: Scores [n] of what is good.
        bad: Scores [m] of what is not, m at least 1.
    """
    fine, faulty = (np.sort(np.asarray(scores, np.float64)) for scores in (good, bad))
    levels = np.unique(faulty)
    found = len(faulty) - np.searchsorted(faulty, levels, "left")
    wrong = len(fine) - np.searchsorted(fine, levels, "left")
    f1 = 2 * found / (found + wrong + len(faulty))
    best = int(np.argmax(f1))
    return float(f1[best]), float(levels[best])


def aupr_out(good: ArrayLike, bad: ArrayLike) -> float:
    """Average precision at finding what is bad: the higher, the more surely bad.

    Without interpolation: the mean, over the bad, of the precision at the threshold that just finds
    each; scores that are equal are found together. Scores without meaning give the share of the
    bad, which must be told with it.

    Args:
        good: Scores [n] of what is good, n at least 1.
        bad: Scores [m] of what is not, m at least 1.
    """
    return _average_precision(np.asarray(bad, np.float64), np.asarray(good, np.float64))


def aupr_in(good: ArrayLike, bad: ArrayLike) -> float:
    """Average precision at finding what is good: the lower, the more surely good; see `aupr_out`.

    Args:
        good: Scores [n] of what is good, n at least 1.
        bad: Scores [m] of what is not, m at least 1.
    """
    return _average_precision(-np.asarray(good, np.float64), -np.asarray(bad, np.float64))


def fpr_at_id95(good: ArrayLike, bad: ArrayLike) -> float:
    """Share of the bad that is accepted where 95% of the good are: the FPR95 of most papers.

    Without interpolation: accepted is what scores no higher than the lowest good score up to which
    at least 95% of the good lie (ood_spec §4.9).

    Args:
        good: Scores [n] of what is good, n at least 1.
        bad: Scores [m] of what is not, m at least 1.
    """
    ordered = np.sort(np.asarray(good, np.float64))
    level = ordered[_needed(len(ordered)) - 1]
    return float((np.asarray(bad, np.float64) <= level).mean())


def fpr_at_ood95(good: ArrayLike, bad: ArrayLike) -> float:
    """Share of the good that is refused where 95% of the bad are: the FPR95 of pytorch-ood.

    Without interpolation: refused is what scores no lower than the highest bad score from which on
    at least 95% of the bad lie (ood_spec §4.9).

    Args:
        good: Scores [n] of what is good, n at least 1.
        bad: Scores [m] of what is not, m at least 1.
    """
    return fpr_at_id95(-np.asarray(bad, np.float64), -np.asarray(good, np.float64))


def _needed(count: int) -> int:
    """How many make at least 95% of so many; whole numbers, as .95 is not one in binary."""
    return -(-95 * count // 100)


def _average_precision(found: Floats, others: Floats) -> float:
    """Of scores that are to be high and of those that are to be low."""
    wanted, rest = np.sort(found), np.sort(others)
    true = len(wanted) - np.searchsorted(wanted, wanted, "left")
    false = len(rest) - np.searchsorted(rest, wanted, "left")
    return float((true / (true + false)).mean())


def measured(
    measure: Measure, good: ArrayLike, bad: ArrayLike, seed: int = 0, resamples: int = RESAMPLES
) -> Estimate | None:
    """A figure with its 95% interval: good and bad are drawn again, each for itself.

    Args:
        measure: For example `auroc`.
        good: Scores [n] of what is good.
        bad: Scores [m] of what is not.
        seed: Of the resampling.
        resamples: How often they are drawn.

    Returns:
        The figure; None if either is missing.
    """
    return measured_all({"": measure}, good, bad, seed, resamples).get("")


def measured_all(
    measures: Mapping[str, Measure],
    good: ArrayLike,
    bad: ArrayLike,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, Estimate]:
    """Several figures of the same scores, as `measured` gives each; drawn again once for all.

    Returns:
        By the names of the figures; none if good or bad are missing.
    """
    fine, faulty = np.asarray(good, np.float64), np.asarray(bad, np.float64)
    if not len(fine) or not len(faulty):
        return {}
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(resamples):
        some = fine[rng.integers(len(fine), size=len(fine))]
        others = faulty[rng.integers(len(faulty), size=len(faulty))]
        for name, measure in measures.items():
            drawn[name].append(measure(some, others))
    count = len(fine) + len(faulty)
    return {
        name: bounded(measure(fine, faulty), drawn[name], count)
        for name, measure in measures.items()
    }


def bounded(value: float, drawn: ArrayLike, count: int) -> Estimate:
    """A figure of `count` things, with the interval that what was drawn again gives it."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.asarray(drawn, np.float64), (tail, 1 - tail))
    return Estimate(value, float(low), float(high), count)
