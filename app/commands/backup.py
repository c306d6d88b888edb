"""`nomaly backup` and `nomaly restore`."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.export import Place
from app.commands.options import Json, command_list, print_json

cli = command_list()


@cli.command(epilog="Example:  nomaly backup site site-2026-11-30.tar.gz")
def backup(
    place: Place,
    # No Path: an argument that is one has to be there.
    out: Annotated[str, typer.Argument(help="A new file, ending in .tar.gz.")],
    as_json: Json = False,
) -> None:
    """Copy events, pictures, detectors and verdicts into one file, also while a watch writes.

    The file is read again before it appears. Videos are left out.
    """
    from app.backups.archive import backup as back_up

    found = back_up(place, Path(out))
    if as_json:
        print_json(found.as_json())
    else:
        size = found.size / 1e6
        typer.echo(f"{found.events} events, {found.files} files, {size:.1f} MB: {out}")


@cli.command(epilog="Example:  nomaly restore site-2026-11-30.tar.gz site")
def restore(
    archive: Annotated[Path, typer.Argument(help="What nomaly backup wrote.")],
    folder: Annotated[str, typer.Argument(help="A new or empty folder.")],
    as_json: Json = False,
) -> None:
    """Write what a backup holds into a new folder, and see that it is whole."""
    from app.backups.archive import restore as restored

    found = restored(archive, Path(folder))
    if as_json:
        print_json(found.as_json())
    else:
        typer.echo(f"{found.events} events, {found.files} files: {folder}")
