"""`nomaly scenario review`: look through a site's dictionary and put it right."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.options import (
    Json,
    Quiet,
    ScenarioArgument,
    ScenarioRoot,
    command_list,
    print_json,
    show_progress,
)

cli = command_list()


@cli.command(epilog="Example:  nomaly scenario review airbus")
def review(
    name: ScenarioArgument,
    root: ScenarioRoot = None,
    dictionary: Annotated[
        Path | None,
        typer.Option(
            help="The base dictionary that was rated; by default the one of the last rating."
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to serve the page on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page.")] = True,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Look through a rated site on a local page: the most surprising ups and downs first.

    Edits go into the site's overlay.yaml as they are made, and win over every later rating. When
    the page is ended with Ctrl-C, the site's dictionary is written anew.
    """
    from app.sites.rating.order import RateOrder
    from app.sites.review.serving import review_site

    order = RateOrder(name=name, root=root, backend="prior", dictionary=dictionary)
    reviewed = review_site(order, host, port, show_progress(quiet), browser=browser)
    if as_json:
        print_json(reviewed.as_json())
    else:
        typer.echo(
            f"{reviewed.edits} edits in {reviewed.overlay}. Wrote {reviewed.output}. "
            f"Next: nomaly scenario build {name} --ft 6"
        )
