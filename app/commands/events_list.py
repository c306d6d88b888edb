"""`nomaly events list`, `show` and `export`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands import completing
from app.commands.events_group import EventId, EventPlace, cli
from app.commands.events_why import print_gates
from app.commands.export import Coco, Csv, Rows, write_exports
from app.commands.options import Json, print_json
from app.errors import UsageError

if TYPE_CHECKING:
    from app.search.listed import Asked, Listed

SHOWN = 50
"""Events of a table that nobody limited."""

Since = Annotated[
    str,
    typer.Option(
        metavar="TIME",
        help="Events since then: 24h, 7d, today, 12:03, 2026-11-29, 2026-11-29T12:03; or an "
        "event's id: those behind it.",
    ),
]
Until = Annotated[str, typer.Option(metavar="TIME", help="Events that began before then.")]


@cli.command(
    "list",
    epilog="Examples:  nomaly events list hall --since 24h\n\n"
    "nomaly events list site --kind animal --verdict none\n\n"
    "nomaly events list site --since yesterday --csv events.csv",
)
def list_events(
    place: EventPlace,
    since: Since = "",
    until: Until = "",
    camera: Annotated[
        str, typer.Option(help="Events of one camera.", autocompletion=completing.cameras)
    ] = "",
    noun: Annotated[
        str, typer.Option(help="What it is called, as a fact or a guess, or another word for it.")
    ] = "",
    kind: Annotated[str, typer.Option(help="Its kind, as animal, tool or vehicle.")] = "",
    state: Annotated[str, typer.Option(help="opened, updated, closed or muted.")] = "",
    verdict: Annotated[
        str,
        typer.Option(help="confirmed, false_alarm, expected_here, renamed, or none so far."),
    ] = "",
    text: Annotated[str, typer.Option(help="Words that all stand in it: names, notes, id.")] = "",
    limit: Annotated[
        int | None,
        typer.Option(min=0, help="The newest so many; 0 for all.  [default: 50 in a table]"),
    ] = None,
    csv: Csv = None,
    as_json: Json = False,
    lines: Annotated[
        bool, typer.Option("--json-lines", help="One JSON object a line, for long lists.")
    ] = False,
) -> None:
    """List events in order of time, of one camera or of all of a site."""
    from app.search.listed import Asked, listed

    asked = _bounded(
        place,
        since,
        until,
        Asked(camera=camera, noun=noun, kind=kind, state=state, verdict=verdict, text=text),
    )
    plain = not (csv or as_json or lines)
    found = listed(place, asked, (SHOWN + 1 if plain else None) if limit is None else limit or None)
    cut = plain and limit is None and len(found) > SHOWN
    shown = found[1:] if cut else found
    if csv is not None:
        _write_csv(place, shown, csv)
    if as_json:
        print_json([one.as_json() for one in shown])
    elif lines:
        for one in shown:
            typer.echo(json.dumps(one.as_json(), ensure_ascii=False))
    elif csv is not None:
        typer.echo(f"{len(shown)} events: {csv}")
    else:
        _print_listed(shown, cut=cut, since=since)


def _bounded(place: Path, since: str, until: str, asked: "Asked") -> "Asked":
    from dataclasses import replace
    from datetime import datetime

    from app.search.listed import only
    from app.search.times import time_us

    now = datetime.now().astimezone()
    if until:
        asked = replace(asked, until_us=time_us(until, now, end=True))
    if not since:
        return asked
    try:
        return replace(asked, since_us=time_us(since, now))
    except UsageError as no_time:
        try:
            event = only(place, since).event
        except UsageError:
            raise UsageError(f"--since {no_time}") from no_time
        return replace(asked, after=(event.start_us, event.id))


def _write_csv(place: Path, shown: "list[Listed]", csv: Path) -> None:
    from app.report.places import place_rows, write_place_csv

    write_place_csv(place_rows(place, {one.event.id for one in shown}), csv)


def _print_listed(shown: "list[Listed]", *, cut: bool, since: str) -> None:
    from app.commands.events_tables import print_events_of

    print_events_of(shown)
    if cut:
        typer.echo(f"The newest {SHOWN}; --limit 0 lists all, --since and --noun some.")
    elif not shown and since:
        typer.echo("An earlier --since finds more.")


@cli.command(
    epilog="Examples:  nomaly events show hall 065b3c2d1f0000-1a2b3c\n\n"
    "nomaly events show site 1a2b3c --open"
)
def show(
    place: EventPlace,
    event: EventId,
    open_it: Annotated[
        bool, typer.Option("--open", help="Open the picture with the program of this machine.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show one event: when, what it may be, why it rang, its pictures, what people said."""
    from app.feedback.answers import answers
    from app.search.listed import only
    from app.why.asking import why

    one = only(place, event)
    folder, event_id = one.place.folder, one.event.id
    said = answers(folder, event_id)
    pictures = _pictures(folder, one)
    receipts = why(folder, event_id)
    if open_it:
        _open(pictures, event_id)
    if as_json:
        print_json(
            {
                **one.as_json(),
                "pictures": {kind: str(path) for kind, path in pictures.items()},
                "answers": [answer.as_json() for answer in said],
                "receipt": receipts[0].as_json(),
            }
        )
        return
    from app.commands.events_tables import print_event

    print_event(one, said, pictures)
    for receipt in receipts:
        print_gates(receipt, folder)


def _pictures(folder: Path, one: "Listed") -> dict[str, Path]:
    from app.events.media import MEDIA, media_path

    found = {kind: media_path(folder, kind, one.event.id, one.event.snapshot_s) for kind in MEDIA}
    return {kind: path for kind, path in found.items() if path.exists()}


def _open(pictures: dict[str, Path], event_id: str) -> None:
    if "snapshots" not in pictures:
        raise UsageError(f"{event_id}: its picture is gone; there is nothing to open")
    typer.launch(str(pictures["snapshots"]))


@cli.command(
    epilog="Examples:  nomaly events export site --csv events.csv\n\n"
    "nomaly events export hall --coco hall.coco.json"
)
def export(
    place: EventPlace, csv: Csv = None, coco: Coco = None, rows: Rows = None, as_json: Json = False
) -> None:
    """Write all events as CSV, COCO or JSON; the same as nomaly export."""
    write_exports(place, csv, coco, rows, as_json=as_json)
