"""`nomaly retain`: what is too old or too much of a store is given up."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import Json, command_list, print_json

if TYPE_CHECKING:
    from app.events.retention import Retained

cli = command_list()
_GIGABYTES = 50.0
"""Of each camera, where nothing else is said."""


@cli.command(
    epilog="Examples:  nomaly retain hall --days 30 --gigabytes 50 --dry-run\n\n"
    "nomaly retain my-site --days 90"
)
def retain(
    place: Annotated[
        Path,
        typer.Argument(help="Folder of an audit or a watch, or of a site with one a camera."),
    ],
    days: Annotated[
        float, typer.Option(help="Events that ended so many days ago go, with all of theirs.")
    ] = 30.0,
    gigabytes: Annotated[
        float | None,
        typer.Option(
            help="Beyond so many, of all cameras together, clips go, then heat maps, crops and "
            "snapshots; the oldest day first. By default 50 for each camera."
        ),
    ] = None,
    keep_confirmed: Annotated[
        bool, typer.Option(help="Keep what people confirmed, however old.")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
    as_json: Json = False,
) -> None:
    """Give up what is too old or too much, also beside a watch that goes on.

    What nomaly events keep marked, what is still open, and what a sink was not told yet stays.
    """
    from app.events.age_clock import believe
    from app.events.folders import watched_folders
    from app.events.retention import RetentionRule
    from app.events.together import retain_all

    folders = [one.folder for one in watched_folders(place)]
    most = _GIGABYTES * len(folders) if gigabytes is None else gigabytes
    rule = RetentionRule(days=days, gigabytes=most, keep_confirmed=keep_confirmed)
    for folder in () if dry_run else folders:
        believe(folder)
    done = retain_all(folders, rule, dry=dry_run)
    if as_json:
        print_json([one.as_json() for one in done])
        return
    for one in done:
        _print(one, dry_run)


def _print(done: "Retained", dry: bool) -> None:
    from app.events.retaining import in_words, megabytes
    from app.report.times import day

    typer.echo(f"{in_words(done, would=dry)}.")
    if done.oldest_us is not None and done.newest_us is not None:
        typer.echo(f"  from {day(done.oldest_us)} to {day(done.newest_us)}")
    for kind, count in sorted(done.files.items()):
        typer.echo(f"  {kind}: {count}")
    if done.kept or done.waiting:
        stay = f"{done.kept} that are kept or open, {done.waiting} that a sink was not told yet"
        typer.echo(f"  too old, but they stay: {stay}")
    over = (
        f", {megabytes(done.over_bytes)} too much: the rest may not go" if done.over_bytes else ""
    )
    typer.echo(f"  {megabytes(done.bytes_left)} are left{over}")
