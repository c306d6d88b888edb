"""`nomaly inspect`: stills of parts and surfaces, judged against good ones."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.option_sets import with_option_sets
from app.commands.options import (
    Device,
    EmbedderSpec,
    Json,
    Model,
    Out,
    Overwrite,
    Quiet,
    command_list,
    print_json,
    show_progress,
    tell_stopped,
)
from app.commands.stills_options import StillsLearning

if TYPE_CHECKING:
    from app.inspecting.judged import Inspection

FIRST = 10
"""Images that the terminal lists."""

cli = command_list()


@cli.command(
    epilog="Examples:  nomaly inspect bottles/ --out bottles-report\n\n"
    "nomaly inspect today/ --detector bottle-detector --out today-report\n\n"
    "nomaly inspect fit bottles/train/good --out bottle-detector"
)
@with_option_sets
def inspect(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder of images, of a folder for each kind, or of train/good, test/KIND and "
            "ground_truth/KIND (MVTec AD), which learns from its own train/good."
        ),
    ],
    *,
    detector: Annotated[
        Path | None,
        typer.Option(help="What nomaly inspect fit made; by default train/good is learned."),
    ] = None,
    out: Out = Path("nomaly-inspection"),
    learning: StillsLearning,
    names: Annotated[bool, typer.Option(help="Name what is found.")] = True,
    model: Model = None,
    embedder: EmbedderSpec = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Tell which images are defective, and where, against good ones.

    Writes report.html, images.csv, inspection.json and heat/. For one view over time use audit.
    """
    from app.inspecting.place import check_free

    fit = learning.request(device, fitted=detector)
    check_free(out, overwrite=overwrite)

    from app.inspecting.request import InspectRequest

    request = InspectRequest(
        folder=folder,
        out=out,
        detector=detector,
        fit=fit,
        names=names,
        model=model,
        embedder=embedder,
        device=device,
    )
    request.layout()

    from app.inspecting.run import inspect as run_inspect
    from app.private import privately

    reporter = show_progress(quiet)
    with privately(out, reporter.say):
        done = run_inspect(request, reporter)
    if as_json:
        print_json(done.as_json())
    else:
        _print(done, out)
    if done.stopped:
        tell_stopped()
    if not done.worst_first:
        raise typer.Exit(1)


@cli.command(
    "inspect fit",
    epilog="Examples:  nomaly inspect fit bottles/train/good --out bottle-detector\n\n"
    "nomaly inspect fit good/ --false-share 0.001 --out strict",
)
@with_option_sets
def inspect_fit(
    folder: Annotated[
        Path, typer.Argument(help="Folder of good images, or one that holds train/good.")
    ],
    *,
    out: Out = Path("nomaly-stills"),
    learning: StillsLearning,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn what good images look like, for inspect --detector."""
    from app.inspecting.card import CARD
    from app.inspecting.layout import good_images
    from app.watching.keeping import check_place

    request = learning.request(device)
    check_place(out, overwrite=overwrite, besides=(CARD,))
    good_images(folder)

    from app.inspecting.run import fit_stills
    from app.private import privately

    reporter = show_progress(quiet)
    with privately(out, reporter.say):
        taught = fit_stills(folder, out, request, reporter)
    if as_json:
        print_json({"detector": str(out), "kind": taught.kind, **taught.card.as_json()})
    else:
        typer.echo(f"Learned from {taught.card.learned} images. {taught.card.expectation()}")
        typer.echo(f"Next: nomaly inspect FOLDER --detector {out}")


def _print(done: "Inspection", out: Path) -> None:
    """The worst images and the figures, for people."""
    from app.commands.stills_tables import figures_lines, worst_table

    worst = [one for one in done.worst_first if one.unusual]
    if worst:
        worst_table(worst[:FIRST])
    judged = len(done.worst_first)
    failed = f", {len(done.failed)} could not be judged" if done.failed else ""
    typer.echo(f"{len(worst)} of {judged} images are defective{failed}. {done.card.expectation()}")
    for line in figures_lines(done.figures):
        typer.echo(line)
    typer.echo(f"Report: {out / 'report.html'}")
