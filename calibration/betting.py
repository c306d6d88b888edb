"""Whether what a camera shows still is what it was calibrated on: money that is bet against it.

Each new score is ranked among all before it. If they are exchangeable with the calibration's, these
ranks are independent and uniform whatever the scores are, and no way to bet on them wins: a
fortune of 1 reaches 1/alpha with a chance of alpha at most, however long one looks (Ville 1939).
How it is bet: jumpers as in Vovk et al. 2021, Retrain or not retrain, with stakes on high and on
low ranks that may change at any time. Scores must not follow each other closely: one for each place
and minute.

No view is quite the same an hour later. With `slack` a stake pays only for what a mean rank lies
further than that from the middle, so while nothing happens each stake loses. Most of the fortune
therefore waits as cash, of which step n puts a share of about 1/n on stakes: after n quiet scores
the fortune is not below some power of 1/n, and a change is noticed later by some log n.

Why the bound holds: what moves between cash and stakes is settled before a score is seen and adds
nothing, and a stake s is worth 1 + s (E[p] - 1/2) - |s| slack <= 1 on average while the mean rank,
given all before, lies within slack of the middle. So the fortune is a supermartingale.
"""

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STAKES = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
"""What is won is 1 + stake (p - 1/2): below 0 on scores that are high, above on low ones."""
JUMPS = (1.0, 0.1, 0.01, 0.001)
"""Shares of what lies on stakes that are put on all anew at each step, cash among them; each
jumper begins with a quarter of the fortune."""
ENTRY = 0.25
"""Of cash a share of this over the number of the step is put on all stakes."""
ALPHA = 0.01
SLACK = 0.1
"""So far the mean rank of a camera's crops may lie from the middle, as a share of all ranks, at
any time, given all before."""

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Void:
    """That a calibration no longer holds."""

    since_us: int
    """From when on what is seen looks otherwise, UTC in microseconds: when bets began to win."""
    noticed_us: int
    """When that was sure."""


class Betting:
    """Bets against a calibration, score by score; can be asked at any time."""

    def __init__(
        self, known: Iterable[float], alpha: float = ALPHA, seed: int = 0, slack: float = 0.0
    ) -> None:
        """Begin with a fortune of 1.

        Args:
            known: Scores that the calibration holds for, in any order, at least one.
            alpha: Chance, 0 to 1, that it is ever called void although nothing changed.
            seed: Of the draws that part equal scores.
            slack: So far the mean rank may lie from the middle and nothing has changed, as a
                share of all ranks: from 0, below .5.

        Raises:
            ValueError: If there is no score, one is not finite, alpha is no such chance, or slack
                no such share.
        """
        self._past = sorted(float(one) for one in known)
        if not self._past or not np.isfinite(self._past).all():
            raise ValueError("betting needs known scores, all of them finite numbers")
        if not 0 < alpha < 1:
            raise ValueError(f"alpha must be between 0 and 1, got {alpha}")
        if not 0 <= slack < 0.5:
            raise ValueError(f"slack must be from 0 and below .5, got {slack}")
        self._slack = slack
        # Whatever comes, the largest stake loses no more than all.
        self._stakes = STAKES * (0.5 / (0.5 + slack))
        self._rng = np.random.default_rng(seed)
        self._limit = -float(np.log(alpha))
        self._cash = int(np.flatnonzero(STAKES == 0)[0])
        self._leaves = np.repeat(np.array(JUMPS)[:, None], len(STAKES), axis=1)
        self._money = np.full(self._leaves.shape, 1 / self._leaves.size)
        """Shares of the fortune, of each jumper on each stake."""
        self._log, self._lowest_log, self._since_us = 0.0, 0.0, 0
        self.lowest = 0
        """Scores that were seen when the fortune was lowest, the last of them among them; 0 if it
        never was below what it began with."""
        self.seen = 0
        """Scores that were seen since the calibration."""
        self.void: Void | None = None
        """That it no longer holds; stays once it is there."""

    @property
    def log_fortune(self) -> float:
        """Natural logarithm of the fortune; 0 is what it began with."""
        return self._log

    def see(self, score: float, time_us: int) -> bool:
        """Bet on one more score.

        Args:
            score: As the known ones were computed; the order in which they come is that of time.
            time_us: When, UTC in microseconds; only told, a clock that goes back harms nothing.

        Returns:
            Whether the calibration is void by now.

        Raises:
            ValueError: If the score is not finite; nothing is bet then.
        """
        if not np.isfinite(score):
            raise ValueError(f"a score of {score} cannot be ranked")
        if not self.seen:
            self._since_us = time_us
        self.seen += 1
        self._bet(self._rank(score))
        if self._log < self._lowest_log:
            self._lowest_log, self.lowest, self._since_us = self._log, self.seen, time_us
        if self.void is None and self._log >= self._limit:
            self.void = Void(self._since_us, time_us)
        return self.void is not None

    def _rank(self, score: float) -> float:
        """The share of scores so far, itself among them, that lie above; equal ones by chance."""
        low, high = bisect_left(self._past, score), bisect_right(self._past, score)
        above, equal = len(self._past) - high, high - low + 1
        insort(self._past, score)
        return float((above + self._rng.random() * equal) / len(self._past))

    def _bet(self, p: float) -> None:
        won = 1 + self._stakes * (p - 0.5) - np.abs(self._stakes) * self._slack
        self._leaves[:, self._cash] = ENTRY / (self.seen + 1)
        leaving = self._leaves * self._money
        spread = leaving.sum(axis=1, keepdims=True) / len(STAKES)
        money = (self._money - leaving + spread) * won
        total = max(float(money.sum()), 1e-300)
        self._log += math.log(total)
        self._money = money / total
