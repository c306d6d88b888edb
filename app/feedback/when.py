"""Hours of the day and days of the week, on the clock of this machine."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from app.errors import UsageError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MIN = 24 * 60
_CLOCK = r"(\d{1,2})(?::([0-5]\d))?"
_HOURS = re.compile(rf"\s*{_CLOCK}\s*-\s*{_CLOCK}\s*")


@dataclass(frozen=True, slots=True)
class When:
    """Part of each day, or of some days; all of it if nothing is said."""

    since_min: int = 0
    """Minutes from midnight at which it begins, 0 to 1439."""
    until_min: int = DAY_MIN
    """... and at which it is over, 1 to 1440; before its beginning if it goes over midnight."""
    days: tuple[int, ...] = ()
    """On which it begins, 0 for Monday to 6; empty for every day."""

    @classmethod
    def parse(cls, hours: str = "", days: str = "") -> Self:
        """From words such as "8-12", "22:30-6" and "mon-fri", "sat,sun".

        Raises:
            UsageError: If they are no hours or no days.
        """
        since_min, until_min = _hours(hours) if hours.strip() else (0, DAY_MIN)
        return cls(since_min, until_min, _days(days) if days.strip() else ())

    @property
    def always(self) -> bool:
        """Whether it is every hour of every day."""
        return self.whole_day and not self.days

    @property
    def whole_day(self) -> bool:
        """Whether it is every hour."""
        return self.until_min - self.since_min == DAY_MIN

    def holds(self, time_us: int) -> bool:
        """Whether a time, UTC in microseconds, lies in it."""
        at = local(time_us)
        minute = 60 * at.hour + at.minute
        if self.since_min < self.until_min:
            inside = self.since_min <= minute < self.until_min
        else:
            inside = minute >= self.since_min or minute < self.until_min
            if minute < self.until_min:
                # What goes over midnight belongs to the day on which it began.
                at -= timedelta(days=1)
        return inside and (not self.days or at.weekday() in self.days)

    @property
    def said(self) -> str:
        """For people, as "8 to 12, Mon to Fri"; empty if it is always."""
        hours = "" if self.whole_day else f"{_clock(self.since_min)} to {_clock(self.until_min)}"
        return ", ".join(part for part in (hours, _days_said(self.days)) if part)


def local(time_us: int) -> datetime:
    """UTC in microseconds in the time zone of this machine."""
    return datetime.fromtimestamp(time_us / 1e6).astimezone()


def _clock(minutes: int) -> str:
    hour, rest = divmod(minutes, 60)
    return f"{hour}:{rest:02d}" if rest else f"{hour}"


def _hours(text: str) -> tuple[int, int]:
    found = _HOURS.fullmatch(text)
    since_min, until_min = (
        (60 * int(found[1]) + int(found[2] or 0), 60 * int(found[3]) + int(found[4] or 0))
        if found
        else (0, 0)
    )
    if since_min in (until_min, DAY_MIN) or max(since_min, until_min) > DAY_MIN:
        raise UsageError(f"--hours {text}: are no hours of a day; write 8-12, 22-6 or 7:30-9")
    return since_min, until_min or DAY_MIN


def _days(text: str) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.lower().split(","):
        ends = [name.strip()[:3] for name in part.split("-")]
        if len(ends) > 2 or not all(name in DAYS for name in ends):
            raise UsageError(f"--days {text}: are no days; write mon-fri, sat,sun or wed")
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        found |= {(first + step) % 7 for step in range((last - first) % 7 + 1)}
    return () if len(found) == 7 else tuple(sorted(found))


def _days_said(days: tuple[int, ...]) -> str:
    names = [DAYS[day].capitalize() for day in days]
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{names[0]} to {names[-1]}"
    return ", ".join(names)
