"""What people say of events on the page: one word each, taken back by another."""

from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.errors import UsageError
from app.events.keep import keep
from app.feedback.answers import MOST_LETTERS, Answer, keep_answer, take_back
from app.feedback.quiets import Quiets
from app.feedback.saying import forget, said_there, say_normal
from app.feedback.verdicts import now_us
from app.web.places import Place

DAY_S = 86400.0
KEPT_DAYS = 30
"""What is normal is so for so long after it was last seen, unless somebody says otherwise."""

type Word = Literal[
    "normal", "confirmed", "false_alarm", "renamed", "none", "keep", "keep_no_longer"
]


class Said(BaseModel):
    """What is said of an event."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: Word = Field(
        description="`normal` silences its like; `none` takes back what was said before; `keep` "
        "has the storage never give the event up, until `keep_no_longer`."
    )
    noun: str = Field(
        default="", max_length=MOST_LETTERS, description="What it is, if it is renamed."
    )
    note: str = Field(default="", max_length=500, description="Why, of what is normal.")
    days: float | None = Field(
        default=KEPT_DAYS, gt=0, le=36500, description="How long it is normal; null for ever."
    )


def say(place: Place, event_id: str, said: Said) -> dict[str, Any]:
    """Keep what is said of an event.

    Returns:
        What it did: `muted`, ids of the events that it silences, and `told`, of those that are told
        again by it; of what is normal also the verdict's `number` and its `noun`.

    Raises:
        UsageError: If that cannot be said of the event.
        app.errors.FeedbackError: If it cannot be kept.
        app.errors.StoreError: If the store cannot be written.
    """
    folder = place.folder
    if said.answer == "normal":
        keep_s = None if said.days is None else said.days * DAY_S
        done = say_normal(folder, event_id, keep_s, said.note)
        verdict = done.verdict
        return {
            "muted": list(done.muted),
            "told": [],
            "number": verdict.number,
            "noun": verdict.noun,
        }
    if said.answer in ("keep", "keep_no_longer"):
        keep(folder, [event_id], kept=said.answer == "keep")
        return {"muted": [], "told": []}
    if said.answer == "none":
        taken = take_back(folder, event_id)
        told = [one for number in _normal_by(place, event_id) for one in forget(folder, number)]
        ended = _rules_by(place, event_id)
        told += [one for number in ended for one in _forget_rule(folder, number)]
        if not (taken or told or ended):
            raise UsageError(
                f"{event_id}: nothing was said of it here that could be taken back; if it is "
                "silent, that was said of another event: What is quiet, on the page of its "
                "camera, lists it"
            )
        return {"muted": [], "told": told}
    keep_answer(
        folder, Answer(event_id, said.answer, said.noun, said.note, who="page", time_us=now_us())
    )
    return {"muted": [], "told": []}


def _normal_by(place: Place, event_id: str) -> list[int]:
    """Numbers of the verdicts that were said of this very event and hold."""
    with suppress(UsageError):
        verdicts = said_there(place.folder).all()
        return [one.number for one in verdicts if one.event_id == event_id and one.holds(now_us())]
    return []


def _rules_by(place: Place, event_id: str) -> list[int]:
    """Numbers of the rules that were made from this very event and hold."""
    with suppress(UsageError):
        rules = Quiets(said_there(place.folder)).all()
        return [one.number for one in rules if one.event_id == event_id and one.holds(now_us())]
    return []


def _forget_rule(folder: Path, number: int) -> list[str]:
    # Heavy, and seldom asked for.
    from app.quieting.keeping import forget as forget_rule  # noqa: PLC0415

    return forget_rule(folder, number) or []
