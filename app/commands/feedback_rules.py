"""Rules that quiet things, and what they are worth, for people in a terminal."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from app.quieting.telling import leak, until

if TYPE_CHECKING:
    from app.events.event import Event
    from app.feedback.quiet import Quiet
    from app.quieting.suggestion import Suggestion

SHOWN = 20
"""Events of the past that are shown at most."""


def rule_lines(rule: "Quiet", now_us: int) -> Iterator[str]:
    """A rule as the list shows it."""
    from app.feedback.quiet import ending

    looks = ", what looks like it" if rule.looks is not None else ""
    note = f" {rule.note}" if rule.note else ""
    yield f"{rule.number:>3}  quiet: {rule.said}{looks}{until(rule, now_us)}; {rule.used}.{note}"
    yield f"     Said of {rule.event_id}{f' by {rule.who}' if rule.who else ''}. {leak(rule.leak)}"
    if rule.holds(now_us) and (soon := ending(rule, now_us)):
        yield f"     Note: {soon}."


def suggestion_lines(suggestion: "Suggestion", folder: Path) -> Iterator[str]:
    """What a rule would do, with the events and their pictures."""
    from app.events.media import MEDIA, media_path
    from app.report.times import day

    rule, quieted = suggestion.rule, suggestion.quieted
    if suggestion.hours_from:
        yield (
            f"Hours by {suggestion.hours_from} such events of the last 30 days: "
            f"{rule.when.said or 'any'}. --hours sets others."
        )
    elif rule.when.whole_day:
        yield "At any hour. --hours 8-12 keeps it to some."
    told = "one event that was" if suggestion.told == 1 else f"{suggestion.told} events that were"
    yield f"It would have quieted {len(quieted)} of the {told} told in the last 30 days:"

    def picture(event: "Event") -> str:
        crop = media_path(folder, MEDIA[0], event.id, event.snapshot_s)
        return f"  {crop}" if crop.exists() else ""

    for event in quieted[-SHOWN:]:
        maybe = "" if event.sure or event.of_sure_kind else f" ({event.noun}?)"
        yield f"  {event.id}  {day(event.start_us)}  {event.headline}{maybe}{picture(event)}"
    if len(quieted) > SHOWN:
        yield f"  and {len(quieted) - SHOWN} before these; --json lists all."
    yield leak(rule.leak)
