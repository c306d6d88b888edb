"""`nomaly export`: the events of a run or a site for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.options import Json, command_list, print_json
from app.errors import UsageError

cli = command_list()

Place = Annotated[
    Path, typer.Argument(help="Folder of an audit or a watch, or of a site with one a camera.")
]
Csv = Annotated[Path | None, typer.Option("--csv", help="File for a table, one event a row.")]
Coco = Annotated[
    Path | None,
    typer.Option("--coco", help="File for a COCO data set: boxes in the folder's snapshots."),
]
Rows = Annotated[
    Path | None, typer.Option("--rows", help="File for a JSON list, the same rows as the table.")
]


@cli.command(
    epilog="Examples:  nomaly export nomaly-audit --csv events.csv\n\n"
    "nomaly export hall --coco hall.coco.json"
)
def export(
    place: Place, csv: Csv = None, coco: Coco = None, rows: Rows = None, as_json: Json = False
) -> None:
    """Write the events of an audit, a watch or a site as CSV, COCO or JSON, also while it runs.

    Files that are there are replaced. The report's buttons write the same, without verdicts.
    """
    write_exports(place, csv, coco, rows, as_json=as_json)


def write_exports(
    place: Path, csv: Path | None, coco: Path | None, rows: Path | None, *, as_json: bool
) -> None:
    """Write what was asked for and tell it.

    Raises:
        UsageError: If nothing was asked for, or nothing was audited or watched there.
        app.errors.StoreError: If a store cannot be read or a file not written.
    """
    from app.report.places import (
        place_rows,
        write_place_coco,
        write_place_csv,
        write_place_json,
    )

    files = {"csv": csv, "coco": coco, "rows": rows}
    named = {kind: str(path) for kind, path in files.items() if path is not None}
    if not named:
        raise UsageError("say what to write: --csv FILE, --coco FILE, --rows FILE, or several")
    table = place_rows(place)
    if csv is not None:
        write_place_csv(table, csv)
    if coco is not None:
        write_place_coco(table, coco, place)
    if rows is not None:
        write_place_json(table, rows)
    if as_json:
        print_json({"events": len(table), **named})
    else:
        typer.echo(f"{len(table)} events: {', '.join(named.values())}")
