"""What an evaluation writes: tables for spreadsheets, and a plot."""

import csv
from collections.abc import Iterator, Mapping, Sequence, Set
from io import StringIO
from pathlib import Path

from app.errors import UsageError
from app.events.outputs import write_text
from app.unknown.measuring import FIGURES, Measured
from novic.intervals import Estimate

FIGURES_FILE, PICTURES_FILE, PLOT_FILE = "scores.csv", "pictures.csv", "auroc.svg"
FILES = frozenset({FIGURES_FILE, PICTURES_FILE, PLOT_FILE})

_LEFT, _WIDTH, _LINE, _TOP = 150, 480, 18, 40
_COLOURS = ("#1b6ca8", "#c2571a", "#3d7a37", "#8a3d8f", "#7a6a1b", "#555555")


def check_place(
    out: Path, *, overwrite: bool, option: str = "--out", files: Set[str] = FILES
) -> None:
    """Refuse a folder that holds something, before anything is measured for it.

    Args:
        out: The folder.
        overwrite: An earlier evaluation's may be replaced.
        option: That named it.
        files: That may lie there.

    Raises:
        UsageError: If it is a file, holds other files, or an evaluation without `overwrite`.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{option} {out}: is a file; name a folder")
    present = {entry.name for entry in out.iterdir()}
    if present - files:
        raise UsageError(
            f"{option} {out}: holds files that no such evaluation wrote ({min(present - files)}, "
            "...); name a new or empty folder"
        )
    if present and not overwrite:
        raise UsageError(
            f"{option} {out}: holds an earlier evaluation; name another folder, or replace it with "
            "--overwrite"
        )


def write_all(
    out: Path, done: Measured, new: Sequence[str], others: Mapping[str, Sequence[str]]
) -> None:
    """Write the tables and the plot.

    Args:
        out: Folder, made if it is not there.
        done: What was measured.
        new: Files of the known pictures that were measured.
        others: Those of the others, by folder.

    Raises:
        UsageError: If the folder cannot be made.
        app.events.outputs.StoreError: If a file cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {out}: cannot be made: {error.strerror or error}") from error
    write_text(out / FIGURES_FILE, _csv(_figures(done)))
    write_text(out / PICTURES_FILE, _csv(_pictures(done, new, others)))
    write_text(out / PLOT_FILE, plot(done))


def plot(done: Measured) -> str:
    """AUROC of each score with its interval as SVG, a colour for each folder."""
    folders = list(done.rows[0].figures) if done.rows else []
    height = _TOP + _LINE * len(folders) + (_LINE * max(len(folders), 1) + 8) * len(done.rows) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 30}" '
        f'height="{height}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{_LEFT}" y="16">AUROC, per cent, with 95% intervals</text>',
    ]
    for number, folder in enumerate(folders):
        parts.append(
            f'<text x="{_LEFT}" y="{36 + _LINE * number}" fill="{_colour(number)}">'
            f"{_escaped(folder)}</text>"
        )
    top = _TOP + _LINE * len(folders)
    for at in (0, 25, 50, 75, 100):
        x = _LEFT + _WIDTH * at / 100
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{height - 24}" stroke="#ddd"/>'
            f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle">{at}</text>'
        )
    for row in done.rows:
        parts.append(f'<text x="8" y="{top + 14}">{_escaped(row.score)}</text>')
        for number, folder in enumerate(folders):
            estimate = row.figures[folder]["auroc"]
            parts.append(_mark(estimate, top + _LINE * number + 10, _colour(number)))
        top += _LINE * len(folders) + 8
    return "\n".join([*parts, "</svg>\n"])


def _mark(estimate: Estimate, y: int, colour: str) -> str:
    low, value, high = (
        _LEFT + _WIDTH * part for part in (estimate.low, estimate.value, estimate.high)
    )
    return (
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="{colour}" '
        f'stroke-width="2"/><circle cx="{value:.1f}" cy="{y}" r="4" fill="{colour}"/>'
    )


def _figures(done: Measured) -> Iterator[Sequence[object]]:
    ends = [f"{key}{end}" for key in FIGURES for end in ("", "_low", "_high")]
    yield ["score", "folder", "known", "others", *ends]
    for row in done.rows:
        for folder, figures in row.figures.items():
            values = [
                f"{100 * part:.3f}"
                for key in FIGURES
                for part in (figures[key].value, figures[key].low, figures[key].high)
            ]
            yield [row.score, _plain(folder), len(row.known), len(row.others[folder]), *values]


def _pictures(
    done: Measured, new: Sequence[str], others: Mapping[str, Sequence[str]]
) -> Iterator[Sequence[object]]:
    yield ["picture", "folder", *(row.score for row in done.rows)]
    for number, file in enumerate(new):
        yield [_plain(file), "", *(f"{row.known[number]:.9g}" for row in done.rows)]
    for folder, files in others.items():
        for number, file in enumerate(files):
            yield [
                _plain(file),
                _plain(folder),
                *(f"{row.others[folder][number]:.9g}" for row in done.rows),
            ]


def _csv(rows: Iterator[Sequence[object]]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _plain(text: str) -> str:
    """A text that no table takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
