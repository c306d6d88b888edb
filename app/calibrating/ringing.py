"""What would have rung had at most a share of all rings been nothing, by what people confirmed.

How rare an event would be if it were nothing is told by the levels of normal footage: of all that
came near, the share that reaches its level among those that reach the bar (`calibration.rings`).
"""

from collections.abc import Sequence

import numpy as np

from calibration.levels import Level
from calibration.rings import Rings
from calibration.scores.conformal import LEAST, tailed_ranks_of
from calibration.scores.protocol import Floats, ScoreError
from calibration.site.confirmed import Confirmed
from novic.errors import NomalyError

SHARES = (0.05, 0.1, 0.2)
"""Of rings that may be nothing."""


def rings_said(levels: Sequence[Level], events: Sequence[Confirmed]) -> str:
    """One sentence: of the confirmed events, how many would have rung by each of SHARES.

    Args:
        levels: Of normal footage.
        events: That people confirmed, in any order; what nobody can tell is left out.
    """
    events = [one for one in events if not one.is_unknown]
    known = [one for one in events if one.level is not None and one.bar is not None]
    if not known:
        return "rings: not measured, no confirmed event tells its level and bar, as newer ones do"
    if len(levels) < LEAST:
        return (
            f"rings: not measured, {len(levels)} things came near to ringing in normal footage, "
            f"{LEAST} are needed"
        )
    known.sort(key=lambda one: one.time_us)
    try:
        ranks = tailed_ranks_of("rings", np.array([one.value for one in levels], np.float64))
        at, bars = (
            ranks.log_p(np.array(values, np.float64))
            for values in ([one.level for one in known], [one.bar for one in known])
        )
        p = np.exp(np.minimum(at - bars, 0.0))
        counts = [_count(share, p, known) for share in SHARES]
    except (ScoreError, NomalyError) as error:
        return f"rings: not measured: {str(error).removeprefix('rings: ')}"
    nothing = sum(one.is_normal for one in known)
    told = "; ".join(
        f"had at most {100 * share:g}% of all rings been nothing, {things} and {wrong}"
        for share, (things, wrong) in zip(SHARES, counts, strict=True)
    )
    return f"rings: {len(known) - nothing} things and {nothing} that were nothing rang; {told}"


def _count(share: float, p: Floats, events: Sequence[Confirmed]) -> tuple[int, int]:
    """How many things would have rung, and how many that were nothing."""
    rings = Rings(share)
    rang = [one for one, rare in zip(events, p, strict=True) if rings.ring(float(rare))]
    wrong = sum(one.is_normal for one in rang)
    return len(rang) - wrong, wrong
