"""`nomaly dataset`: pictures and labels from what people said of events."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.export import Place
from app.commands.options import Json, command_group, print_json
from app.errors import UsageError

cli = command_group(
    "dataset",
    "Make data sets of what people said of events.",
    "nomaly dataset export hall hall-set --verdicts confirmed,renamed,false_alarm",
)


@cli.command(
    epilog="Examples:  nomaly dataset export hall hall-set\n\n"
    "nomaly dataset export site site-set --verdicts confirmed,false_alarm"
)
def export(
    place: Place,
    # No Path: an argument that is one has to be there.
    out: Annotated[str, typer.Argument(help="A new folder for pictures and labels.")],
    verdicts: Annotated[
        str, typer.Option(help="Which verdicts, with commas between them.")
    ] = "confirmed,renamed,false_alarm",
    form: Annotated[str, typer.Option("--format", help="coco, the only one so far.")] = "coco",
    as_json: Json = False,
) -> None:
    """Copy the snapshots of events with a verdict, with boxes and names in COCO.

    A false alarm is a picture without boxes. manifest.json holds the SHA-256 of each picture and
    who said what.
    """
    from app.feedback.answers import ANSWERS
    from app.report.places import export_dataset

    wanted = [word.strip() for word in verdicts.split(",") if word.strip()]
    wrong = [word for word in wanted if word not in ANSWERS]
    if wrong or not wanted:
        known = ", ".join(ANSWERS)
        raise UsageError(f"--verdicts {verdicts}: say some of {known}, with commas between them")
    if form != "coco":
        raise UsageError(f"--format {form}: is not known; coco is")
    manifest = export_dataset(place, wanted, Path(out))
    if as_json:
        print_json(manifest)
    else:
        typer.echo(f"{len(manifest['images'])} pictures: {out}")
