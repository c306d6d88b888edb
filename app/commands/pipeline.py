"""`nomaly evaluate pipeline`: how good the whole is at telling what should not be there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.naming import guide_nouns
from app.commands.options import (
    Device,
    Json,
    Model,
    Out,
    Overwrite,
    Quiet,
    command_list,
    print_json,
    show_progress,
)
from app.errors import StoppedError, UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from app.evaluating.pipeline.outcome import PipelineResult, Row
    from app.evaluating.pipeline.run import PipelineRequest
    from calibration.named import Precision
    from novic.intervals import Estimate

cli = command_list()


@cli.command(
    "evaluate pipeline",
    epilog="Examples:  nomaly evaluate pipeline --simulated report --true-nouns --out simulated\n\n"
    "nomaly evaluate pipeline shift.mp4 --truth shift.json --normal-first 60\n\n"
    "nomaly evaluate pipeline nomaly-audit --truth shift.json --rival owl=owl.json\n\n"
    "nomaly evaluate pipeline --simulated 7 --scene garden --things 3 --no-baselines",
)
def evaluate_pipeline(
    data: Annotated[
        Path | None, typer.Argument(help="A recording, or the folder of an audit of one.")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(help="What was in the recording: Nomaly's JSON, the demo's, or COCO's."),
    ] = None,
    simulated: Annotated[
        str | None,
        typer.Option(
            metavar="SPLIT",
            help="Make recordings instead, of the split dev, report, or of a whole number.",
        ),
    ] = None,
    scene: Annotated[
        list[str] | None,
        typer.Option(help="Only these scenes of the split, one by one.  [default: all]"),
    ] = None,
    things: Annotated[int, typer.Option(help="How many things come in each scene.")] = 6,
    nouns: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Candidates, one a line: each row is measured without and with them.",
        ),
    ] = None,
    true_nouns: Annotated[
        bool, typer.Option("--true-nouns", help="Take the nouns of the truth for candidates.")
    ] = False,
    rival: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE", help="Boxes and names of a rival, JSON; more of them one by one."
        ),
    ] = None,
    baselines: Annotated[
        bool, typer.Option(help="Whether rivals are built and measured, too.")
    ] = True,
    baseline: Annotated[
        list[str] | None,
        typer.Option(help="Only these: mog2, argmax, nearest, cased, one by one.  [default: all]"),
    ] = None,
    detector_model: Annotated[
        str | None, typer.Option(help="Kind of detector that learns.  [default: padim]")
    ] = None,
    detector_setting: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A setting of it.")
    ] = None,
    detector: Annotated[
        Path | None, typer.Option(help="For a recording: a detector that was fitted before.")
    ] = None,
    normal_first: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="For a recording: so much of its start is normal."),
    ] = None,
    fps: Annotated[float, typer.Option(help="Frames a second to look at.")] = 5.0,
    model: Model = None,
    out: Out = Path("nomaly-pipeline"),
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure the whole where the truth is known: found, named, meant, specific.

    In one table with what others would build of the same parts. Writes report.html and
    pipeline.json. Asked again of the same, it takes the audits that are done.
    """
    if simulated is not None and (data or truth or detector or normal_first):
        raise UsageError(
            "--simulated makes recordings and their truth; leave out the recording, --truth, "
            "--detector and --normal-first"
        )
    if simulated is None and data is None:
        raise UsageError("name a recording or its audit, or say --simulated report")
    if simulated is None and scene:
        raise UsageError("--scene chooses among those of --simulated SPLIT")
    if nouns is not None and true_nouns:
        raise UsageError("--nouns and --true-nouns both say what the candidates are; choose one")
    named = tuple(guide_nouns(nouns, "--nouns"))
    if not baselines and baseline:
        raise UsageError("--no-baselines and --baseline contradict each other; leave one out")

    from app.commands.looking_options import Learning
    from app.evaluating.pipeline.auditing import Looking
    from app.evaluating.pipeline.baselines import BASELINES
    from app.evaluating.pipeline.rivals import named_file
    from app.evaluating.pipeline.run import PipelineRequest
    from app.evaluating.pipeline.simulated import simulated_days
    from app.simulator.splits import split

    days = simulated_days(split(simulated), scene or (), things) if simulated is not None else []
    looking = Looking(
        config=Learning(detector_model, detector_setting).config(fitted=detector),
        detector=detector,
        normal_first_s=normal_first,
        fps=fps,
        device=device,
        model=model,
    )
    request = PipelineRequest(
        out=out,
        looking=looking,
        days=tuple(days),
        data=data,
        truth=truth,
        nouns=named,
        true_nouns=true_nouns,
        rivals=tuple(named_file(text) for text in rival or []),
        baselines=tuple(baseline or BASELINES) if baselines else (),
        overwrite=overwrite,
    )
    done = _measured(request, quiet)
    if as_json:
        print_json(done.as_json())
    else:
        print_result(done, out)


def _measured(request: "PipelineRequest", quiet: bool) -> "PipelineResult":
    from app.evaluating.pipeline.run import evaluate_pipeline as evaluate
    from app.private import privately

    reporter = show_progress(quiet)
    try:
        with privately(request.out, reporter.say):
            return evaluate(request, reporter)
    except KeyboardInterrupt as error:
        raise StoppedError(
            f"stopped; recordings and audits that were done are kept in {request.out}, the same "
            "command goes on from there"
        ) from error


def print_result(done: "PipelineResult", out: Path) -> None:
    """The figures, for people."""
    from rich.console import Console

    from app.hiding import tame

    console = Console()
    table = _table(done.rows)
    if not console.is_terminal:
        console.width = max(console.width, 160)
    console.print(table)
    things = f"{done.count} thing{'' if done.count == 1 else 's'}"
    videos = f"{len(done.things)} recording{'' if len(done.things) == 1 else 's'}"
    lines = [
        f"{things} in {videos}. Per cent with 95% intervals; names are the likeliest of each row, "
        "also where Nomaly tells them as guesses only; "
        "right: share of all things, those that were found and whose name is right at any level; "
        "specific: levels of WordNet by which such names are too broad (below 0).",
        *(f"Left out: {what}: {why}" for what, why in done.left_out.items()),
        f"Report: {out / 'report.html'}",
    ]
    for line in lines:
        console.print(tame(line), highlight=False, markup=False, soft_wrap=True)


def _table(rows: "tuple[Row, ...]") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    from app.hiding import tame

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("what", overflow="fold")
    table.add_column("told", justify="right", no_wrap=True)
    for column in ("found AP50", "named AP50", "meant AP50", "right", "specific"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        told = sum(map(len, row.told.things.values()))
        figures = (*map(_ap, (row.found, row.named, row.meant)), _share(row.right))
        table.add_row(escape(tame(row.label)), str(told), *figures, _levels(row.specific))
    return table


def _ap(one: "Precision | None") -> str:
    return _share(one.ap50 if one is not None else None)


def _share(one: "Estimate | None") -> str:
    if one is None:
        return "-"
    return f"{100 * one.value:.1f}\n[dim]{100 * one.low:.1f}-{100 * one.high:.1f}[/dim]"


def _levels(one: "Estimate | None") -> str:
    if one is None:
        return "-"
    return f"{one.value:+.2f}\n[dim]{one.low:+.2f} to {one.high:+.2f}, of {one.images}[/dim]"
