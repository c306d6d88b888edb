"""`nomaly doctor`: what of this machine and a site can be used, and what to do about the rest."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from app.commands.options import Json, command_list, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.doctor import Finding

cli = command_list()

_SIGNS = {
    "ok": "[green]ok[/green]     ",
    "missing": "[red]missing[/red]",
    "fault": "[red]fault[/red]  ",
    "warning": "[yellow]warning[/yellow]",
    "absent": "-      ",
}


@cli.command(
    epilog="Examples:  nomaly doctor\n\nnomaly doctor site.yaml\n\n"
    "nomaly doctor site.yaml --bundle for-support.zip\n\nnomaly doctor --discover\n\n"
    "nomaly doctor --json"
)
def doctor(
    site: Annotated[
        Path | None,
        typer.Argument(
            help="A site's file: its cameras, sinks and folder are looked at, too; nothing is "
            "sent or kept.",
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=1, max=600, help="How long each camera is looked at.")
    ] = 10.0,
    discover: Annotated[
        bool,
        typer.Option(
            "--discover",
            help="Only ask the local network for cameras (ONVIF), and list those that answer. "
            "Not tried with real cameras.",
        ),
    ] = False,
    bundle: Annotated[
        Path | None,
        typer.Option(
            help="Also write a zip file for who helps you: findings, versions, settings and notes, "
            "without passwords, tokens, user names and pictures.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Look at what is installed here and how a site does, and say what to do about the rest.

    Exit code 4 if something is missing that the everyday commands need; what only some work needs
    is marked with a dash. Exit code 1 if something would keep the site or a camera of it from
    being watched; with a warning it is watched less well.
    """
    if discover:
        _discover(seconds, as_json)
        return
    findings = []
    for finding in _examined(site, seconds):
        findings.append(finding)
        if not as_json:
            _print(finding)
    files: list[str] = []
    if bundle is not None:
        from app.checkup.bundle import write_bundle

        files = write_bundle(bundle, findings, site)
    missing = any(finding.state == "missing" for finding in findings)
    faulty = any(finding.state == "fault" for finding in findings)
    if as_json:
        told = [finding.as_json() for finding in findings]
        written = {} if bundle is None else {"bundle": str(bundle)}
        print_json({"ready": not (missing or faulty), "findings": told} | written)
    elif bundle is not None:
        typer.echo(f"Wrote {bundle}: {', '.join(files)}. Look into it before you send it.")
    elif site is not None and not (missing or faulty):
        typer.echo(f"Next: nomaly watch {site}")
    if missing or faulty:
        raise typer.Exit(4 if missing else 1)


def _examined(site: Path | None, seconds: float) -> "Iterator[Finding]":
    from app.doctor import examine

    yield from examine()
    if site is not None:
        from app.checkup.site import examine_site

        yield from examine_site(site, seconds, lambda text: typer.echo(text, err=True))


def _print(finding: "Finding") -> None:
    from app.hiding import tame

    console = Console(highlight=False, soft_wrap=True)
    console.print(_SIGNS[finding.state], end=" ")
    console.print(tame(f"{finding.name}: {finding.detail}"), markup=False)
    if finding.remedy:
        console.print(tame(f"        {finding.remedy}"), markup=False)


def _discover(seconds: float, as_json: bool) -> None:
    from app.sources.discovery import SECONDS
    from app.sources.discovery import discover as ask

    found = ask(min(seconds, SECONDS))
    if as_json:
        print_json({"cameras": [one.as_json() for one in found]})
        return
    for one in found:
        said = ", ".join(part for part in (one.name, one.hardware, one.address) if part)
        typer.echo(f"{one.host}: {said or 'says nothing of itself'}")
    if not found:
        typer.echo(
            "No camera answered. Many have ONVIF switched off, and none answers from behind a "
            "router; look at the router's list of devices for its address."
        )
        return
    typer.echo("Next: nomaly init --source rtsp://USER:PASSWORD@HOST/PATH")
    typer.echo("The camera's manual names the path. The answers were not tried with real cameras.")
