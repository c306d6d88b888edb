"""`nomaly watch SITE.yaml`: many cameras in one process."""

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import typer

from app.commands.options import print_json, show_progress
from app.errors import UsageError
from app.quick import importing

SUFFIXES = (".yaml", ".yml")


def is_site(word: str) -> bool:
    """Whether a word of the command line means a site's file."""
    return word.lower().endswith(SUFFIXES) and "://" not in word


def check_only(said: Mapping[str, bool]) -> None:
    """Refuse options that a site's file says for each camera.

    Args:
        said: Whether each was given, by its name.

    Raises:
        UsageError: If one was.
    """
    given = [name for name, was in said.items() if was]
    if given:
        raise UsageError(
            f"{', '.join(given)}: a site's file says that, for each camera or under defaults; "
            "with a file go --for, --heartbeat, --json and --quiet alone"
        )


def watch_site(
    path: Path, *, for_s: float | None, heartbeat: float | None, as_json: bool, quiet: bool
) -> None:
    """Watch all cameras of a site until Ctrl-C.

    Raises:
        app.service.errors.SiteError: If anything is wrong in the file.
        typer.Exit: With code 1 if something of what was seen could not be kept.
    """
    if for_s is not None and not for_s > 0:
        raise UsageError(f"--for {for_s:g}: must be above 0 seconds")
    with importing():
        from app.service.reading import load_site

    reporter = show_progress(quiet)
    loaded = load_site(path)
    # Heavy: what is wrong in the file has been said by now.
    with importing():
        from app.commands.tables import print_state
        from app.lasting import LastingStdout
        from app.private import privately
        from app.service.page import page_of
        from app.service.service import SiteService
        from app.service.serving import serve

    stdout = LastingStdout(reporter.say)
    tell = partial(stdout.tell, print_json if as_json else partial(print_state, camera=True))
    with privately(loaded.folder, reporter.say):
        service = SiteService(
            path, reporter, tell, heartbeat_s=heartbeat, debug=logging.getLogger("nomaly").debug
        )
        companions = [page_of(loaded.config, reporter.say)]
        summary = serve(service, reporter.say, for_s=for_s, companions=companions)
    stdout.tell(print_json if as_json else _print_summary, summary)
    failed = any(one["state"] == "failed" for one in summary["cameras"].values())
    if failed or stdout.fault:
        raise typer.Exit(1)


def _print_summary(summary: dict[str, Any]) -> None:
    from app.commands.tables import watched

    for name, one in summary["cameras"].items():
        if "frames" not in one:
            why = f": {one['why']}" if one["why"] else ""
            typer.echo(f"{name}: nothing was watched ({one['state']}{why})")
            continue
        for fault in one["faults"]:
            typer.echo(f"Note: {name}: {fault}")
        typer.echo(f"{name}: {watched(one)}")
    typer.echo(f"Reports: nomaly report {summary['folder']}/CAMERA")
