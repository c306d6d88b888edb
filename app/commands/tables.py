"""Results for people in a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.events.event import Event, EventState
from app.report.times import clock
from app.watching.telling import clock_time

if TYPE_CHECKING:
    from app.watching.results import AuditResult


def print_events(result: "AuditResult") -> None:
    """The events of an audit and where to see more."""
    console = Console()
    table = Table(title=None, box=None, header_style="bold")
    for column in ("from", "to", "camera", "what", "p", "perhaps", "score"):
        table.add_column(column, justify="right" if column in ("p", "score") else "left")
    of_site = any(event.surprise_bits is not None for event in result.events)
    if of_site:
        table.add_column("surprise", justify="right")
    for event in result.events:
        others = event.candidates[1:3] if event.sure else event.candidates[:3]
        table.add_row(
            clock(event.start_s),
            clock(event.end_s),
            escape(event.camera),
            _headline(event),
            "" if event.kind == "camera" or not event.sure else f"{100 * event.p:.0f}%",
            escape(_listed(others)),
            "" if event.kind == "camera" else f"{event.score:.1f}",
            *([_bits(event.surprise_bits)] if of_site else []),
        )
    if result.events:
        console.print(table)
    elif result.highest is not None:
        highest = result.highest
        console.print(
            f"Nothing unusual: the highest score was {highest.score:.2f} of the threshold, "
            f"at {clock(highest.at_s)} of {highest.video}.",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    for warning in (*result.failed, *result.warnings):
        console.print(f"Note: {warning}", highlight=False, markup=False, soft_wrap=True)
    console.print(
        f"{len(result.events)} events in {clock(result.footage_s)} of footage, "
        f"{result.analysed} frames at {result.fps:.1f} frames/s.",
        highlight=False,
        soft_wrap=True,
    )
    console.print(
        f"Report: {result.out / 'report.html'}", highlight=False, markup=False, soft_wrap=True
    )


def print_state(event: dict[str, Any], *, of_file: bool = False) -> None:
    """One line for an event that opened, was named anew or closed.

    Args:
        event: A message of a watch; of those that are no event, people read on stderr.
        of_file: Tell times from the start of the file, not by the clock.
    """
    if event["event"] not in get_args(EventState.__value__):
        return
    nouns = _listed(event["candidates"][:3])
    if event["kind"] == "camera":
        nouns = f"camera: {event['name']}"
    elif not event["sure"]:
        nouns = f"{event['headline']} ({nouns})" if nouns else event["headline"]
    start, end = (
        clock(event[f"{name}_s"]) if of_file else clock_time(event[f"{name}_us"])
        for name in ("start", "end")
    )
    span = f"{start} - {end}" if event["event"] == "closed" else start
    Console().print(
        f"{event['event']:<8} {span:<18} {nouns}", highlight=False, markup=False, soft_wrap=True
    )


def watched(summary: dict[str, Any]) -> str:
    """What a watch came to, from its summary."""
    events, gaps = len(summary["events"]), len(summary["gaps"])
    said = [f"{events} event{'s' if events != 1 else ''} in {clock(summary['watched_s'])} watched"]
    if summary["learned_s"]:
        said.append(f"{clock(summary['learned_s'])} learned from")
    said.append(f"{summary['frames']} frames looked at, {summary['dropped']} dropped")
    if gaps:
        said.append(f"blind {gaps} time{'s' if gaps != 1 else ''}")
    return f"{', '.join(said)}. Report: {summary['report']}"


def _headline(event: Event) -> str:
    """What is told first, bold if it is a fact."""
    text = escape(event.headline)
    if event.kind == "camera":
        return f"[bold]camera: {text}[/bold]"
    return f"[bold]{text}[/bold]" if event.sure else f"[dim]{text}[/dim]"


def _listed(candidates: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{noun} {100 * p:.0f}%" for noun, p in candidates)


def _bits(surprise: float | None) -> str:
    return "" if surprise is None else f"{surprise:.1f} bits"
