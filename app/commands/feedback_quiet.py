"""`nomaly feedback quiet`: a rule for what, where, when and how it looks, from one event."""

from typing import Annotated

import typer

from app.commands.events_group import EventId, EventPlace
from app.commands.events_said import who_says
from app.commands.feedback_rules import suggestion_lines
from app.commands.feedback_said import cli, seconds_of
from app.commands.options import Json, Model, Quiet, print_json, show_progress
from app.quieting.telling import until


@cli.command(
    epilog="Examples:  nomaly feedback quiet hall 065b3c2d1f0000-1a2b3c --try\n\n"
    "nomaly feedback quiet hall 1a2b3c --hours 8-12 --days mon-fri\n\n"
    'nomaly feedback quiet hall 1a2b3c --kind animal --zone "gate=.1,.5 .4,.5 .4,.9 .1,.9"'
)
def quiet(
    place: EventPlace,
    event: EventId,
    hours: Annotated[
        str,
        typer.Option(
            metavar="HOURS",
            help="At which hours, on this machine's clock: 8-12, 22-6, 7:30-9 or all. Without it "
            "hours are proposed by when such things were seen, where there were 5 at least.",
        ),
    ] = "",
    days: Annotated[str, typer.Option(metavar="DAYS", help="mon-fri, or sat,sun.")] = "",
    zone: Annotated[
        str,
        typer.Option(
            metavar="ZONE",
            help="Where it stands: corners as shares of the view, gate=CORNERS to name them, gate "
            "once that was said, or all. Without it: where the event was, and around.",
        ),
    ] = "",
    noun: Annotated[str, typer.Option(help="Anything of this noun, whatever it looks like.")] = "",
    kind: Annotated[str, typer.Option(help="Anything of this kind, as animal or vehicle.")] = "",
    lasting: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="TIME",
            help="It ends so long after it was last used: 12h, 30d, 8w, or ever.",
        ),
    ] = "30d",
    note: Annotated[str, typer.Option(help="Why, in your words.")] = "",
    only_try: Annotated[
        bool, typer.Option("--try", help="Show what it would do, and keep nothing.")
    ] = False,
    model: Model = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Quiet what an event shows, there and at such hours: it is kept, but told no longer.

    Shows which events of the last 30 days it would have quieted, and its leak: other things are
    pasted into the camera's view and named, each taken to stand in the zone at these hours, and
    counted if they would go silent; so are past events that were confirmed as something else.
    The rule holds at once, also in a watch that is running, and ends unless it is used.
    """
    from app.quieting.keeping import keep
    from app.quieting.planting import planting
    from app.quieting.suggestion import suggest
    from app.quieting.wish import Wish
    from app.search.listed import only
    from novic.errors import NomalyError

    wish = Wish(hours, days, zone, noun, kind, seconds_of(lasting), who_says(), note)
    found = only(place, event)
    folder, event_id = found.place.folder, found.event.id
    suggestion = suggest(folder, event_id, wish)
    reporter = show_progress(quiet)
    try:
        with reporter.task("Trying other things on it"):
            suggestion = suggest(folder, event_id, wish, planting(folder, model))
    except NomalyError as error:
        reporter.say(f"What else goes silent could not be measured: {error}")
    kept = suggestion.rule if only_try else keep(folder, suggestion)
    if as_json:
        print_json({**suggestion.as_json(), **kept.as_json(), "kept": not only_try})
        return
    if only_try:
        typer.secho(f"Not kept yet: {kept.said}.", bold=True)
    else:
        typer.secho(f"Rule {kept.number}: quiet is {kept.said}{until(kept, kept.made_us)}.")
    for line in suggestion_lines(suggestion, folder):
        typer.echo(line)
    if only_try:
        typer.echo("Without --try it is kept.")
