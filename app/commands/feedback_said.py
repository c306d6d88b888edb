"""`nomaly feedback normal`, `list` and `forget`: what is normal, wherever and whenever it is."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands import completing
from app.commands.events_group import EventPlace
from app.commands.feedback_rules import rule_lines
from app.commands.options import Json, Model, Quiet, command_group, print_json, show_progress
from app.errors import UsageError
from app.lengths import written_s

if TYPE_CHECKING:
    from app.feedback.verdicts import Leak, Verdict

cli = command_group(
    "feedback",
    "Say what is normal in front of a camera, so that it goes silent; also while it is watched.",
    "nomaly feedback normal hall 065b3c2d1f0000-1a2b3c",
    "nomaly feedback quiet hall 065b3c2d1f0000-1a2b3c --try",
    "nomaly feedback list hall",
    "nomaly feedback forget hall 3",
)

RunFolder = Annotated[Path, typer.Argument(help="Folder of an audit or a watch.")]
_EVER = "ever"


@cli.command(
    epilog="Examples:  nomaly feedback normal hall 065b3c2d1f0000-1a2b3c\n\n"
    'nomaly feedback normal hall 065b3c2d1f0000-1a2b3c --for 90d --note "the neighbour\'s cat"'
)
def normal(
    out: RunFolder,
    event: Annotated[
        str,
        typer.Argument(
            help="The event's id, as report and events.jsonl say.",
            autocompletion=completing.events,
        ),
    ],
    lasting: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="TIME",
            help="It holds until so long after it last matched: 12h, 30d, 8w, or ever.",
        ),
    ] = "30d",
    note: Annotated[str, typer.Option(help="Why, in your words.")] = "",
    model: Model = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say that what an event shows is normal there: the same thing is no longer told.

    It holds at once, anywhere in the view, also in a watch that is running and in later ones with
    the same detector. What goes silent is kept, folded in the report. Then other things are
    pasted into the learned view, to tell how many of them would go silent too.
    """
    keep_s = seconds_of(lasting)
    from app.feedback.saying import say_normal, settle

    said = say_normal(out, event, keep_s, note)
    verdict, muted = said.verdict, [*said.muted]
    if not as_json:
        typer.echo(f"Verdict {verdict.number}: {verdict.noun} is normal here{_until(verdict)}.")
    from app.watching.leak import measure
    from novic.errors import NomalyError

    reporter = show_progress(quiet)
    try:
        with reporter.task("Trying other things on it"):
            verdict = measure(out, said, model)
        muted = settle(out, verdict)
    except NomalyError as error:
        reporter.say(f"What else goes silent could not be measured: {error}")
    if as_json:
        print_json({**verdict.as_json(), "muted": muted})
        return
    if others := len(muted) - 1:
        go = "events go" if others > 1 else "event goes"
        typer.echo(f"{others} more {go} silent in {out}.")
    typer.echo(_leak(verdict.leak))


@cli.command("list", epilog="Example:  nomaly feedback list hall")
def list_verdicts(out: EventPlace, as_json: Json = False) -> None:
    """List what was said, what it silenced so far, what else it would silence, and when it ends."""
    from app.events.folders import watched_folders
    from app.feedback.saying import said_there
    from app.feedback.verdicts import now_us
    from app.quieting.keeping import rules_there

    stores = watched_folders(out)
    said = [(one, said_there(one.folder).all(), rules_there(one.folder)) for one in stores]
    if as_json:
        every = [each for _, verdicts, rules in said for each in (*verdicts, *rules)]
        print_json([one.as_json() | {"holds": one.holds(now_us())} for one in every])
        return
    for store, verdicts, rules in said:
        if len(said) > 1 and (verdicts or rules):
            typer.secho(store.name, bold=True)
        for one in verdicts:
            times = f"silenced {one.matches} event{'' if one.matches == 1 else 's'}"
            ends = _until(one) if one.holds(now_us()) else ", expired"
            of = f"{one.noun} (event {one.event_id}){ends}; {times}. {one.note}"
            typer.echo(f"{one.number:>3}  {of}")
            typer.echo(f"     {_leak(one.leak)}")
        for rule in rules:
            for line in rule_lines(rule, now_us()):
                typer.echo(line)
    if not any(verdicts or rules for _, verdicts, rules in said):
        typer.echo("Nothing was said yet. Next: nomaly feedback quiet OUT EVENT --try")


@cli.command(epilog="Example:  nomaly feedback forget hall 3")
def forget(
    out: RunFolder,
    number: Annotated[int, typer.Argument(help="The number of a verdict or rule, as listed.")],
    as_json: Json = False,
) -> None:
    """Take a verdict or a rule back: such things are told again."""
    from app.feedback.saying import forget as forget_verdict
    from app.quieting.keeping import forget as forget_rule

    told = forget_rule(out, number)
    what = "Verdict" if told is None else "Rule"
    if told is None:
        told = forget_verdict(out, number)
    if as_json:
        print_json({"number": number, "told": told})
    else:
        many = "1 event is" if len(told) == 1 else f"{len(told)} events are"
        typer.echo(f"{what} {number} is forgotten; of {out} {many} shown again.")


def seconds_of(text: str) -> float | None:
    """A length of time as it is typed; None for ever.

    Raises:
        UsageError: If it is none.
    """
    if text.strip() == _EVER:
        return None
    seconds = written_s(text, "hdw")
    if seconds is None or seconds >= 1e10:
        raise UsageError(f"--for {text}: is no length of time; write 12h, 30d, 8w or ever")
    return seconds


def _until(verdict: "Verdict") -> str:
    if verdict.until_us is None:
        return ""
    ends = datetime.fromtimestamp(verdict.until_us / 1e6, UTC).astimezone()
    return f" until {ends:%Y-%m-%d}, longer if it is seen again"


def _leak(leak: "Leak | None") -> str:
    """What else goes silent, for people."""
    if leak is None:
        return "What else goes silent by it was not measured."
    silenced = f": {', '.join(leak.silenced)}" if leak.silenced else ""
    same = f" A {leak.same} would: it is the same as far as can be seen." if leak.same else ""
    return (
        f"Of {leak.others} other things pasted into this view {len(leak.silenced)} would go silent "
        f"too{silenced}.{same}"
    )
