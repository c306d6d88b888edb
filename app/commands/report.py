"""`nomaly report`: the report of a run once more."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.options import Json, command_list, print_json

cli = command_list()


@cli.command(epilog="Examples:  nomaly report nomaly-audit\n\nnomaly report hall --json")
def report(
    out: Annotated[Path, typer.Argument(help="Folder of an audit or a watch.")],
    as_json: Json = False,
) -> None:
    """Write a run's report.html and events.jsonl again from its store.

    Also of a run that was stopped or killed, and of one that still goes on: then the report shows
    what it found so far.
    """
    from app.watching.again import report_again

    again = report_again(out)
    if as_json:
        print_json(again.summary)
        return
    count = len(again.summary["events"])
    so_far = " so far; the run goes on" if again.goes_on else ""
    typer.echo(f"{count} event{'s' if count != 1 else ''}{so_far}. Report: {out / 'report.html'}")
