"""How often a normal view reaches a score, from the highest scores of its normal footage.

Peaks over threshold (Coles 2001, chapter 4; ood_spec §4.5): scores that follow each other within
seconds are one occurrence, of which the highest counts; what these exceed a low level by is a
generalised Pareto distribution. Rates are occurrences an hour of footage that was looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Floats = NDArray[np.float64]

GAP_S = 10.0
"""Scores less than this apart belong to one occurrence."""
LEAST_CLUSTERS = 10
"""Fewer show no tail at all: they are counted."""
SHAPE_CLUSTERS = 30
"""Fewer do not show the shape of a tail, which is then taken for exponential: footage of some
minutes has no more, ten seconds apart."""
WANTED_CLUSTERS = 60
"""The level that is fitted above is as high as leaves so many, ..."""
BEYOND = 10.0
"""Rates below one in this many times the footage's length are not believed."""
CONFIDENCE = 0.8
"""Thresholds are those that so many resampled footages would do with."""
_RESAMPLED = 100
_SHAPES = (-0.5, 0.5)
_ENDED = 0.35
"""Mean of exponential exceedances that are cut off at twice their scale, as a share of that."""
_LEAST_SPREAD = 0.005
"""Of the exceedances, as a share of the level: no real view repeats its scores to the digit."""


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores of one camera's normal footage."""

    times_s: Floats
    """When each was [n]; a step back in time, as of a clock that was set, begins anew."""
    values: Floats
    """The scores [n], higher is more unusual."""
    hours: float
    """How much footage was looked at, whatever it scored."""

    def __post_init__(self) -> None:
        """Refuse what no rate can be told from.

        Raises:
            ValueError: If the lengths differ, a value is not finite, or no time was looked at.
        """
        if self.times_s.shape != self.values.shape or self.times_s.ndim != 1:
            raise ValueError(f"{self.times_s.shape} times for {self.values.shape} scores")
        if not (np.isfinite(self.times_s).all() and np.isfinite(self.values).all()):
            raise ValueError("a score or its time is not a finite number")
        if not 0 < self.hours < float("inf"):
            raise ValueError(f"{self.hours:g} hours of footage: must be above 0")


def scores_of(times_s: ArrayLike, values: ArrayLike, hours: float) -> Scores:
    """See `Scores`, which this makes of any numbers.

    Raises:
        ValueError: As `Scores` does.
    """
    return Scores(np.asarray(times_s, np.float64), np.asarray(values, np.float64), hours)


def clusters(scores: Scores, level: float, gap_s: float = GAP_S) -> Floats:
    """The highest score of every occurrence above a level [c], in the order of time.

    Args:
        scores: Of the footage.
        level: Scores at or below it are no occurrence.
        gap_s: Scores this far apart or further belong to two.
    """
    above = scores.values > level
    times, values = scores.times_s[above], scores.values[above]
    if not len(values):
        return values
    steps = np.diff(times)
    starts = np.flatnonzero((steps >= gap_s) | (steps < 0)) + 1
    return np.maximum.reduceat(values, np.concatenate([[0], starts]))


@dataclass(frozen=True, slots=True)
class Pareto:
    """A generalised Pareto distribution of exceedances, with how many there are an hour."""

    shape: float
    scale: float
    per_hour: float
    """Occurrences above the level that the exceedances are counted from."""

    def rate(self, over: float) -> float:
        """Occurrences an hour that exceed the level by more than `over`, which is 0 or more."""
        if abs(self.shape) < 1e-6:
            return self.per_hour * float(np.exp(-over / self.scale))
        inside = max(0.0, 1 + self.shape * over / self.scale)
        return self.per_hour * inside ** (-1 / self.shape) if inside > 0 else 0.0

    def excess(self, per_hour: float) -> float:
        """By how much the level must be exceeded to happen so often an hour; never below 0."""
        times = self.per_hour / per_hour
        if times <= 1:
            return 0.0
        if abs(self.shape) < 1e-6:
            return self.scale * float(np.log(times))
        return self.scale / self.shape * (times**self.shape - 1)


def moments(excesses: Floats, per_hour: float, least: float = 1e-12) -> Pareto:
    """A Pareto distribution by probability-weighted moments (Hosking and Wallis 1987).

    Args:
        excesses: Above 0 [n], n at least 1; of fewer than 30 the shape is taken for 0.
        per_hour: How many there are an hour.
        least: Smallest scale.
    """
    if len(excesses) < SHAPE_CLUSTERS:
        return Pareto(0.0, max(float(excesses.mean()), least), per_hour)
    ordered = np.sort(excesses)
    ranks = (np.arange(1, len(ordered) + 1) - 0.35) / len(ordered)
    mean = float(ordered.mean())
    second = float((ordered * (1 - ranks)).mean())
    shape = 2 - mean / (mean - 2 * second) if mean > 2 * second else _SHAPES[1]
    shape = float(np.clip(shape, *_SHAPES))
    # Where the shape is clipped the mean is kept.
    return Pareto(shape, max(mean * (1 - shape), least), per_hour)


def likeliest(excesses: Floats, per_hour: float, least: float = 1e-12) -> Pareto:
    """The same by maximum likelihood, begun at the weighted moments, which stand where it fails."""
    from scipy.stats import genpareto  # noqa: PLC0415  # a second, and only who fits needs it

    start = moments(excesses, per_hour, least)
    if start.scale <= least or len(excesses) < SHAPE_CLUSTERS:
        return start
    shape, _, scale = genpareto.fit(excesses, start.shape, floc=0, scale=start.scale)
    believed = _SHAPES[0] < shape < _SHAPES[1] and np.isfinite(scale) and scale > least
    return Pareto(float(shape), float(scale), per_hour) if believed else start


def cut_off(excesses: Floats, per_hour: float, span: float, least: float = 1e-12) -> Pareto:
    """An exponential distribution of which nothing beyond `span` was seen, by its likeliest scale.

    Args:
        excesses: Above 0, below `span` [n], n at least 1.
        per_hour: How many were seen an hour.
        span: What lies beyond was taken for an event; the scale is not believed above it.
        least: Smallest scale.
    """
    mean = float(excesses.mean())
    low, high = least, max(span, 2 * least)
    while high - low > 1e-4 * high:
        scale = (low + high) / 2
        # The mean of an exponential distribution that ends at `span`.
        expected = scale - span / np.expm1(min(span / scale, 500.0))
        low, high = (scale, high) if expected < mean else (low, scale)
    seen = -np.expm1(-span / high)
    return Pareto(0.0, high, per_hour / float(seen))


@dataclass(frozen=True)
class Tail:
    """How often a view reaches a score; made by `fit_tail`."""

    level: float
    """The fit holds above it."""
    peaks: tuple[float, ...]
    """Highest scores of the occurrences above the level."""
    hours: float
    above: int
    """Single scores above the level."""
    cut: float = float("inf")
    """No score from here on is known: it was an event, false or true."""

    @property
    def fitted(self) -> bool:
        """Whether there are enough occurrences for a tail; else they are counted."""
        return len(self.peaks) >= LEAST_CLUSTERS

    @property
    def rarest(self) -> float:
        """The lowest rate an hour that this footage can show at all."""
        if self.fitted:
            return 1 / (BEYOND * self.hours)
        return -float(np.log(1 - CONFIDENCE)) / self.hours

    def rate(self, score: float, confidence: float | None = None) -> float:
        """Occurrences an hour above a score.

        Args:
            score: Any; below the level the rate at the level is told.
            confidence: Share of resampled footages whose rate is not higher; None for the best
                guess.
        """
        over = max(0.0, score - self.level)
        if not self.fitted:
            count = sum(peak > score for peak in self.peaks)
            return (
                count / self.hours if confidence is None else _most(count, confidence, self.hours)
            )
        if confidence is None:
            return self._best.rate(over)
        return float(np.quantile([one.rate(over) for one in self._resampled], confidence))

    def threshold(self, per_hour: float, confidence: float | None = CONFIDENCE) -> float:
        """The score that is exceeded so often an hour.

        Args:
            per_hour: Above 0; nothing is refused here, see `rarest`.
            confidence: Share of resampled footages that the score is enough for; None for the best
                guess. Without a fit the score is one that was counted, and the highest where even
                that is exceeded too often.

        Returns:
            At least the level.
        """
        if not self.fitted:
            return self._counted_threshold(per_hour, confidence)
        if confidence is None:
            return self.level + self._best.excess(per_hour)
        over = [one.excess(per_hour) for one in self._resampled]
        return self.level + float(np.quantile(over, confidence))

    def _counted_threshold(self, per_hour: float, confidence: float | None) -> float:
        for score in sorted({self.level, *self.peaks}):
            if self.rate(score, confidence) <= per_hour:
                return score
        return max((self.level, *self.peaks))

    @cached_property
    def _excesses(self) -> Floats:
        return np.array(self.peaks) - self.level

    @property
    def _least(self) -> float:
        return _LEAST_SPREAD * abs(self.level)

    @cached_property
    def _best(self) -> Pareto:
        if self.cut < np.inf:
            return self._quick(self._excesses)
        return likeliest(self._excesses, len(self.peaks) / self.hours, self._least)

    def _quick(self, excesses: Floats) -> Pareto:
        per_hour = len(excesses) / self.hours
        if self.cut < np.inf:
            return cut_off(excesses, per_hour, self.cut - self.level, self._least)
        return moments(excesses, per_hour, self._least)

    @cached_property
    def _resampled(self) -> list[Pareto]:
        """Fits to occurrences drawn again, as many as chance would bring in the same time."""
        rng = np.random.default_rng(0)
        fits = []
        for drawn_count in rng.poisson(len(self.peaks), _RESAMPLED):
            count = max(1, int(drawn_count))
            fits.append(self._quick(rng.choice(self._excesses, count)))
        return fits


def fit_tail(scores: Scores, lowest: float = -np.inf, cut: float = np.inf) -> Tail:
    """Fit the tail of normal footage.

    The level is the highest that leaves 60 occurrences, else the one that leaves most.

    Args:
        scores: Of the footage; all that are above `lowest`.
        lowest: Scores at or below it are not known, or no part of a tail.
        cut: Scores from here on are not known in some of the footage, and are left out in all.
    """
    if cut < np.inf:
        below = scores.values < cut
        scores = Scores(scores.times_s[below], scores.values[below], scores.hours)
    best: tuple[float, Floats] | None = None
    for level in _levels(scores.values, lowest):
        peaks = clusters(scores, level)
        if best is None or len(peaks) > len(best[1]):
            best = level, peaks
        if len(peaks) >= WANTED_CLUSTERS and _ends_before(peaks - level, cut - level):
            break
    level, peaks = best if best is not None else (max(lowest, 0.0), np.zeros(0))
    above = int((scores.values > level).sum())
    if len(peaks) < LEAST_CLUSTERS and lowest > -np.inf:
        # Too few for a fit: all that are known are counted.
        level, peaks = lowest, clusters(scores, lowest)
    return Tail(float(level), tuple(float(p) for p in peaks), scores.hours, above, cut)


def _ends_before(excesses: Floats, span: float) -> bool:
    """Whether exceedances become rare before `span`, so that what is cut off there can be told."""
    return float(excesses.mean()) <= _ENDED * span


def _levels(values: Floats, lowest: float) -> Iterator[float]:
    """Levels to try, from high to low: each leaves half as many scores again as the one before."""
    ordered = np.sort(values[values > lowest])[::-1]
    count = WANTED_CLUSTERS
    # Below the middle of the scores it is the bulk that is fitted, no tail.
    most = len(ordered) // 2 if lowest == -np.inf else len(ordered)
    while count < most:
        yield float(ordered[count])
        count += count // 2
    if len(ordered):
        # Where nothing lies between the lowest that is known and the first score, no tail begins.
        yield float(ordered[max(0, most - 1)])


def _most(count: int, confidence: float, hours: float) -> float:
    """The highest rate an hour at which so few would still come in 1 - confidence of footages."""
    from scipy.stats import gamma  # noqa: PLC0415

    return float(gamma.ppf(confidence, count + 1)) / hours
