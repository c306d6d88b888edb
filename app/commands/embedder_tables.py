"""Embedders for people in a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from novic.embedders.catalog import ListedEmbedder
from novic.embedders.kinds import PLACES
from training.evaluation.zero_shot import TOLERANCE, Share, ZeroShot

SHOWN_BROKEN = 10
"""Images that could not be read, told in full; the rest is only counted."""


def print_embedders(listed: Sequence[ListedEmbedder]) -> None:
    """Which embedders there are and which can be used."""
    table = Table(box=None, header_style="bold")
    table.add_column("spec", no_wrap=True)
    table.add_column("state")
    table.add_column("what it is")
    for one in listed:
        state = f"[green]{one.state}[/green]" if one.ready else escape(one.state)
        table.add_row(escape(one.spec), state, escape(one.note))
    console = Console()
    console.print(table)
    console.print(f"Also: {PLACES}.", highlight=False)


def print_zero_shot(found: ZeroShot) -> None:
    """What the zero-shot test found, beside what is published."""
    table = Table(box=None, show_header=False)
    table.add_row("embedder", escape(found.spec))
    what = f"{found.data}: {found.top1.of:,} images, {found.classes:,} classes"
    table.add_row("data", escape(f"{what}, {found.prompts} prompts"))
    table.add_row("top-1", _share(found.top1))
    table.add_row("top-5", _share(found.top5))
    if found.published is not None:
        table.add_row("published", f"{found.published:.2f}%")
    console = Console()
    console.print(table)
    console.print(_verdict(found), highlight=False)
    for name, fault in found.broken[:SHOWN_BROKEN]:
        console.print(escape(f"Left out: {name}: {fault}"), highlight=False)
    if len(found.broken) > SHOWN_BROKEN:
        console.print(f"and {len(found.broken) - SHOWN_BROKEN} more; --json lists all")


def _share(share: Share) -> str:
    low, high = share.interval()
    return f"[bold]{share.percent:.2f}%[/bold] (95% interval {low:.2f} to {high:.2f})"


def _verdict(found: ZeroShot) -> str:
    if found.published is None:
        return "No figure is published for this embedder on these images."
    if found.agrees is None:
        return f"The published figure cannot be compared: {found.not_compared}."
    difference = found.top1.percent - found.published
    if found.agrees:
        return f"[green]Agrees[/green] with the published figure ({difference:+.2f} points)."
    return (
        f"[red]Differs[/red] from the published figure by {difference:+.2f} points, more than "
        f"{TOLERANCE}: do not trust decoders of this embedder before that is explained."
    )
