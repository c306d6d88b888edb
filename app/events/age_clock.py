"""By which clock the age of what is stored is measured: one that was set ahead is not believed.

A clock that jumps years ahead would make everything too old at once. So each time that a watch
gives up what is too old it notes the time, and how long it has run since. A clock that is more than
a day off is doubted: age is measured by the earlier of what it says and what should be, until the
clock is put right, has stayed so for a week, or somebody types `nomaly retain`.
"""

import json
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.errors import StoreError
from app.events.schema import STORE, WAIT_S, faults, open_database
from novic.json_files import CARD_BYTES, read_json
from novic.whole_files import write_whole

CLOCK = "clock.json"
"""Beside the store: until when the clock was believed, and for how long it is doubted."""
OFF_S = 86_400.0
"""A clock that is farther from what it should be is doubted."""
BELIEVED_S = 7 * 86_400.0
"""It is believed once it was off for so long while a watch ran."""
_SECOND_US = 1_000_000
_SET_US = 1_735_689_600 * _SECOND_US
"""A clock that is before 2025 was not set yet since the machine was switched on."""

_BEGUN_S = 1e-3
"""More than nothing: a doubt has begun."""

type Clock = Callable[[], tuple[int, float]]
"""UTC in microseconds, and seconds since whenever, which nobody can set."""


def machine_clock() -> tuple[int, float]:
    """The machine's own; it counts on while the machine sleeps, where the system can tell."""
    kind = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return round(datetime.now(UTC).timestamp() * _SECOND_US), time.clock_gettime(kind)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the clock, as it is kept."""

    time_us: int
    """What it should have been when it was last asked, UTC in microseconds."""
    doubted_s: float = 0.0
    """For how long it has been off that; 0 while it is believed."""
    seen: bool = False
    """Whether it jumped while a watch ran, and not while nobody looked."""


class AgeClock:
    """Tells by what time age is measured in one folder, while a watch lasts."""

    def __init__(self, folder: Path, clock: Clock = machine_clock) -> None:
        """Take what is known; before this watch has stored anything.

        Args:
            folder: Of the store.
            clock: What is asked.
        """
        self.said = ""
        """What is wrong with the clock, one sentence; empty if nothing is."""
        self.seen = False
        """Whether it jumped while a watch ran, and not while nobody looked."""
        self._folder, self._clock = folder, clock
        self._first = _read(folder)
        if self._first is None:
            # A store that is busy is no reason not to watch.
            with suppress(StoreError):
                self._first = _newest(folder)
        self._last_s: float | None = None

    def time_us(self) -> int:
        """By what time age is measured now, UTC in microseconds.

        Raises:
            app.errors.StoreError: If what is known of the clock cannot be written.
        """
        says_us, since_s = self._clock()
        passed_s = 0.0 if self._last_s is None else since_s - self._last_s
        if says_us < _SET_US:
            return says_us
        # Another process may have said that the clock is right.
        known = _read(self._folder) or self._first or _Known(says_us)
        due_us = known.time_us + round(passed_s * _SECOND_US)
        off_s = (says_us - due_us) / _SECOND_US
        doubted_s = known.doubted_s + passed_s if known.doubted_s else 0.0
        if abs(off_s) <= OFF_S or doubted_s >= BELIEVED_S:
            known = _Known(says_us)
        else:
            seen = known.seen if known.doubted_s else self._last_s is not None
            known = _Known(due_us, max(doubted_s, _BEGUN_S), seen)
        ahead = bool(known.doubted_s) and off_s > 0
        self.said = _said(self._folder, says_us, off_s) if ahead else ""
        self.seen, self._last_s = known.seen, since_s
        _write(self._folder, known)
        return min(says_us, known.time_us)


def believe(folder: Path, clock: Clock = machine_clock) -> None:
    """Believe the clock as it is, since somebody measured age by it by hand.

    Args:
        folder: Of the store; of one that no watch keeps in order nothing is noted.
        clock: What is asked.

    Raises:
        app.errors.StoreError: If it cannot be written.
    """
    if (folder / CLOCK).exists():
        _write(folder, _Known(clock()[0]))


def _said(folder: Path, says_us: int, ahead_s: float) -> str:
    day = datetime.fromtimestamp(says_us / _SECOND_US, UTC).date()
    return (
        f"The clock of this machine says {day}, which is {ahead_s / 86_400:.0f} days later than "
        "what was stored last: nothing is given up by it for a week. Set it right; if it is right, "
        f"say so with nomaly retain {folder}."
    )


def _read(folder: Path) -> _Known | None:
    """What was kept; None if nothing was, or nobody can read it."""
    try:
        kept = read_json(folder / CLOCK, CARD_BYTES)
        return _Known(int(kept["time_us"]), float(kept["doubted_s"]), bool(kept["seen"]))
    except (OSError, KeyError, TypeError, ValueError, OverflowError):
        return None


def _write(folder: Path, known: _Known) -> None:
    with faults(folder):
        write_whole(folder / CLOCK, json.dumps(asdict(known)).encode())


def _newest(folder: Path) -> _Known | None:
    """When something was stored last; None if nothing was."""
    if not (folder / STORE).is_file():
        return None
    with faults(folder), closing(open_database(folder, WAIT_S)) as database:
        ends = (
            "SELECT MAX(end_us) FROM event",
            "SELECT MAX(start_us + CAST(seen_s * 1000000 AS INTEGER)) FROM source",
        )
        newest = [database.execute(one).fetchone()[0] for one in ends]
    set_ = [one for one in newest if one is not None and one >= _SET_US]
    return _Known(max(set_)) if set_ else None
