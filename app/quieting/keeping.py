"""Rules are kept, listed and forgotten, and what they quiet in the past with them."""

from pathlib import Path

from app.errors import UsageError
from app.events.muting import mute, unmute
from app.feedback.quiet import Quiet
from app.feedback.quiets import Quiets
from app.feedback.saying import let_go, said_there
from app.quieting.suggestion import Suggestion


def rules_there(folder: Path) -> list[Quiet]:
    """The rules that a folder's newest run heeds, expired ones too.

    Raises:
        UsageError: If it holds no run, or the detector that it looks with is not there.
        NomalyError: If the store or the rules cannot be read.
    """
    return Quiets(said_there(folder)).all()


def keep(folder: Path, suggestion: Suggestion) -> Quiet:
    """Keep a rule: it holds at once, and what it would have quieted goes silent in the store.

    Args:
        folder: Of the audit or watch; it may be running.
        suggestion: The rule, and the events that it speaks of.

    Returns:
        The rule with its number.

    Raises:
        UsageError: If one that says the same holds already.
        NomalyError: If it cannot be kept, or the store cannot be written.
    """
    rules = Quiets(said_there(folder))
    asked = suggestion.rule
    for one in rules.all():
        if one.event_id == asked.event_id and one.said == asked.said and one.holds(asked.made_us):
            raise UsageError(
                f"{one.event_id}: is quiet already, by rule {one.number} ({one.said}); to say it "
                f"anew take that back first: nomaly feedback forget {folder} {one.number}"
            )
    kept = rules.add(asked)
    mute(folder, [event.id for event in suggestion.quieted], kept.why)
    return kept


def forget(folder: Path, number: int) -> list[str] | None:
    """Drop a rule; what it quieted in this folder is told again by report and exports.

    What a verdict or another rule speaks of, too, stays silent by that one.

    Returns:
        Ids of the events that are no longer silent; None if there is no such rule.

    Raises:
        NomalyError: If it cannot be dropped, or the store cannot be read or written.
    """
    verdicts = said_there(folder)
    rules = Quiets(verdicts)
    rule = next((one for one in rules.all() if one.number == number), None)
    if rule is None:
        return None
    rules.forget(number)
    return let_go(folder, unmute(folder, rule.why), verdicts.all())
