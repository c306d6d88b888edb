"""`nomaly demo`: footage with known objects, audited."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.options import (
    Device,
    Json,
    Out,
    Overwrite,
    Quiet,
    command_list,
    print_json,
    show_progress,
    tell_stopped,
)

cli = command_list()


@cli.command(epilog="Example:  nomaly demo --seed 3 --out other-demo")
def demo(
    out: Out = Path("nomaly-demo"),
    seed: Annotated[int, typer.Option(help="Another number draws another demo.")] = 0,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make footage of a watched place from real photographs, and audit it.

    Objects that do not belong enter, rest and leave; the table shows what was placed beside what
    was found, what was told of it as a fact, and whether the guesses hold it.
    """
    from app.demo.run import run_demo
    from app.demo.table import print_demo
    from app.private import privately

    reporter = show_progress(quiet)
    with privately(out, reporter.say):
        result = run_demo(out, seed, device, reporter, overwrite=overwrite)
    if as_json:
        print_json(result.as_json())
    else:
        print_demo(result)
    if result.audited.stopped:
        tell_stopped()
