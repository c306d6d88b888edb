"""Times as people write them: how long ago, a day, a moment, or an event after which to begin."""

import re
from datetime import datetime, timedelta

from app.errors import UsageError
from app.lengths import written_s

_AGO = re.compile(r"(.*?)\s+ago")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_DAYS = {"today": 0, "yesterday": 1}


def time_us(text: str, now: datetime, *, end: bool = False) -> int:
    """A time that somebody wrote, UTC in microseconds.

    Args:
        text: How long ago, as 24h, 90min or 7d; a day, as 2026-11-29, today or yesterday; a moment,
            as 2026-11-29T12:03 or "2026-11-29 12:03:20"; a time of today, as 12:03; now.
        now: In the zone that days and clocks are of.
        end: A day means its end, not its beginning.

    Raises:
        UsageError: If it is none.
    """
    asked = text.strip().lower()
    ago = _AGO.fullmatch(asked)
    if (past_s := written_s(ago[1] if ago else asked)) is not None:
        return _us(now) - round(1e6 * past_s)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if asked == "now":
        return _us(now)
    if asked in _DAYS:
        return _us(_day(midnight - timedelta(days=_DAYS[asked]), end))
    if found := _CLOCK.fullmatch(asked):
        hour, minute, second = (int(part or 0) for part in found.groups())
        return _us(midnight.replace(hour=hour, minute=minute, second=second))
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=now.tzinfo)
        return _us(_day(moment, end) if len(asked) <= len("2026-11-29") else moment)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text}: is no time; write 24h, 7d, today, 12:03, 2026-11-29 or 2026-11-29T12:03, or "
            "the id of an event"
        ) from error


def _day(moment: datetime, end: bool) -> datetime:
    return moment + timedelta(days=1) if end else moment


def _us(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6)
