"""A threshold from what is good alone, and which share of good things will lie above it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

type How = Literal["counted", "extrapolated"]

_LEAST_SPREAD = 0.01
"""Of the upper half, as a share of its foot: real scores do not repeat to a hundredth."""


@dataclass(frozen=True, slots=True)
class GoodThreshold:
    """A score that good things seldom exceed."""

    value: float
    share: float
    """Of good things that are expected above it; no more than that if it was counted."""
    how: How
    """Counted among what was seen, or extrapolated from it because too little was."""
    seen: int
    """Good things that it rests on."""


def good_threshold(scores: ArrayLike, share: float) -> GoodThreshold:
    """The score that at most a share of good things exceeds.

    Counted where enough was seen: of n + 1 things that are alike each is as likely the highest, so
    the k-th highest of n is exceeded with a chance of k / (n + 1) (split conformal prediction, Vovk
    et al. 2005). Else the upper half of the scores is taken for an exponential tail, and the result
    is never below the highest score seen.

    Args:
        scores: Of good things that nothing was learned from [n], n at least 2, finite.
        share: Wanted, above 0 and below 1.

    Raises:
        ValueError: If there are fewer than two scores or one is not finite.
    """
    ordered = np.sort(np.asarray(scores, np.float64))
    count = len(ordered)
    if count < 2 or not np.isfinite(ordered).all():
        raise ValueError(f"{count} scores: at least 2 finite ones are needed")
    rank = int(share * (count + 1) + 1e-9)
    if rank >= 1:
        return GoodThreshold(float(ordered[-rank]), rank / (count + 1), "counted", count)
    foot = float(np.median(ordered))
    over = ordered[ordered > foot] - foot
    scale = max(float(over.mean()) if len(over) else 0.0, _LEAST_SPREAD * abs(foot))
    reached = foot + scale * float(np.log(0.5 / share))
    return GoodThreshold(max(reached, float(ordered[-1])), share, "extrapolated", count)
