"""`nomaly evaluate` and `nomaly score`: how good names are."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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

    from rich.table import Table

    from app.names.evaluating import EvaluatedSet
    from scenarios.dictionary import ObjectDictionary
    from training.evaluation.comparison import ScoredRow
    from training.evaluation.tables import ResultTable

ANY_WIDTH = 10_000
"""Wider than any table."""
STANDARD = ("beam_k10_vnone_gp_t1_a0",)

cli = command_list()


@cli.command(
    epilog="Examples:  nomaly evaluate photos/ --out photos.json"
    "\n\nnomaly evaluate ImageNet1K CIFAR10 --root /data --model novic.train --out results"
    "\n\nnomaly evaluate cifar10=/data/cifar-10-batches-bin -g beam_k10_gp -g greedy_gn"
)
def evaluate(
    datasets: Annotated[
        list[str],
        typer.Argument(
            help="A folder of class folders, of train and val, or of images alone; a benchmark by "
            "name (with --root), or NAME=FOLDER."
        ),
    ],
    model: Model = None,
    embedder: EmbedderSpec = None,
    gencfg: Annotated[
        list[str] | None,
        typer.Option("--gencfg", "-g", help="How nouns are searched; several are compared."),
    ] = None,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Predictions file, or a folder for one per data set."),
    ] = Path("predictions.json"),
    root: Annotated[
        Path | None, typer.Option(help="Folder of all benchmarks, laid out as upstream's.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, valid or all.")] = "valid",
    class_names: Annotated[
        Path | None,
        typer.Option(help="Other names of the classes: upstream's cls_class_names_multi.json."),
    ] = None,
    dictionary: Annotated[
        Path | None,
        typer.Option(
            help="The whole object_nouns.json: a noun is then right by any of its spellings."
        ),
    ] = None,
    guide: Annotated[
        str,
        typer.Option(
            help="Nouns that guided strategies may say: classes, vocabulary, or a text file with "
            "one a line. By default the classes' nouns, and the vocabulary without classes."
        ),
    ] = "",
    direct_guided: Annotated[
        bool,
        typer.Option(
            "--direct-guided",
            help="Cross greedy answers without and with the classes as a guide (upstream's "
            "eval_cls).",
        ),
    ] = False,
    batch: Annotated[int, typer.Option(min=1, help="Images named at once.")] = 32,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Name the images of data sets and write predictions files.

    Ctrl-C saves what is done; the same command goes on from there. Broken images are left out.
    """
    _check_folders(datasets)

    from app.names.evaluating import EvaluateRequest, evaluate_sets
    from novic.device import resolve_device
    from novic.gencfg import parse_gencfg
    from novic.image_sets import SPLITS

    if split not in SPLITS:
        raise UsageError(f"--split {split}: use {', '.join(SPLITS)}")
    request = EvaluateRequest(
        sets=tuple(datasets),
        out=out,
        configs=tuple(dict.fromkeys(map(parse_gencfg, gencfg or STANDARD))),
        model=model,
        embedder=embedder,
        root=root,
        split=split,
        class_names=class_names,
        dictionary=_dictionary(dictionary),
        guide=_guide(guide),
        direct_guided=direct_guided,
        batch=batch,
        overwrite=overwrite,
    )
    done = []
    for evaluated in evaluate_sets(request, resolve_device(device), show_progress(quiet)):
        done.append(evaluated)
        if not as_json:
            _tell(evaluated)
    if as_json:
        print_json({"evaluated": [_summary(evaluated) for evaluated in done]})


@cli.command(
    epilog="Examples:  nomaly score photos.json --annotations photos/"
    "\n\nnomaly score ft2.json ft0.json --annotations World/ --specificity nouns.json --latex"
)
def score(
    predictions: Annotated[list[Path], typer.Argument(help="Predictions files of any models.")],
    annotations: Annotated[
        Path | None,
        typer.Option(
            help="What is right for each image: an annotation file, or the images' folder. Without "
            "it, the classes of the images say so."
        ),
    ] = None,
    specificity: Annotated[
        Path | None, typer.Option(help="{noun: 0 to 1}, for the overall score.")
    ] = None,
    first_category: Annotated[
        bool,
        typer.Option(
            "--first-category",
            help="Take the alphabetically first category of a noun that stands in two, as upstream "
            "does, instead of refusing it.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the 95% intervals.")] = 0,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="The table as CSV on stdout.")] = False,
    as_latex: Annotated[
        bool, typer.Option("--latex", help="The table as LaTeX on stdout.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Score predictions: a row per model and strategy, with 95% intervals."""
    from training.evaluation.comparison import comparison_json, comparison_table, score_files
    from training.evaluation.scores import find_annotations, read_specificity
    from training.evaluation.tables import to_csv, to_latex

    if as_json + as_csv + as_latex > 1:
        raise UsageError("choose one of --json, --csv and --latex")
    if specificity is not None and annotations is None:
        raise UsageError("--specificity needs --annotations")
    judged = None
    if annotations is not None:
        judged = find_annotations(annotations, first_category=first_category)
    factors = read_specificity(specificity) if specificity is not None else None
    rows = score_files(predictions, judged, factors, seed)
    if as_json:
        print_json({"scores": comparison_json(rows, seed)})
    elif as_csv or as_latex:
        table = comparison_table(rows, seed)
        typer.echo(to_csv(table) if as_csv else to_latex(table), nl=False)
    else:
        _print_scores(rows, seed)
    if not quiet:
        _tell_unjudged(rows, annotations)


def _dictionary(path: Path | None) -> "ObjectDictionary | None":
    if path is None:
        return None
    from scenarios.dictionary import read_dictionary

    return read_dictionary(path)


def _guide(text: str) -> tuple[str, ...] | None:
    """The guide set: None for the classes', empty for the vocabulary, or a file's nouns."""
    if text in ("", "classes"):
        return None
    return () if text == "vocabulary" else tuple(guide_nouns(Path(text)))


def _tell(evaluated: "EvaluatedSet") -> None:
    """A data set's result for people."""
    from training.evaluation.comparison import comparison_table, score_files

    images = len(evaluated.predictions.samples)
    left_out = f", {len(evaluated.broken)} could not be read" if evaluated.broken else ""
    if evaluated.labelled:
        rows = score_files([evaluated.file])
        _print_table(comparison_table(rows))
        _print_cross(rows)
        after = f"Compare with others: nomaly score {evaluated.file} OTHER.json"
    else:
        after = f"Next: nomaly score {evaluated.file} --annotations FOLDER"
    typer.echo(f"Wrote {evaluated.file}: {images} images{left_out}. {after}")


def _summary(evaluated: "EvaluatedSet") -> dict[str, Any]:
    """A data set's result for scripts."""
    from training.evaluation.comparison import comparison_json, cross_tables, score_files

    summary = {
        "predictions": str(evaluated.file),
        "image_set": evaluated.predictions.nomaly["image_set"],
        "images": len(evaluated.predictions.samples),
        "broken": evaluated.broken,
        "gencfgs": list(evaluated.predictions.answers),
    }
    if not evaluated.labelled:
        return summary
    rows = score_files([evaluated.file])
    crossed = {
        f"direct_{direct}_guided_{guided}": count
        for table in cross_tables(rows).values()
        for (direct, guided), count in table.items()
    }
    return {**summary, "scores": comparison_json(rows), "direct_guided": crossed or None}


def _print_scores(rows: "Sequence[ScoredRow]", seed: int) -> None:
    from training.evaluation.comparison import comparison_table

    _print_table(comparison_table(rows, seed))
    _print_cross(rows)


def _print_table(table: "ResultTable") -> None:
    """A result table in the terminal: below the figures their intervals, the best ones bold.

    Where a row per model is too wide, there is a column per model if that is narrower.
    """
    from rich.console import Console

    def natural(shown: "Table") -> int:
        return Console(width=ANY_WIDTH).measure(shown).maximum

    console = Console()
    rows = _cells(table)
    shown = _rich_table(rows)
    if console.is_terminal and natural(shown) > console.width:
        turned = _rich_table([list(column) for column in zip(*rows, strict=True)])
        shown = min(shown, turned, key=natural)
    console.width = max(console.width, natural(shown))
    console.print(shown)


def _cells(table: "ResultTable") -> list[list[str]]:
    """A result table as marked-up text, its head first; the strategy stands below the model."""
    from rich.markup import escape

    from training.evaluation.comparison import GENCFG
    from training.evaluation.tables import interval, value

    columns = [at for at, name in enumerate(table.columns) if name != GENCFG]
    best = table.best()
    rows = [[f"[bold]{table.columns[at]}[/bold]" for at in columns]]
    for number, row in enumerate(table.rows):
        below = {at: interval(row[at]) for at in columns}
        if GENCFG in table.columns:
            below[0] = value(row[table.columns.index(GENCFG)])
        texts = {at: escape(value(row[at])) for at in columns}
        bold = {at: f"[bold]{t}[/bold]" if (number, at) in best else t for at, t in texts.items()}
        rows.append(
            [f"{bold[at]}\n[dim]{below[at]}[/dim]" if below[at] else bold[at] for at in columns]
        )
    return rows


def _rich_table(rows: list[list[str]]) -> "Table":
    from rich.table import Table

    shown = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for at in range(len(rows[0])):
        shown.add_column(justify="right" if at else "left", no_wrap=True)
    for row in rows:
        shown.add_row(*row)
    return shown


def _print_cross(rows: "Sequence[ScoredRow]") -> None:
    """Greedy answers without and with a guide against each other."""
    from training.evaluation.comparison import cross_tables

    for file, counts in cross_tables(rows).items():
        total = max(sum(counts.values()), 1)
        typer.echo(f"Greedy answers of {file}:")
        for (direct, guided), count in counts.items():
            share = 100 * count / total
            typer.echo(f"  direct {direct:<8} guided {guided:<10} {count:>7}  {share:6.2f}%")


def _tell_unjudged(rows: "Sequence[ScoredRow]", annotations: Path | None) -> None:
    """Say what the scores do not rest on."""
    if annotations is None:
        return
    from training.evaluation.scores import AnnotatedScore

    unjudged: list[str] = []
    for row in rows:
        if not isinstance(row.score, AnnotatedScore):
            continue
        if row.score.unjudged:
            unjudged.append(str(row.file))
            image, noun = row.score.unjudged[0]
            typer.echo(
                f"nomaly: {row.file} {row.gencfg}: {len(row.score.unjudged)} first nouns are not "
                f"judged and count as wrong ('{noun}' of {image}, ...)",
                err=True,
            )
        if row.score.without_specificity:
            listed = ", ".join(row.score.without_specificity[:10])
            typer.echo(
                f"nomaly: {row.file} {row.gencfg}: {len(row.score.without_specificity)} nouns have "
                f"no specificity and count 0 in the overall score: {listed}",
                err=True,
            )
    if unjudged:
        files = " ".join(dict.fromkeys(unjudged))
        typer.echo(f"nomaly: judge them with nomaly annotate human FOLDER {files}", err=True)


def _check_folders(datasets: "Sequence[str]") -> None:
    """Refuse folders that are not there; whether a bare word is a benchmark is seen later."""
    for text in datasets:
        folder = Path(text.partition("=")[2] or text)
        if os.sep in text and not folder.exists():
            raise UsageError(f"{folder}: there is no such folder")
