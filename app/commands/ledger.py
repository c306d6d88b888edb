"""`nomaly ledger`: what came into a place and has not left."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.options import Json, command_list, print_json

cli = command_list()


@cli.command(
    epilog="Examples:  nomaly ledger hall\n\nnomaly ledger hall --at 18:00\n\n"
    'nomaly ledger bay --zone "0,.5 1,.5 1,1 0,1" --json'
)
def ledger(
    place: Annotated[
        Path, typer.Argument(help="Folder of an audit or a watch, or of a site with its cameras.")
    ],
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Up to when: 18:00 of the last day that was watched, or 2026-11-29T18:00; by "
            "default the last frame.",
        ),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(
            metavar="CORNERS",
            help='Only this part of the view: corners "x,y x,y x,y" as shares of its width and '
            "height.",
        ),
    ] = None,
    walkers: Annotated[
        bool, typer.Option(help="Count people and what else walks through, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Tell what came and has not left, what is gone, and who was near when it happened.

    From the events that are stored, also while a watch goes on. What stands there since the view
    was learned counts only once it is gone.
    """
    from app.errors import UsageError
    from app.ledger.reading import ledgers
    from app.ledger.words import lines
    from app.sites.model import corners

    try:
        part = None if zone is None else corners(zone)
    except ValueError as error:
        raise UsageError(f"--zone {zone}: {error}; write corners as x,y x,y x,y") from error
    found = ledgers(place, at=at, zone=part, walkers=walkers)
    if as_json:
        print_json([one.as_json() for one in found])
        return
    for one in found:
        for line in lines(one):
            typer.echo(line)
