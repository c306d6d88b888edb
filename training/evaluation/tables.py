"""Results of several models beside each other: as a table, CSV, LaTeX and JSON, in percent."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from novic.intervals import Difference, Estimate

type Cell = str | int | Estimate | Difference | None

LATEX = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
"""How the signs are written that LaTeX reads as commands."""


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A row per model and way of decoding."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def best(self) -> frozenset[tuple[int, int]]:
        """(row, column) of the highest estimate of each column, if there are rows to compare."""
        found: set[tuple[int, int]] = set()
        for column in range(len(self.columns)):
            cells = [row[column] for row in self.rows]
            values = [round(c.value, 12) if isinstance(c, Estimate) else None for c in cells]
            known = [value for value in values if value is not None]
            if len(known) > 1:
                found |= {(row, column) for row, value in enumerate(values) if value == max(known)}
        return frozenset(found)


def value(cell: Cell) -> str:
    """A cell for people, without its interval."""
    if cell is None:
        return "-"
    if isinstance(cell, Estimate):
        return f"{100 * cell.value:.2f}"
    return f"{100 * cell.value:+.2f}" if isinstance(cell, Difference) else str(cell)


def interval(cell: Cell) -> str:
    """A cell's interval for people; empty if it has none."""
    if isinstance(cell, Estimate):
        return f"{100 * cell.low:.1f}-{100 * cell.high:.1f}"
    if isinstance(cell, Difference):
        return f"{100 * cell.low:+.1f} to {100 * cell.high:+.1f}"
    return ""


def to_csv(table: ResultTable) -> str:
    """The table as CSV; an estimate fills three columns: itself, `… low` and `… high`."""
    measured = [
        any(isinstance(row[column], Estimate | Difference) for row in table.rows)
        for column in range(len(table.columns))
    ]
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    header: list[str] = []
    for name, spread in zip(table.columns, measured, strict=True):
        header += [name, f"{name} low", f"{name} high"] if spread else [name]
    writer.writerow(header)
    for row in table.rows:
        fields: list[str] = []
        for cell, spread in zip(row, measured, strict=True):
            fields += _fields(cell) if spread else ["" if cell is None else str(cell)]
        writer.writerow(fields)
    return written.getvalue()


def to_latex(table: ResultTable) -> str:
    r"""The table as LaTeX (booktabs), the best of each column bold.

    72.53 with the interval [70.10, 74.98] is written $72.53_{70.10}^{74.98}$.
    """
    best = table.best()
    lines = [
        rf"\begin{{tabular}}{{{'l' * len(table.columns)}}}",
        r"\toprule",
        f"{' & '.join(map(_latex, table.columns))} \\\\",
        r"\midrule",
    ]
    for number, row in enumerate(table.rows):
        cells = (_latex_cell(cell, (number, at) in best) for at, cell in enumerate(row))
        lines.append(f"{' & '.join(cells)} \\\\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _fields(cell: Cell) -> list[str]:
    if isinstance(cell, Estimate | Difference):
        return [f"{100 * share:.4f}" for share in (cell.value, cell.low, cell.high)]
    return ["", "", ""]


def _latex_cell(cell: Cell, bold: bool) -> str:
    if not isinstance(cell, Estimate | Difference):
        return _latex(value(cell))
    middle, low, high = (f"{100 * share:.2f}" for share in (cell.value, cell.low, cell.high))
    main = rf"\mathbf{{{middle}}}" if bold else middle
    return f"${main}_{{{low}}}^{{{high}}}$"


def _latex(words: str) -> str:
    return "".join(LATEX.get(sign, sign) for sign in words)
