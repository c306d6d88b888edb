"""Verdicts on stills as tables and lines in the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.hiding import tame

if TYPE_CHECKING:
    from app.inspecting.figures import Figures
    from app.inspecting.judged import Judged
    from novic.intervals import Estimate


def worst_table(images: "Sequence[Judged]") -> None:
    """Print images, the worst first."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("image", overflow="fold")
    table.add_column("score", justify="right")
    table.add_column("what")
    for one in images:
        what = one.named.headline if one.named else ""
        table.add_row(tame(one.still.name), f"{one.score:.2f}", what)
    Console(markup=False).print(table)


def figures_lines(figures: "Figures | None") -> list[str]:
    """How good verdicts are, in lines; none if nobody knows."""
    if figures is None:
        return []
    lines = [
        f"Known defects found: {figures.found} of {figures.defective}; good images called "
        f"defective: {figures.wrong} of {figures.good}.",
        f"Image AUROC {estimate_text(figures.auroc)}, best F1 {estimate_text(figures.f1)}.",
    ]
    if figures.pixels is not None:
        pixels = figures.pixels
        lines.append(
            f"Pixel AUROC {estimate_text(pixels.auroc)}, AUPRO {estimate_text(pixels.aupro)}"
            f"{'' if figures.ap50 is None else f', box AP50 {100 * figures.ap50:.1f}'}."
        )
    return lines


def estimate_text(value: "Estimate | None") -> str:
    """Per cent, with its interval."""
    if value is None:
        return "-"
    return f"{100 * value.value:.1f} ({100 * value.low:.1f}-{100 * value.high:.1f})"
