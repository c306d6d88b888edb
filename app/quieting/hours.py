"""At which hours of the day something is usual, by when it was seen."""

from collections.abc import Sequence

from app.feedback.when import DAY_MIN, When, local

LEAST = 5
"""Events from which on hours are proposed."""
MARGIN_MIN = 30
"""Before the earliest and behind the latest of them, before both are rounded to whole hours."""
MOST_MIN = 16 * 60
"""Hours longer than this are all day."""


def usual(times_us: Sequence[int]) -> When | None:
    """The shortest part of the day that holds all of some times, in whole hours with room.

    Args:
        times_us: UTC in microseconds.

    Returns:
        All day where it is most of it; None where there are too few times to tell.
    """
    if len(times_us) < LEAST:
        return None
    minutes = sorted({60 * at.hour + at.minute for at in map(local, times_us)})
    following = [*minutes[1:], minutes[0] + DAY_MIN]
    gap, first = max((two - one, two) for one, two in zip(minutes, following, strict=True))
    since_min = (first - MARGIN_MIN) // 60 * 60
    until_min = -((-(first + DAY_MIN - gap + MARGIN_MIN)) // 60) * 60
    if until_min - since_min > MOST_MIN:
        return When()
    return When(since_min % DAY_MIN, (until_min - 1) % DAY_MIN + 1)
