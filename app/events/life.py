"""The life of an event while its thing is there: it rings once, stands, and is over."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LifeRule:
    """When a thing counts as standing, and what is told of it then."""

    stationary_s: float = 60.0
    """It stands once it has not moved for so many seconds; 0 to never say so."""
    reminder_s: float = 8 * 3600.0
    """So many seconds from one reminder of a thing that stands to the next; 0 for none."""
    normal_s: float = 30.0
    """What stands has gone once its place was seen as usual for so many seconds."""
