"""Results for people in a terminal."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, get_args

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from app.events.belonging import here, of_site
from app.events.event import Event, EventState
from app.events.outputs import REPORT
from app.feedback.heeding import UNWANTED
from app.report.times import clock
from app.watching.telling import clock_time

if TYPE_CHECKING:
    from app.watching.results import AuditResult

_SHOWN = ("events.jsonl", "events.sqlite", "annotated.mp4", "normal.jpg", "detector")


def print_events(result: "AuditResult") -> None:
    """The events of an audit and where to see more."""
    console = Console()
    if result.events:
        console.print(_table(result.events, of_site([*result.events, *result.muted])))
    notes = [f"Note: {warning}" for warning in (*result.failed, *result.warnings)]
    for line in (*notes, *_ends(result)):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    report = result.out / REPORT
    link = Text(str(report), style=f"link {report.resolve().as_uri()}")
    console.print("Report:", link, highlight=False, soft_wrap=True)
    others = [path.name for path in sorted(result.out.glob("*")) if path.name in _SHOWN]
    if others:
        console.print(
            f"Beside it: {', '.join(others)}", highlight=False, markup=False, soft_wrap=True
        )


def _table(events: Sequence[Event], belong: bool) -> Table:
    """A row for each event, numbered as the report numbers them.

    Args:
        events: Those that are shown.
        belong: Whether it is known what is usual there, so that it can be told what belongs.
    """
    table = Table(title=None, box=None, header_style="bold")
    rated = any(event.surprise_bits is not None for event in events)
    site = (("surprise",) if rated else ()) + (("here",) if belong else ())
    columns = ("#", "from", "to", "camera", "what", "p", "perhaps", "score", *site)
    for column in columns:
        right = column in ("#", "p", "score", "surprise")
        table.add_column(column, justify="right" if right else "left")
    for number, event in enumerate(events, start=1):
        others = event.guesses[:2] if event.sure else event.guesses[:3]
        table.add_row(
            str(number),
            clock(event.start_s),
            clock(event.end_s),
            escape(event.camera),
            _headline(event),
            "" if event.headline_p is None else f"{100 * event.headline_p:.0f}%",
            escape(_listed(others)),
            "" if event.kind == "camera" else f"{event.score:.1f}",
            *([_bits(event.surprise_bits)] if rated else []),
            *([here(event)] if belong else []),
        )
    return table


def _ends(result: "AuditResult") -> Iterator[str]:
    """What an audit came to, in a line or two."""
    count, highest = len(result.events), result.highest
    if not count and result.muted:
        yield _silent(result.muted)
    elif not count and highest is not None:
        rest = "" if highest.score < 1 else ", but not for long enough to be an event"
        yield (
            f"Nothing unusual: the highest score was {highest.score:.2f} of the threshold, at "
            f"{clock(highest.at_s)} of {highest.video}{rest}."
        )
    line = f"{count} event{'' if count == 1 else 's'} in {clock(result.footage_s)} of footage, "
    yield f"{line}{result.analysed} frames at {result.fps:.1f} frames/s{_speed(result)}."
    if count and result.muted:
        yield _silent(result.muted, "more ")


def _silent(muted: Sequence[Event], more: str = "") -> str:
    """How many events are kept and not told, and by what."""
    unwanted = sum(event.muted.startswith(UNWANTED) for event in muted)
    normal = len(muted) - unwanted
    by = [f"{unwanted} by --tell"] if unwanted else []
    by += [f"{normal} by nomaly feedback"] if normal else []
    many = f"1 {more}event is" if len(muted) == 1 else f"{len(muted)} {more}events are"
    return f"{many} silent, {' and '.join(by)}: kept, and folded in the report."


def _speed(result: "AuditResult") -> str:
    """How fast it was beside the footage; nothing if it was looked at in several sessions."""
    if result.analysed != result.frames or not (result.seconds and result.footage_s):
        return ""
    times = result.footage_s / result.seconds
    return f", {times:.1f} times {'as fast as' if times >= 1 else 'the speed of'} the recording"


def print_state(event: dict[str, Any], *, of_file: bool = False, camera: bool = False) -> None:
    """One line for an event that opened, was named anew or closed.

    Args:
        event: A message of a watch; of those that are no event, people read on stderr.
        of_file: Tell times from the start of the file, not by the clock.
        camera: Name the camera, as one of several.
    """
    if event["event"] not in get_args(EventState.__value__):
        return
    nouns = _listed(event["candidates"][:3])
    if event["kind"] == "camera":
        nouns = f"camera: {event['name']}"
    elif not event["sure"]:
        told = event["headline"]
        if event["headline_p"] is not None:
            told = f"{told} {100 * event['headline_p']:.0f}%"
        nouns = f"{told} ({nouns})" if nouns else told
    elif event["change"] != "arrived":
        nouns = f"{event['change']}: {nouns}"
    start, end = (
        clock(event[f"{name}_s"]) if of_file else clock_time(event[f"{name}_us"])
        for name in ("start", "end")
    )
    span = f"{start} - {end}" if event["event"] == "closed" else start
    of_it = f"{event['camera']}: " if camera else ""
    Console().print(
        f"{event['event']:<10} {span:<18} {of_it}{nouns}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _count(listed: Sequence[Any] | int) -> int:
    return listed if isinstance(listed, int) else len(listed)


def watched(summary: dict[str, Any]) -> str:
    """What a watch came to, from its summary."""
    events, gaps, silent = (_count(summary[name]) for name in ("events", "gaps", "muted"))
    said = [f"{events} event{'s' if events != 1 else ''} in {clock(summary['watched_s'])} watched"]
    if summary["learned_s"]:
        said.append(f"{clock(summary['learned_s'])} learned from")
    said.append(f"{summary['frames']} frames looked at, {summary['dropped']} dropped")
    if gaps:
        said.append(f"blind {gaps} time{'s' if gaps != 1 else ''}")
    if silent:
        said.append(f"{silent} silent event{'s' if silent != 1 else ''} kept")
    report = f" Report: {summary['report'] or 'none'}" if "report" in summary else ""
    return f"{', '.join(said)}.{report}"


def _headline(event: Event) -> str:
    """What is told first, bold if it is a fact."""
    text = escape(event.headline)
    if event.kind == "camera":
        return f"[bold]camera: {text}[/bold]"
    return f"[dim]{text}[/dim]" if event.headline_p is None else f"[bold]{text}[/bold]"


def _listed(candidates: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{noun} {100 * p:.0f}%" for noun, p in candidates)


def _bits(surprise: float | None) -> str:
    return "" if surprise is None else f"{surprise:.1f} bits"
