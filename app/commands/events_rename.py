"""`nomaly events rename`: names that correct the past."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.events_group import EventPlace, cli
from app.commands.options import (
    Device,
    Json,
    Model,
    Quiet,
    ScenarioFt,
    ScenarioName,
    ScenarioRoot,
    print_json,
    show_progress,
)
from app.errors import UsageError

if TYPE_CHECKING:
    from app.renaming.place import Diff, Naming
    from novic.model import NounModel

MOST = 40
"""Kinds of changes that are printed."""


@cli.command(
    epilog="Examples:  nomaly events rename hall --model my-decoder --dry-run\n\n"
    "nomaly events rename site --scenario airbus --since 30d\n\n"
    "nomaly events rename site --undo"
)
def rename(
    place: EventPlace,
    model: Model = None,
    scenario: ScenarioName = None,
    ft: ScenarioFt = None,
    root: ScenarioRoot = None,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Events that began since then, as 30d.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell it and keep nothing.")] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the newest renaming back that still holds.")
    ] = False,
    device: Device = "auto",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Name stored events once more with a new decoder or dictionary, without any video.

    What people confirmed or renamed stays, and so do events that are still going on. All changes
    are one revision, which --undo takes back. Works beside a watch; nomaly report then writes the
    page again.
    """
    from app.feedback.verdicts import now_us
    from app.renaming.place import rename as name_again
    from app.renaming.place import take_back

    if undo:
        if model or scenario or since or dry_run:
            raise UsageError("--undo goes without --model, --scenario, --since and --dry-run")
        diff = take_back(place, now_us())
    else:
        # Before a decoder is loaded.
        since_us = _since_us(place, since)
        reporter = show_progress(quiet)
        naming = _naming(model, scenario, ft, root, device)
        with reporter.stages() as stage:
            diff = name_again(
                place,
                naming,
                since_us,
                lambda done, of: stage("Naming events", done, of, f"{done} of {of}"),
                dry=dry_run,
            )
    if as_json:
        print_json(diff.as_json())
    else:
        _print(diff, place, undo=undo)


def _since_us(place: Path, since: str) -> int | None:
    from datetime import datetime

    from app.events.folders import watched_folders
    from app.search.times import time_us

    watched_folders(place)
    return time_us(since, datetime.now().astimezone()) if since else None


def _naming(
    model: Path | None, scenario: str | None, ft: int | None, root: Path | None, device: str
) -> "Naming":
    from app.feedback.verdicts import now_us
    from app.renaming.place import Naming
    from app.sites.model import open_site
    from novic.device import resolve_device
    from novic.model import ModelOptions, load_model, model_sha256

    site = open_site(scenario, ft, root, model=model)
    loaded = load_model(site.bundle, resolve_device(device), ModelOptions(persons=False))
    name = scenario or (model.name if model is not None else "Nomaly's own decoder")
    belonging = site.belonging if scenario else None
    shipped = model_sha256(None)

    @cache
    def earlier(sha256: str) -> "NounModel | None":
        return load_model(None, resolve_device(device)) if sha256 == shipped else None

    return Naming(loaded, model_sha256(site.bundle), name, now_us(), belonging, earlier)


def _print(diff: "Diff", place: Path, *, undo: bool) -> None:
    from app.renaming.place import LEFT

    for (before, after), count in diff.pairs.most_common(MOST):
        typer.echo(f"{count:>6} '{before}' → '{after}'")
    if len(diff.pairs) > MOST:
        typer.echo(f"       and {len(diff.pairs) - MOST} other changes; --json tells all")
    count = len(diff.changed)
    if not undo:
        typer.echo(f"{diff.asked} events asked about, {count} named anew.")
    elif count == 1:
        typer.echo("1 event got its old name back.")
    else:
        typer.echo(f"{count} events got their old names back.")
    if diff.other:
        typer.echo(f"{diff.other} more keep their headline; their guesses or place changed.")
    for key, number in diff.left.items():
        typer.echo(f"{number} left as they are: {LEFT[key]}.")
    if not diff.kept:
        typer.echo("Nothing was kept. Without --dry-run the same command keeps it.")
    elif not undo and (diff.changed or diff.other):
        typer.echo(f"nomaly events rename {place} --undo takes it back.")
