"""How much of a source was really looked at."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.events.reading import SourceProgress


def watched_s(source: SourceProgress, gaps: Iterable[Mapping[str, Any]]) -> float:
    """Seconds between the stretch that was learned from and the last frame, without blind times.

    Args:
        source: How far it was watched.
        gaps: Rows of the run's gaps, by `start_us`; those of other cameras do not count.
    """
    if source.start_us is None:
        return 0.0
    from_us = source.start_us + round(1e6 * source.from_s)
    until_us = source.start_us + round(1e6 * source.seen_s)
    seen_us, at_us = 0, from_us
    for gap in gaps:
        if gap["camera"] == source.camera:
            seen_us += max(0, min(gap["start_us"], until_us) - at_us)
            end_us = gap["end_us"]
            at_us = max(at_us, until_us if end_us is None else end_us)
    return (seen_us + max(0, until_us - at_us)) / 1e6
