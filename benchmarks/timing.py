"""Side-by-side timing: both ways in turn, so that a busy machine slows both alike."""

import statistics
import time
from collections.abc import Callable


def seconds(call: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def side_by_side(
    slow: Callable[[], object], fast: Callable[[], object], runs: int
) -> tuple[float, float, float]:
    """Time two ways of doing one thing in turn, after a warm-up of each.

    Returns:
        Median seconds of the slow way, of the fast way, and the median of the pairs' ratios.
    """
    slow()
    fast()
    pairs = [(seconds(slow), seconds(fast)) for _ in range(runs)]
    return (
        statistics.median(pair[0] for pair in pairs),
        statistics.median(pair[1] for pair in pairs),
        statistics.median(pair[0] / pair[1] for pair in pairs),
    )
