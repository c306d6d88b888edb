"""What all scenario commands take."""

from typing import Annotated

import typer

from app.commands.options import ScenarioRoot

Name = Annotated[str, typer.Argument(help="A scenario: its name, a preset's, or its folder.")]
Root = ScenarioRoot
