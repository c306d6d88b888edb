"""When a recording began: by its container, its name or its date."""

import re
from datetime import UTC, datetime
from pathlib import Path

from av.container import InputContainer

_FIRST_CREDIBLE_YEAR = 1990
"""Cameras without a clock write 1904 or 1970 as the creation time."""
_LAST_CREDIBLE_YEAR = 2100
_CLOCK = re.compile(
    r"(?<!\d)(\d{4})[-_.]?(\d\d)[-_.]?(\d\d)"  # a day: 20240131, 2024-01-31
    r"[T _./-]{0,3}"
    r"(\d\d)[-_.:h]?(\d\d)(?:[-_.:m]?(\d\d))?s?"  # a time: 101500, 10-15-00, 10h15m00s, 10-15
    r"(Z)?(?!\d)"
)
_UNIX = re.compile(r"(?<!\d)(\d{10})(?:\d{3})?(?!\d)")
"""Seconds since 1970, or milliseconds."""


def creation_time(container: InputContainer) -> datetime | None:
    """What the container says; None if nothing that can be believed."""
    try:
        created = datetime.fromisoformat(container.metadata.get("creation_time", ""))
    except ValueError:
        return None
    return created if created.year >= _FIRST_CREDIBLE_YEAR else None


def time_in_name(path: Path) -> datetime | None:
    """The time in a file's name, or the day in its folder's name and the time in its own.

    Recorders write local time, so it is taken in this machine's zone unless it ends in Z. The first
    of several times counts.

    Returns:
        The time with its zone; None if there is none.
    """
    stem = path.name.removesuffix(path.suffix) if not path.suffix[1:].isdigit() else path.name
    for text in (stem, f"{path.absolute().parent.name}/{stem}"):
        for found in _CLOCK.finditer(text):
            when = _moment(found)
            if when is not None:
                return when
    for found in _UNIX.finditer(stem):
        when = datetime.fromtimestamp(int(found[1]), UTC)
        if credible(when):
            return when
    return None


def credible(when: datetime) -> bool:
    """Whether a camera with a clock can have said so."""
    return _FIRST_CREDIBLE_YEAR <= when.year < _LAST_CREDIBLE_YEAR


def _moment(found: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second = (int(digits or 0) for digits in found.groups()[:6])
    utc = found[7] is not None
    try:
        when = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - local, see below
    except ValueError:
        return None
    if not credible(when):
        return None
    return when.replace(tzinfo=UTC) if utc else when.astimezone()
