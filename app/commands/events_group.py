"""The group of `nomaly events`, and what its commands take alike."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands import completing
from app.commands.options import command_group

cli = command_group(
    "events",
    "Find what was told, say what it was, and give it other names; also while a watch goes on.",
    "nomaly events list hall --since 24h",
    "nomaly events show hall 065b3c2d1f0000-1a2b3c",
    "nomaly events why hall 12:03:20",
    "nomaly events would hall --bar 1.3",
    'nomaly events search site "red toolbox on the left"',
    "nomaly events verdict hall 1a2b3c renamed 'pallet jack'",
    "nomaly events rename hall --model my-decoder --dry-run",
)

EventPlace = Annotated[
    Path, typer.Argument(help="Folder of an audit or a watch, or of a site with one a camera.")
]
EventId = Annotated[
    str,
    typer.Argument(
        metavar="EVENT",
        help="The event's id, or how it begins or ends.",
        autocompletion=completing.events,
    ),
]
