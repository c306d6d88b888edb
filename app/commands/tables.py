"""Results for people in a terminal."""

import csv
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.events.event import Event
from app.names.naming import NamedImage
from app.report.page import clock
from app.watching.audit import AuditResult


def print_events(result: AuditResult) -> None:
    """The events of an audit and where to see more."""
    console = Console()
    table = Table(title=None, box=None, header_style="bold")
    for column in ("from", "to", "camera", "noun", "p", "or", "score"):
        table.add_column(column, justify="right" if column in ("p", "score") else "left")
    of_site = any(event.surprise_bits is not None for event in result.events)
    if of_site:
        table.add_column("surprise", justify="right")
    for event in result.events:
        others = ", ".join(f"{noun} {100 * p:.0f}%" for noun, p in event.candidates[1:3])
        table.add_row(
            clock(event.start_s),
            clock(event.end_s),
            escape(event.camera),
            _what(event),
            "" if event.kind == "camera" else f"{100 * event.p:.0f}%",
            escape(others),
            "" if event.kind == "camera" else f"{event.score:.1f}",
            *([_bits(event.surprise_bits)] if of_site else []),
        )
    if result.events:
        console.print(table)
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


def print_state(event: dict[str, Any]) -> None:
    """One line for an event that opened, was named anew or closed."""
    nouns = ", ".join(f"{noun} {100 * p:.0f}%" for noun, p in event["candidates"][:3])
    if event["kind"] == "camera":
        nouns = f"camera: {event['name']}"
    span = clock(event["start_s"])
    if event["event"] == "closed":
        span += f" - {clock(event['end_s'])}"
    Console().print(
        f"{event['event']:<8} {span:<18} {nouns}", highlight=False, markup=False, soft_wrap=True
    )


def print_names(named: Sequence[NamedImage]) -> None:
    """Nouns of images as a table; broken ones on stderr."""
    table = Table(box=None, header_style="bold")
    for column in ("image", "noun", "p", "or"):
        table.add_column(column, justify="right" if column == "p" else "left", overflow="fold")
    of_site = any(image.expected for image in named)
    if of_site:
        table.add_column("surprise", justify="right")
    for image in named:
        if image.error:
            Console(stderr=True).print(f"{image.path}: {image.error}", highlight=False)
            continue
        best = image.nouns[0]
        others = ", ".join(f"{noun.noun} {100 * noun.p:.0f}%" for noun in image.nouns[1:])
        known = image.expected.get(best.noun)
        table.add_row(
            escape(image.path),
            f"[bold]{escape(best.noun)}[/bold]",
            f"{100 * best.p:.0f}%",
            others,
            *([_bits(known.surprise_bits if known else None)] if of_site else []),
        )
    if table.row_count:
        Console().print(table)


def print_names_csv(named: Sequence[NamedImage]) -> None:
    """Images as CSV: path, rank, noun, p, error, and of a site's decoder surprise_bits."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    of_site = any(image.expected for image in named)
    writer.writerow(["path", "rank", "noun", "p", "error", *["surprise_bits"] * of_site])
    for image in named:
        if image.error:
            writer.writerow([image.path, "", "", "", image.error, *[""] * of_site])
        for rank, noun in enumerate(image.nouns, start=1):
            row = [image.path, rank, noun.noun, f"{noun.p:.4f}", ""]
            known = image.expected.get(noun.noun)
            writer.writerow([*row, *[known.surprise_bits if known else ""] * of_site])


def _what(event: Event) -> str:
    if event.kind == "camera":
        return f"[bold]camera: {escape(event.name)}[/bold]"
    return f"[bold]{escape(event.noun)}[/bold]" if event.sure else f"{escape(event.noun)}?"


def _bits(surprise: float | None) -> str:
    return "" if surprise is None else f"{surprise:.1f} bits"
