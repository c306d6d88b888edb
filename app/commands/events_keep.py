"""`nomaly events keep`: events that are never given up."""

from typing import Annotated

import typer

from app.commands import completing
from app.commands.events_group import EventPlace, cli


@cli.command(epilog="Example:  nomaly events keep hall 065b3c2d1f0000-1a2b3c")
def keep(
    place: EventPlace,
    events: Annotated[
        list[str],
        typer.Argument(metavar="EVENT...", help="Ids of events.", autocompletion=completing.events),
    ],
    no_longer: Annotated[bool, typer.Option("--not", help="Keep them no longer.")] = False,
) -> None:
    """Keep events for good, with their pictures, whatever nomaly retain or a watch gives up."""
    from app.events.keep import keep as keep_events

    keep_events(place, events, kept=not no_longer)
    what = "Kept no longer" if no_longer else "Kept for good"
    typer.echo(f"{what}: {', '.join(events)}")
