"""`nomaly doctor`: what of this machine can be used, and what to do about the rest."""

import typer
from rich.console import Console

from app.commands.options import Json, command_list, print_json

cli = command_list()

_SIGNS = {"ok": "[green]ok[/green]     ", "missing": "[red]missing[/red]", "absent": "-      "}


@cli.command(epilog="Examples:  nomaly doctor\n\nnomaly doctor --json")
def doctor(as_json: Json = False) -> None:
    """Look at what is installed here, and say what to do about what is missing.

    Exit code 4 if something is missing that the everyday commands need; what only some work needs
    is marked with a dash.
    """
    from app.doctor import examine

    console = Console(highlight=False, soft_wrap=True)
    findings = []
    for finding in examine():
        findings.append(finding)
        if not as_json:
            console.print(_SIGNS[finding.state], end=" ")
            console.print(f"{finding.name}: {finding.detail}", markup=False)
            if finding.remedy:
                console.print(f"        {finding.remedy}", markup=False)
    ready = all(finding.state != "missing" for finding in findings)
    if as_json:
        print_json({"ready": ready, "findings": [finding.as_json() for finding in findings]})
    if not ready:
        raise typer.Exit(4)
