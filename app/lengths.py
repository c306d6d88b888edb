"""Lengths of time, as people write them and as they are told."""

import re
from collections.abc import Collection

UNITS_S = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
"""Seconds of a unit, as it is written."""
_WRITTEN = re.compile(r"(\d{1,6}(?:\.\d*)?|\.\d+)\s*([a-z]+)")


def written_s(text: str, units: Collection[str] = UNITS_S.keys()) -> float | None:
    """Seconds of 12h, 1.5 d or 8w.

    Args:
        text: A number below a million and a unit.
        units: Those that are taken, keys of UNITS_S.

    Returns:
        Above 0; None if it is no length, or one of another unit.
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or found[2] not in units:
        return None
    return float(found[1]) * UNITS_S[found[2]] or None


def told(seconds: float, *, tenths: bool = False) -> str:
    """A length to the second or minute: 7 s, 2 min 5 s, 3 h 20 min.

    Args:
        seconds: 0 or more.
        tenths: Below ten seconds with one decimal, as 7.2 s.
    """
    if tenths and seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def told_about(seconds: float) -> str:
    """A length in one unit: 7 s, 2 min, 3.3 h, 4 days.

    Args:
        seconds: 0 or more.
    """
    if seconds < UNITS_S["min"]:
        return f"{seconds:.0f} s"
    if seconds < UNITS_S["h"]:
        return f"{seconds / UNITS_S['min']:.0f} min"
    if seconds < 2 * UNITS_S["d"]:
        return f"{seconds / UNITS_S['h']:.1f} h"
    return f"{seconds / UNITS_S['d']:.0f} days"
