"""`nomaly evaluate ood`: how well scores tell what is known from what is not."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.naming import guide_nouns
from app.commands.options import (
    Device,
    EmbedderSpec,
    Json,
    Model,
    Overwrite,
    Quiet,
    command_list,
    print_json,
    show_progress,
)
from app.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from app.unknown.measuring import Row
    from app.unknown.request import OodResult
    from novic.intervals import Estimate

ANY_WIDTH = 10_000
"""Wider than any table."""
COLUMNS = {
    "auroc": "AUROC",
    "aupr_out": "AUPR",
    "fpr_at_id95": "FPR at ID95",
    "fpr_at_ood95": "FPR at OOD95",
}
RISING = frozenset({"auroc", "aupr_out"})
"""Figures that are the better the higher they are."""

cli = command_list()


@cli.command(
    "evaluate ood",
    epilog="Examples:  nomaly evaluate ood parts/ scratched/ foreign/ --out parts-scores\n\n"
    "nomaly evaluate ood today/ other-parts/ --fit yesterday/ --nouns nouns.txt\n\n"
    "nomaly evaluate ood parts/ scratched/ --keep parts-fitted    # then, on other days\n\n"
    "nomaly evaluate ood today/ other-parts/ --fitted parts-fitted\n\n"
    "nomaly evaluate ood parts/ scratched/ --embedder openclip:/models/clip --model mine.train",
)
def evaluate_ood(
    known: Annotated[
        Path,
        typer.Argument(
            help="Folder of pictures of what is known; its sub-folders are classes, whose names "
            "are the nouns of what is known."
        ),
    ],
    others: Annotated[
        list[Path], typer.Argument(help="Folders of what is not known, each measured by itself.")
    ],
    fit: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Fit scores on these known pictures; by default on half of each class of the "
            "first folder, and the other half is measured.",
        ),
    ] = None,
    foreign: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Weigh scores by these foreign pictures, for one more score; of other kinds than "
            "those that are measured, or it looks better than it is.",
        ),
    ] = None,
    labels: Annotated[
        bool, typer.Option(help="Take sub-folders for classes, which some scores need.")
    ] = True,
    nouns: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Nouns of what is known, one a line; by default the names of the sub-folders.",
        ),
    ] = None,
    template: Annotated[
        str,
        typer.Option(
            help="Text around a noun, {} stands for it; by default none for the starter, and 'the "
            "nice {}'."
        ),
    ] = "",
    tagood: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A TagOOD that nomaly train tagood made, for one more score; train it on none of "
            "the pictures that are measured, or it looks better than it is.",
        ),
    ] = None,
    model: Model = None,
    embedder: EmbedderSpec = None,
    seed: Annotated[int, typer.Option(help="Seed of the halves and of the 95% intervals.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder for scores.csv, pictures.csv and the plot auroc.svg."
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep the fitted scores in this folder."),
    ] = None,
    fitted: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Fit nothing, but measure scores that --keep has kept there; pictures that they "
            "were fitted on or weighed by are left out of all folders.",
        ),
    ] = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure scores of the unknown: AUROC, AUPR and FPR95 of each, with 95% intervals.

    Scores that need labels, nouns or a package that is not there are left out, with the reason.
    """
    if template and "{}" not in template:
        raise UsageError(f"--template {template!r}: has no {{}} where the noun stands")
    if seed < 0:
        raise UsageError(f"--seed {seed}: must be 0 or more")
    if fitted is not None:
        given = {"--fit": fit, "--foreign": foreign, "--nouns": nouns, "--keep": keep}
        given["--template"] = Path(template) if template else None
        said = [option for option, value in given.items() if value is not None]
        if said:
            raise UsageError(f"--fitted {fitted}: nothing is fitted, so leave out {said[0]}")
    named = tuple(guide_nouns(nouns, "--nouns"))

    from app.private import privately
    from app.unknown.outputs import check_place
    from app.unknown.request import OodRequest
    from app.unknown.run import evaluate_ood as evaluate
    from calibration.kept import FILES as KEPT_FILES

    if out is not None:
        check_place(out, overwrite=overwrite)
    if keep is not None:
        check_place(keep, overwrite=overwrite, option="--keep", files=KEPT_FILES)
    request = OodRequest(
        known=known,
        others=tuple(others),
        fit=fit,
        tuning=foreign,
        labels=labels,
        nouns=named,
        template=template,
        model=model,
        embedder=embedder,
        tagood=tagood,
        device=device,
        seed=seed,
        out=out,
        keep=keep,
        fitted=fitted,
    )
    reporter = show_progress(quiet)
    with nullcontext() if out is None else privately(out, reporter.say):
        done = evaluate(request, reporter)
    if as_json:
        print_json(done.as_json())
    else:
        _print(done)


def _print(done: "OodResult") -> None:
    """The figures, for people."""
    from rich.console import Console

    from app.hiding import tame

    console = Console()
    folders = list(done.others)
    for shown in _tables(done, folders, console):
        console.print(shown)
    lines = [
        f"Fitted on {done.fitted_on}; {_classes(done)}.",
        f"Measured on {done.new} other known pictures against {_against(done)}. FPR at "
        "ID95: share of the foreign taken for known where 95% of the known are; at OOD95: share of "
        "the known refused where 95% of the foreign are.",
        *(f"Left out: {names}: {why}" for why, names in _left_out(done).items()),
    ]
    if done.request.out is not None:
        lines.append(f"Wrote scores.csv, pictures.csv and auroc.svg into {done.request.out}")
    if done.request.keep is not None:
        lines.append(f"Kept the fitted scores in {done.request.keep}")
    for line in lines:
        console.print(tame(line), highlight=False, markup=False, soft_wrap=True)


def _left_out(done: "OodResult") -> dict[str, str]:
    """Names of scores by the reason why they are missing."""
    names: dict[str, list[str]] = {}
    for name, why in done.measured.left_out.items():
        names.setdefault(why, []).append(name)
    return {why: ", ".join(of_reason) for why, of_reason in names.items()}


def _classes(done: "OodResult") -> str:
    if not done.classes:
        return "without labels"
    listed = ", ".join(done.classes[:5]) + (", ..." if len(done.classes) > 5 else "")
    return f"{len(done.classes)} class{'' if len(done.classes) == 1 else 'es'} ({listed})"


def _against(done: "OodResult") -> str:
    """Folders with their pictures, and the share of them, which AUPR begins from."""
    return ", ".join(
        f"{count} of {name} (AUPR by chance {100 * count / (count + done.new):.0f})"
        for name, count in done.others.items()
    )


def _tables(done: "OodResult", folders: list[str], console: "Console") -> "list[Table]":
    """One table; where a terminal is too narrow for it, one for each folder."""
    whole = _table(done.measured.rows, folders)
    natural = console.measure(whole, options=console.options.update_width(ANY_WIDTH)).maximum
    if not console.is_terminal:
        console.width = max(console.width, natural)
    if natural <= console.width:
        return [whole]
    return [_table(done.measured.rows, [folder]) for folder in folders]


def _table(rows: "Sequence[Row]", folders: list[str]) -> "Table":
    """Scores by figures of folders; below each figure its interval, the best of a column bold."""
    from rich.markup import escape
    from rich.table import Table

    from app.hiding import tame

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("score", no_wrap=True)
    for folder in folders:
        for column in COLUMNS.values():
            table.add_column(f"{escape(tame(folder))}\n{column}", justify="right", no_wrap=True)
    best = {
        (folder, key): _best(rows, folder, key) for folder in folders for key in COLUMNS if rows
    }
    for row in rows:
        cells = [
            _cell(row.figures[folder][key], bold=row is best[folder, key])
            for folder in folders
            for key in COLUMNS
        ]
        table.add_row(row.score, *cells)
    return table


def _best(rows: "Sequence[Row]", folder: str, key: str) -> "Row":
    def value(row: "Row") -> float:
        return row.figures[folder][key].value

    return max(rows, key=value) if key in RISING else min(rows, key=value)


def _cell(estimate: "Estimate", *, bold: bool) -> str:
    value = f"{100 * estimate.value:.1f}"
    interval = f"[dim]{100 * estimate.low:.1f}-{100 * estimate.high:.1f}[/dim]"
    return f"[bold]{value}[/bold]\n{interval}" if bold else f"{value}\n{interval}"
