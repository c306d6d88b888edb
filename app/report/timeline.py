"""The timeline of a report: for every source its score, its events, and when nobody looked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.events.event import Event
from app.events.reading import Run, SourceProgress, StoreReader
from app.progress import clock as whole_clock
from app.report.times import BASES, basis, clock, is_fact, local, wall

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
"""Seconds between the marks of a line; the smallest that needs at most MOST_TICKS of them."""
MOST_TICKS = 12
MOST_POINTS = 600
"""Of the score curve."""
HEIGHT = 60
"""Of the box that the curve is drawn in; it is 1000 wide."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An event; positions are per cent of the line."""

    left: float
    width: float
    number: int
    label: str
    """Its headline; empty while that says nothing, since there is little room."""
    title: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which nothing could be found."""

    left: float
    width: float
    kind: str
    """`learned` as normal, or a `gap`."""
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the time."""

    left: float
    text: str
    wall: str
    """The clock on the wall; empty where it is only guessed."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One source."""

    name: str
    uri: str
    length: str
    warning: str
    begins: str
    """On the wall's clock, with what that rests on."""
    curve: str
    """Points of the score curve in a box of 1000 by HEIGHT."""
    line: float
    """Height of the threshold in that box."""
    ceiling: str
    """The score at its upper edge, in thresholds."""
    bars: tuple[Bar, ...]
    stretches: tuple[Stretch, ...]
    ticks: tuple[Tick, ...]
    highest: str
    """The highest score, and when; empty if nothing was looked at."""


def lane(
    store: StoreReader, run: Run, source: SourceProgress, events: Sequence[tuple[int, Event]]
) -> Lane:
    """Draw the line of one source.

    Args:
        store: Holds its scores and gaps.
        run: In which it was watched.
        source: The source.
        events: Those that were seen in it, with their numbers in the report.
    """
    gaps = [gap for gap in store.gaps(run.id) if gap["camera"] == source.camera]
    line = _Line(source, _length(run, source, gaps))
    seconds = store.seconds(run.id, source.uri)
    ceiling = max([2.0, *(peak for _, peak in seconds)])
    curve = " ".join(
        f"{10 * line.at(second + 0.5):.1f},{HEIGHT * (1 - min(peak, ceiling) / ceiling):.1f}"
        for second, peak in _thinned(seconds)
    )
    rests_on = basis(run, source)
    return Lane(
        name=source.camera,
        uri=source.uri,
        length=clock(line.length_s),
        warning=source.warning,
        begins=_begins(source, rests_on),
        curve=curve,
        line=HEIGHT * (1 - 1 / ceiling),
        ceiling=f"{ceiling:.1f}",
        bars=tuple(_bar(line, number, event) for number, event in events),
        stretches=tuple(_stretches(line, gaps)),
        ticks=tuple(_ticks(line, source.start_us if is_fact(rests_on) else None)),
        highest=_highest(seconds),
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """Where a time lies on the line of a source."""

    source: SourceProgress
    length_s: float

    def at(self, pts_s: float) -> float:
        """Per cent of the length, 0 to 100."""
        return 100 * min(max(pts_s / self.length_s, 0.0), 1.0)

    def at_us(self, time_us: int) -> float:
        """The same of a wall time."""
        return self.at((time_us - (self.source.start_us or 0)) / 1e6)

    def span(self, left: float, right: float) -> tuple[float, float]:
        """Left and width, per cent; as wide as can be seen."""
        return left, max(right - left, 0.3)


def _length(run: Run, source: SourceProgress, gaps: Sequence[dict[str, Any]]) -> float:
    """Seconds from the source's start to the last that is known of it."""
    start_us = source.start_us
    ends = [source.seen_s, 1e-3]
    if start_us is not None and run.kind == "watch":
        ends += [((gap["end_us"] or run.ended_us or start_us) - start_us) / 1e6 for gap in gaps]
    return max(ends)


def _bar(line: _Line, number: int, event: Event) -> Bar:
    left, width = line.span(line.at(event.start_s), line.at(event.end_s))
    label = event.headline if event.sure or event.of_sure_kind else ""
    title = f"{number}: {event.headline}, {clock(event.start_s)} to {clock(event.end_s)}"
    if event.said:
        title += f". {event.said}"
    return Bar(left, width, number, label, title)


def _stretches(line: _Line, gaps: Sequence[dict[str, Any]]) -> list[Stretch]:
    source, found = line.source, []
    if source.from_s > 0:
        text = f"learned as normal, not looked at: 0:00 to {clock(source.from_s)}"
        found.append(Stretch(*line.span(0.0, line.at(source.from_s)), "learned", "learned", text))
    if source.start_us is None:
        return found
    end_us = source.start_us + round(line.length_s * 1e6)
    for gap in gaps:
        # Videos of one camera share its gaps.
        if gap["start_us"] > end_us or (gap["end_us"] or end_us) < source.start_us:
            continue
        left, width = line.span(line.at_us(gap["start_us"]), line.at_us(gap["end_us"] or end_us))
        why = f"{gap['reason']} {gap['detail']}".strip()
        found.append(Stretch(left, width, "gap", gap["reason"], f"blind, {_lasted(gap)}: {why}"))
    return found


def _ticks(line: _Line, start_us: int | None) -> list[Tick]:
    step = next((step for step in STEPS if line.length_s / step <= MOST_TICKS), STEPS[-1])
    times = range(0, int(line.length_s) + 1, step)
    return [Tick(line.at(at), whole_clock(at), _wall(start_us, at, step)) for at in times]


def _wall(start_us: int | None, at_s: int, step: int) -> str:
    if start_us is None:
        return ""
    when = local(start_us + at_s * 1_000_000)
    return f"{when:%H:%M:%S}" if step < 60 else f"{when:%H:%M}"


def _begins(source: SourceProgress, rests_on: str) -> str:
    if source.start_us is None or rests_on not in BASES:
        return ""
    return f"{wall(source.start_us, rests_on)} ({BASES[rests_on].removeprefix('about, ')})"


def _highest(seconds: Sequence[tuple[int, float]]) -> str:
    if not seconds:
        return ""
    second, peak = max(seconds, key=lambda one: one[1])
    return f"{peak:.2f} of the threshold at {whole_clock(second)}"


def gap_row(gap: dict[str, Any]) -> dict[str, str]:
    """A gap for the table of blind times."""
    return {
        "camera": gap["camera"],
        "start": wall(gap["start_us"], "arrival"),
        "lasted": _lasted(gap),
        "reason": f"{gap['reason']} {gap['detail']}".strip(),
    }


def _lasted(gap: dict[str, Any]) -> str:
    end_us = gap["end_us"]
    return f"{(end_us - gap['start_us']) / 1e6:.1f} s" if end_us else "still going on"


def _thinned(seconds: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most MOST_POINTS points, each the peak of its stretch."""
    stride = -(-len(seconds) // MOST_POINTS) or 1
    return [
        (seconds[first][0], max(peak for _, peak in seconds[first : first + stride]))
        for first in range(0, len(seconds), stride)
    ]
