"""Events of a place for people in a terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.events.belonging import here, of_site
from app.feedback.answers import Answer
from app.report.times import clock, day
from app.search.listed import Listed
from app.search.search import Hit

_SAID = {
    "confirmed": "confirmed",
    "false_alarm": "false alarm",
    "expected_here": "expected here",
    "renamed": "renamed",
}


def print_events_of(shown: Sequence[Listed]) -> None:
    """A row for each event."""
    if not shown:
        typer.echo("No events.")
        return
    table = Table(box=None, header_style="bold")
    several = len({one.place for one in shown}) > 1 or len({one.event.camera for one in shown}) > 1
    by_camera = len({one.event.camera for one in shown}) >= len({one.place for one in shown})
    said = any(one.answer for one in shown)
    belong = of_site(one.event for one in shown)
    for column in ("when", "lasted", *(["camera"] if several else []), "what", "p"):
        right = column in ("p", "lasted")
        table.add_column(column, no_wrap=column == "when", justify="right" if right else "left")
    table.add_column("id", no_wrap=True)
    if belong:
        table.add_column("here")
    if said:
        table.add_column("you said")
    for one in shown:
        table.add_row(
            day(one.event.start_us),
            _lasted(one),
            *([escape(one.event.camera if by_camera else one.place.name)] if several else []),
            _headline(one),
            _p(one),
            one.event.id,
            *([here(one.event)] if belong else []),
            *([_short(one.answer)] if said else []),
        )
    Console().print(table)


def print_event(one: Listed, said: Sequence[Answer], pictures: Mapping[str, Path]) -> None:
    """One event, without its receipt."""
    event = one.event
    typer.secho(f"{one.headline}  ({event.id})", bold=True)
    length = f"{clock(event.start_s)} to {clock(event.end_s)} of {event.video or event.camera}"
    lines = [
        ("camera", event.camera),
        ("when", f"{day(event.start_us)}, {_lasted(one)} ({length})"),
        ("state", f"{event.state}{', not told: ' + event.muted if event.muted else ''}"),
        ("may be", ", ".join(f"{noun} {100 * p:.0f}%" for noun, p in event.candidates)),
        ("here", here(event)),
        ("said", event.said),
        ("named again", event.named_again),
        *((("you said", f"{_short(one)}{_note(one)} ({day(one.time_us)})")) for one in said),
        *((kind, str(path)) for kind, path in pictures.items()),
    ]
    for name, text in lines:
        if text:
            typer.echo(f"  {name:<12} {text}")


def print_hits(hits: Sequence[Hit]) -> None:
    """What a search found, the best first."""
    if not hits:
        typer.echo("Nothing was found. Fewer or other words may find it; events list shows all.")
        return
    table = Table(box=None, header_style="bold")
    for column in ("when", "camera", "what", "id", "found by"):
        table.add_column(column, no_wrap=column in ("when", "id"))
    for hit in hits:
        event = hit.listed.event
        table.add_row(
            day(event.start_us),
            escape(event.camera),
            _headline(hit.listed),
            event.id,
            escape(", ".join(hit.by)),
        )
    Console().print(table)


def _lasted(one: Listed) -> str:
    return clock(max(0.0, one.event.end_s - one.event.start_s))


def _headline(one: Listed) -> str:
    event = one.event
    text = escape(one.headline)
    if event.kind == "camera":
        text = f"camera: {text}"
    sure = event.headline_p is not None or event.kind == "camera" or one.headline != event.headline
    if sure:
        return f"[bold]{text}[/bold]"
    maybe = ", ".join(escape(noun) for noun, _ in event.guesses[:2])
    return f"[dim]{text}[/dim]{f' ({maybe}?)' if maybe else ''}"


def _p(one: Listed) -> str:
    if one.headline != one.event.headline or one.event.headline_p is None:
        return ""
    return f"{100 * one.event.headline_p:.0f}%"


def _short(answer: Answer | None) -> str:
    if answer is None:
        return ""
    noun = f": {answer.noun}" if answer.noun else ""
    return f"{_SAID[answer.verdict]}{noun}"


def _note(answer: Answer) -> str:
    return f", {answer.note}" if answer.note else ""
