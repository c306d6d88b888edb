"""The demo's outcome for people: what was placed beside what was found, told and guessed."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.demo.run import DemoResult
from app.demo.score import DemoScore, PlacementScore
from novic.vocabulary import UNNAMED

WIDE = 120
"""Columns where nobody's terminal is too narrow."""


def print_demo(result: DemoResult) -> None:
    """Print the table and the totals."""
    console, score = Console(), result.score
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("in view", "placed", "IoU", "told", "", "perhaps", ""):
        right = column == "IoU"
        table.add_column(column, justify="right" if right else "left", no_wrap=True)
    for line in score.placements:
        table.add_row(*_row(line))
    if not console.is_terminal:
        console.width = max(console.width, WIDE)
    console.print(table)
    for line in _totals(score):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(
        f"Report: {result.audited.out / 'report.html'}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    console.print("Next:   nomaly watch 0 --learn 20      (your own webcam)", highlight=False)


def _totals(score: DemoScore) -> list[str]:
    """What came out: what was found, what was told as a fact, and what the guesses hold."""
    return [
        f"{score.found} of {score.placed} objects found "
        f"({score.found_wide} of the {score.placed_wide} wider than 6% of the frame); "
        f"{score.false_events} false events in {score.normal_seconds:.0f} s of normal footage.",
        f"Told as a fact, by name or by kind: {score.told}, rightly {score.told_right}; the other "
        f"{score.found - score.told} that were found are told as {UNNAMED}.",
        f"Guesses, told or not: the likeliest noun is right for {score.named_top1}, one of the "
        f"three likeliest for {score.named_top3}.",
    ]


def _row(line: PlacementScore) -> list[str]:
    right = "[green]right[/green]" if line.told_right else "[red]wrong[/red]" if line.told else ""
    guess = "right" if line.named_top1 else "in top 3" if line.named_top3 else ""
    found = line.event is not None
    return [
        f"{_minutes(line.start_s)}-{_minutes(line.end_s)}",
        escape(line.noun),
        f"{line.iou:.2f}" if found else "",
        _named(line) if found else "[red]not found[/red]",
        right,
        f"{escape(line.named)} {100 * line.p:.0f}%" if found and not line.sure else "",
        "" if line.sure else guess,
    ]


def _named(line: PlacementScore) -> str:
    """The headline of what was found, with its p where it says something."""
    if line.headline_p is None:
        return f"[dim]{UNNAMED}[/dim]"
    return f"[bold]{escape(line.headline)}[/bold] {100 * line.headline_p:.0f}%"


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
