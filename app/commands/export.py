"""`nomaly export`: the events of a run for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.options import Json, command_list, print_json
from app.errors import UsageError

cli = command_list()


@cli.command(
    epilog="Examples:  nomaly export nomaly-audit --csv events.csv\n\n"
    "nomaly export hall --coco hall.coco.json"
)
def export(
    out: Annotated[Path, typer.Argument(help="Folder of an audit or a watch.")],
    csv: Annotated[
        Path | None, typer.Option("--csv", help="File for a table, one event a row.")
    ] = None,
    coco: Annotated[
        Path | None,
        typer.Option("--coco", help="File for a COCO data set: boxes in the folder's snapshots."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the events of an audit or a watch as CSV or COCO, also while it runs.

    Files that are there are replaced. The report's buttons write the same.
    """
    from app.events.reading import snapshot
    from app.report.export import write_coco, write_csv

    if csv is None and coco is None:
        raise UsageError("say what to write: --csv FILE, --coco FILE or both")
    with snapshot(out) as store:
        run = store.required_run()
        count = len(store.events(run.id))
        for path, write in ((csv, write_csv), (coco, write_coco)):
            if path is not None:
                write(store, run, path)
    if as_json:
        files = {"csv": csv, "coco": coco}
        print_json({"events": count, **{kind: str(path) for kind, path in files.items() if path}})
    else:
        typer.echo(f"{count} events: {', '.join(str(path) for path in (csv, coco) if path)}")
