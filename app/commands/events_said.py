"""`nomaly events verdict`: what somebody says of one event."""

import getpass
from typing import Annotated

import typer

from app.commands.events_group import EventId, EventPlace, cli
from app.commands.options import Json, print_json
from app.errors import UsageError


@cli.command(
    epilog="Examples:  nomaly events verdict hall 065b3c2d1f0000-1a2b3c confirmed\n\n"
    'nomaly events verdict hall 1a2b3c false_alarm --note "a shadow"\n\n'
    "nomaly events verdict site 1a2b3c renamed 'pallet jack'"
)
def verdict(
    place: EventPlace,
    event: EventId,
    said: Annotated[
        str,
        typer.Argument(metavar="VERDICT", help="confirmed, false_alarm, expected_here, renamed."),
    ],
    noun: Annotated[
        str, typer.Argument(metavar="[NOUN]", help="What it truly was; renamed needs it.")
    ] = "",
    note: Annotated[str, typer.Option(help="Why, in your words.")] = "",
    as_json: Json = False,
) -> None:
    """Say what an event was. Searches, exports and data sets know it, and no decoder renames it.

    It silences nothing: nomaly feedback normal does that.
    """
    from app.feedback.answers import ANSWERS, Answer, AnswerKind, keep_answer
    from app.feedback.verdicts import now_us
    from app.search.listed import only

    # So that it may be typed as it is read.
    word = said.replace("-", "_").replace(" ", "_")
    kind: AnswerKind | None = next((one for one in ANSWERS if one == word), None)
    if kind is None:
        raise UsageError(f"{said}: is no verdict; say one of {', '.join(ANSWERS)}")
    one = only(place, event)
    answer = Answer(one.event.id, kind, noun, note, who_says(), now_us())
    keep_answer(one.place.folder, answer)
    if as_json:
        print_json(answer.as_json())
        return
    named = f", it is {noun}" if noun else ""
    typer.echo(f"{one.headline} ({one.event.id}): {kind.replace('_', ' ')}{named}. Kept.")
    if kind == "expected_here":
        typer.echo(f"To silence its like: nomaly feedback normal {one.place.folder} {one.event.id}")


def who_says() -> str:
    """Who is logged in; empty if nobody is."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
