"""`nomaly serve`: the page of what was watched."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.options import Quiet, command_list, show_progress

cli = command_list()


@cli.command(epilog="Examples:  nomaly serve hall\n\nnomaly serve site --port 9000 --no-browser")
def serve(
    place: Annotated[
        Path,
        typer.Argument(
            help="Folder of an audit or a watch, or of a site with one for each camera."
        ),
    ],
    host: Annotated[
        str,
        typer.Option(
            help="Address of this machine to serve on; one that others reach needs a password "
            "(nomaly password) or NOMALY_TOKEN."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8080,
    browser: Annotated[bool, typer.Option(help="Open the page.")] = True,
    quiet: Quiet = False,
) -> None:
    """Show events, timelines and health on a local page, also while a watch goes on.

    It only reads, but for what you say of events and the zones that you draw. Live pictures are
    shown by the process that watches: nomaly watch SOURCE --page.
    """
    from app.web.guard import GuardConfig
    from app.web.serving import serve as serve_page

    config = GuardConfig(host=host, port=port).with_environment()
    serve_page(place, config, show_progress(quiet), browser=browser)
