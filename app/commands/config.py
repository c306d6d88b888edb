"""`nomaly config`: a site's file checked, and its schema for editors."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from app.commands.options import Json, command_group, print_json

cli = command_group(
    "config",
    "Check the file that describes a site, and help editors to check it.",
    "nomaly config check site.yaml",
    "nomaly config schema --out nomaly.schema.json",
)


@cli.command(epilog="Example:  nomaly config check site.yaml")
def check(
    site: Annotated[Path, typer.Argument(help="A site's file.")],
    as_json: Json = False,
) -> None:
    """Say all that is wrong in a site's file, by line and key; nothing is watched.

    Secrets are never shown. Exit code 2 if anything is wrong.
    """
    from app.redact import redact
    from app.service.errors import SiteError
    from app.service.plan import plan
    from app.service.reading import load_site

    try:
        loaded = load_site(site)
        planned = plan(loaded)
    except SiteError as error:
        if as_json:
            faults = [line.strip() for line in redact(str(error)).splitlines()]
            print_json({"ok": False, "faults": faults[1:] or faults, "warnings": []})
            raise typer.Exit(SiteError.exit_code) from error
        raise
    from app.redact import shown_address

    cameras: dict[str, Any] = {
        name: shown_address(request.source) for name, request in planned.cameras.items()
    }
    warnings = [redact(warning) for warning in loaded.warnings]
    if as_json:
        place = {"site": loaded.config.site, "folder": str(loaded.folder)}
        print_json({"ok": True, "faults": [], "warnings": warnings, "cameras": cameras} | place)
        return
    for warning in warnings:
        typer.echo(f"Note: {warning}")
    for name, source in cameras.items():
        typer.echo(f"{name}: {source}")
    typer.echo(f"All is well. Next: nomaly watch {site}")


@cli.command(epilog="Example:  nomaly config schema --out nomaly.schema.json")
def schema(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; by default stdout.")
    ] = None,
) -> None:
    """Print the JSON schema of a site's file, for editors that check while one types."""
    from app.service.schema import site_schema

    text = json.dumps(site_schema(), indent=2)
    if out is None:
        typer.echo(text)
        return
    from app.events.outputs import write_text

    write_text(out, f"{text}\n")
    typer.echo(
        f"Written: {out}. First line of a site's file: # yaml-language-server: $schema={out}"
    )
