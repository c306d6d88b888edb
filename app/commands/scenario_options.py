"""Options that all scenario commands take."""

from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(help="A scenario: its name, a preset's, or its folder.")]
Root = Annotated[
    Path | None,
    typer.Option(
        envvar="NOMALY_SCENARIOS",
        help="Folder that holds scenarios; by default ./nomaly-scenarios.",
        show_default=False,
    ),
]
