"""The timeline of one camera: a stretch of time with its scores, events and blind times."""

from dataclasses import asdict, dataclass
from typing import Any

from app.events.event import Event
from app.report.times import local
from app.web.places import Reader

SPANS_H = (1, 6, 24, 168)
"""Hours that a line may show."""
_STEPS_S = (60, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400)
_MOST_TICKS = 9
_POINTS = 480
"""Of the curve, each the peak of its time."""
_HEIGHT = 48
"""Of the box that the curve is drawn in; it is 1000 wide."""
_MOST_BARS = 400
_LEAST = 0.25
"""Per cent of the line that a short stretch is drawn as."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An event, a blind time or a time that was learned; positions are per cent of the line."""

    left: float
    width: float
    kind: str
    """`event`, `silent`, `camera`, `gap`."""
    label: str
    """What it is, with when."""
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the time."""

    left: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A stretch of time."""

    from_us: int
    until_us: int
    curve: str
    """Points in a box of 1000 by 48; the bar is at half of it."""
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    more: int
    """Events for which there was no room."""

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        return asdict(self)


def usual_hours(store: Reader) -> int:
    """How long a line shows all of a young run, and the last day of an old one."""
    run = store.last_run()
    lengths_h = [one.seen_s / 3600 for one in store.sources(run.id)] if run is not None else []
    return next((one for one in SPANS_H if one >= max(lengths_h, default=0) or one == 24), 24)


def line_of(store: Reader, hours: int, until_us: int | None = None) -> Line | None:
    """The line of a store's last run; None if nothing was looked at.

    Args:
        store: The store.
        hours: How long it is.
        until_us: Where it ends, UTC in microseconds; None for where the run is now.
    """
    run = store.last_run()
    sources = [one for one in store.sources(run.id) if one.start_us] if run is not None else []
    if run is None or not sources:
        return None
    ends = [(one.start_us or 0) + round(one.seen_s * 1e6) for one in sources]
    until_us = until_us or max(ends) + 1
    stretch = _Stretch(until_us - hours * 3_600_000_000, until_us)
    events = _events(store, stretch)
    bars = [*_gaps(store, run.id, stretch), *map(stretch.event, events[:_MOST_BARS])]
    points = [
        point
        for one in sources
        for point in _curve(store, run.id, one.uri, one.start_us or 0, stretch)
    ]
    curve = " ".join(f"{x:.1f},{y:.1f}" for x, y in sorted(points))
    more = max(len(events) - _MOST_BARS, 0)
    return Line(stretch.from_us, until_us, curve, tuple(bars), tuple(_ticks(stretch)), more)


@dataclass(frozen=True, slots=True)
class _Stretch:
    from_us: int
    until_us: int

    def at(self, time_us: float) -> float:
        """Per cent of the line, 0 to 100."""
        share = (time_us - self.from_us) / (self.until_us - self.from_us)
        return 100 * min(max(share, 0.0), 1.0)

    def bar(self, start_us: int, end_us: int, kind: str, label: str, event_id: str = "") -> Bar:
        left = self.at(start_us)
        width = max(self.at(end_us) - left, _LEAST)
        return Bar(round(min(left, 100 - _LEAST), 3), round(width, 3), kind, label, event_id)

    def event(self, event: Event) -> Bar:
        kind = "silent" if event.muted else "camera" if event.kind == "camera" else "event"
        label = f"{event.headline}, {local(event.start_us):%a %H:%M:%S}"
        return self.bar(event.start_us, event.end_us, kind, label, event.id)


def _events(store: Reader, stretch: _Stretch) -> list[Event]:
    rows = store.db.execute(
        "SELECT id FROM event WHERE start_us < ? AND end_us >= ? ORDER BY start_us DESC LIMIT ?",
        (stretch.until_us, stretch.from_us, 2 * _MOST_BARS),
    ).fetchall()
    events = [store.event(row["id"]) for row in rows]
    return [event for event in events if event is not None]


def _gaps(store: Reader, run_id: int, stretch: _Stretch) -> list[Bar]:
    rows = store.db.execute(
        "SELECT * FROM gap WHERE run_id = ? AND start_us < ? AND coalesce(end_us, ?) >= ?"
        " ORDER BY start_us LIMIT ?",
        (run_id, stretch.until_us, stretch.until_us, stretch.from_us, _MOST_BARS),
    ).fetchall()
    return [_gap(stretch, row) for row in rows]


def _gap(stretch: _Stretch, row: Any) -> Bar:  # noqa: ANN401 - a row
    end_us = row["end_us"]
    lasted = "still" if end_us is None else f"for {(end_us - row['start_us']) / 1e6:.0f} s"
    why = row["detail"] or row["reason"]
    label = f"blind {lasted} from {local(row['start_us']):%a %H:%M:%S}: {why}"
    return stretch.bar(row["start_us"], end_us or stretch.until_us, "gap", label)


def _curve(
    store: Reader, run_id: int, uri: str, start_us: int, stretch: _Stretch
) -> list[tuple[float, float]]:
    first = (stretch.from_us - start_us) // 1_000_000
    last = (stretch.until_us - start_us) // 1_000_000
    step = max((last - first) // _POINTS, 1)
    rows = store.db.execute(
        "SELECT second / ? AS part, max(peak) AS peak FROM second"
        " WHERE run_id = ? AND uri = ? AND second BETWEEN ? AND ? GROUP BY part ORDER BY part",
        (step, run_id, uri, max(first, 0), last),
    )
    return [
        (
            10 * stretch.at(start_us + (row["part"] + 0.5) * step * 1e6),
            _HEIGHT * (1 - min(row["peak"], 2.0) / 2),
        )
        for row in rows
    ]


def _ticks(stretch: _Stretch) -> list[Tick]:
    length_s = (stretch.until_us - stretch.from_us) / 1e6
    step = next((one for one in _STEPS_S if length_s / one <= _MOST_TICKS), _STEPS_S[-1])
    begin = local(stretch.from_us).replace(minute=0, second=0, microsecond=0)
    if step >= 7200:
        begin = begin.replace(hour=0)
    at_us, ticks = round(begin.timestamp() * 1e6), []
    while at_us < stretch.until_us:
        if at_us >= stretch.from_us:
            when = local(at_us)
            text = f"{when:%a %d}" if step >= 43200 or when.hour + when.minute == 0 else None
            ticks.append(Tick(round(stretch.at(at_us), 3), text or f"{when:%H:%M}"))
        at_us += step * 1_000_000
    return ticks
