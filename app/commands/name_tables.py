"""Nouns of images for people and for programs."""

import csv
import sys
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.names.naming import NamedImage


def print_names(named: Sequence[NamedImage]) -> None:
    """Nouns of images: a table in a terminal, else a line of tab-separated fields each.

    Broken images are told on stderr.
    """
    errors = Console(stderr=True)
    for image in named:
        if image.error:
            errors.print(
                f"{image.path}: {image.error}", highlight=False, markup=False, soft_wrap=True
            )
    good = [image for image in named if not image.error]
    console = Console()
    if console.is_terminal and good:
        console.print(_table(good, console.width // 2))
        return
    for image in good:
        typed = [image.path, image.headline, _p(image), _others(image), _bits(image)]
        sys.stdout.write("\t".join(typed).rstrip("\t") + "\n")


def print_names_csv(named: Sequence[NamedImage]) -> None:
    """Images as CSV: path, rank, noun, p, error, sure, and of a site's decoder surprise_bits.

    Only the noun of rank 1 can be sure.
    """
    writer = csv.writer(sys.stdout, lineterminator="\n")
    of_site = any(image.expected for image in named)
    writer.writerow(["path", "rank", "noun", "p", "error", "sure", *["surprise_bits"] * of_site])
    for image in named:
        if image.error:
            writer.writerow([image.path, "", "", "", image.error, "", *[""] * of_site])
        for rank, noun in enumerate(image.nouns, start=1):
            sure = int(image.sure and rank == 1)
            row = [image.path, rank, noun.noun, f"{noun.p:.4f}", "", sure]
            known = image.expected.get(noun.noun)
            writer.writerow([*row, *[known.surprise_bits if known else ""] * of_site])


def _table(named: Sequence[NamedImage], most: int) -> Table:
    table = Table(box=None, header_style="bold")
    table.add_column("image", no_wrap=True)
    for column in ("what", "p", "perhaps"):
        table.add_column(column, justify="right" if column == "p" else "left", overflow="fold")
    of_site = any(image.expected for image in named)
    if of_site:
        table.add_column("surprise", justify="right")
    for image in named:
        what = escape(image.headline)
        table.add_row(
            escape(_end_of(image.path, most)),
            f"[dim]{what}[/dim]" if image.headline_p is None else f"[bold]{what}[/bold]",
            _p(image),
            escape(_others(image)),
            *([_bits(image)] if of_site else []),
        )
    return table


def _end_of(path: str, most: int) -> str:
    """A path that is no wider than `most` cells: its end says more than its beginning."""
    if cell_len(path) <= most:
        return path
    at = 0
    while cell_len(path[at:]) > most - 1:
        at += 1
    return f"…{path[at:]}"


def _p(image: NamedImage) -> str:
    """How probable the headline is; nothing where that says nothing."""
    return "" if image.headline_p is None else f"{100 * image.headline_p:.0f}%"


def _others(image: NamedImage) -> str:
    """What it may be besides the headline."""
    return ", ".join(f"{noun} {100 * p:.0f}%" for noun, p in image.guesses)


def _bits(image: NamedImage) -> str:
    known = image.expected.get(image.nouns[0].noun)
    return "" if known is None else f"{known.surprise_bits:.1f} bits"
