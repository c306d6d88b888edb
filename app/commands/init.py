"""`nomaly init`: the first file of a site."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.options import Json, command_list, print_json

cli = command_list()


@cli.command(
    epilog="Examples:  nomaly init\n\n"
    "nomaly init --site nicol --source env:HALL --source rtsp://10.0.0.6/stream2\n\n"
    "nomaly init --out yard.yaml --source 0"
)
def init(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The site's file; one that is there stays.")
    ] = Path("site.yaml"),
    site: Annotated[str, typer.Option(help="The site's name; by default that of the folder.")] = "",
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="A camera, as nomaly watch takes it: an address, a webcam's number, a folder; "
            "env:NAME, @FILE or - keep an address out of the list of processes. By default the "
            "webcams of this machine.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the file of a site with its cameras, to be watched by nomaly watch.

    Logins go into .env beside it, which only you can read; the file names them as ${NAME}. Nothing
    that is there already is changed, and no camera is contacted.
    """
    from app.beginning.cameras import EXAMPLE, Camera, cameras_of
    from app.beginning.webcams import find_webcams
    from app.beginning.writing import check_new, known_names, write_site
    from app.errors import UsageError
    from app.service.config import check_name
    from app.sources.typed import read_source

    check_new(out)
    name = site or _name_of(out.absolute().parent)
    for why in check_name(name):
        raise UsageError(f"--site {why}")
    notes: list[str] = []
    given = [read_source(one, notes.append) for one in source or ()]
    cameras = cameras_of(given, out.absolute().parent, known_names(out))
    if not given:
        cameras = [Camera(f"webcam-{one.number}", str(one.number), {}, one.name)
                   for one in find_webcams()]  # fmt: skip
    fill_in = not cameras
    if fill_in:
        cameras = [Camera("hall", EXAMPLE, {}, "FILL IN: the address of your camera")]
    written = write_site(out, name, cameras)
    following = f"nomaly doctor {out}"
    if as_json:
        files = [str(one) for one in (written.site, written.env, written.schema) if one]
        told = {one.name: one.source for one in cameras}
        print_json({"site": name, "files": files, "cameras": told, "fill_in": fill_in,
                    "next": following})  # fmt: skip
        return
    for note in dict.fromkeys(notes):
        typer.echo(note.replace("nomaly watch", "nomaly init --source"), err=True)
    count = f"{len(cameras)} camera{'s' if len(cameras) > 1 else ''}"
    typer.echo(f"Wrote {written.site} with {count}: {', '.join(one.name for one in cameras)}")
    if written.env is not None:
        typer.echo(f"Logins are in {written.env}, which only you can read.")
    if fill_in:
        typer.echo(
            f"No webcam is connected. Put your camera's address in place of {EXAMPLE}; nomaly "
            "doctor --discover lists cameras of the network that answer."
        )
    typer.echo(f"Next: {following}, then nomaly watch {out}")


def _name_of(folder: Path) -> str:
    from app.beginning.cameras import plain_name

    return plain_name(folder.name)
