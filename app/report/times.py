"""Times for people: on the recording's own clock, and on the wall's with what it rests on."""

from datetime import datetime

from app.events.store import Run, SourceProgress

BASES = {
    "given": "as told with --start",
    "container": "by the clock of what recorded it",
    "name": "by the file's name",
    "modified": "about, from the file's date",
    "arrival": "by this machine's clock",
}
"""What a source's wall clock rests on (`app.sources.base.TimeFrom`), in words."""


def clock(seconds: float) -> str:
    """Seconds as m:ss.d, or h:mm:ss from one hour on."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    if minutes >= 60:
        return f"{minutes // 60}:{minutes % 60:02d}:{rest // 10:02d}"
    return f"{minutes}:{rest // 10:02d}.{rest % 10}"


def local(time_us: int) -> datetime:
    """UTC in microseconds in the time zone of this machine."""
    return datetime.fromtimestamp(time_us / 1e6).astimezone()


def day(time_us: int) -> str:
    """A time in the zone of this machine, which is named."""
    when = local(time_us)
    return f"{when:%Y-%m-%d %H:%M:%S} {when:%Z}"


def since(at_us: int, told_us: int) -> str:
    """When something began that is told, both UTC in microseconds; with its day if another."""
    at, told = local(at_us), local(told_us)
    return f"{at:%H:%M}" if at.date() == told.date() else f"{at:%Y-%m-%d %H:%M}"


def zone(time_us: int) -> str:
    """The zone of this machine at a time, with its distance from UTC."""
    when = local(time_us)
    offset = f"{when:%z}"
    return f"{when:%Z}" if offset == "+0000" else f"{when:%Z} (UTC{offset[:3]}:{offset[3:]})"


def basis(run: Run, source: SourceProgress) -> str:
    """What the wall clock of a source rests on; empty if nothing is known of it."""
    # Watches of before December 2026 did not keep it: of an address it can only be ours.
    ours = run.kind == "watch" and "://" in source.uri
    return source.time_from or ("arrival" if ours else "")


def is_fact(rests_on: str) -> bool:
    """Whether a wall clock may be shown without a word of doubt."""
    return rests_on in ("given", "container", "name", "arrival")


def wall(time_us: int, rests_on: str) -> str:
    """A wall time with as much doubt as its basis leaves; empty if it has none."""
    if rests_on not in BASES:
        return ""
    return day(time_us) if is_fact(rests_on) else f"about {day(time_us)}"
