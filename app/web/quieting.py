"""Silence by meaning on the page: a rule from one event, shown, measured, kept, listed, ended.

The rules are those of `nomaly feedback quiet` (docs/quiet.md).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict, Field

from app.events.event import Event
from app.feedback.quiet import Quiet
from app.feedback.quiets import Quiets
from app.feedback.saying import forget as forget_verdict
from app.feedback.saying import said_there
from app.feedback.verdicts import Verdict, now_us
from app.quieting.wish import Wish
from app.web.api import PREFIX, the_event
from app.web.saying import DAY_S, KEPT_DAYS
from app.web.state import Web
from novic.errors import NomalyError

# What makes rules is heavy: it is imported for whoever asks for one.
if TYPE_CHECKING:
    from app.quieting.suggestion import Suggestion


class Wished(BaseModel):
    """What a rule shall speak of; what is empty is taken from the event and its history."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hours: str = Field(default="", max_length=40, description="As 8-12, 22-6 or all.")
    days: str = Field(default="", max_length=60, description="As mon-fri or sat,sun.")
    zone: str = Field(
        default="",
        max_length=2000,
        description="Corners as shares of the view, name=corners, a name that is known, or all.",
    )
    noun: str = Field(default="", max_length=100, description="Anything that is called so.")
    kind: str = Field(default="", max_length=100, description="Anything of this kind, as animal.")
    note: str = Field(default="", max_length=500, description="Why.")
    for_days: float | None = Field(
        default=KEPT_DAYS,
        gt=0,
        le=36500,
        description="It ends so long after it was last used; null for never.",
    )

    @property
    def wish(self) -> Wish:
        """As the command takes it."""
        keep_s = None if self.for_days is None else self.for_days * DAY_S
        return Wish(
            self.hours, self.days, self.zone, self.noun, self.kind, keep_s, "page", self.note
        )


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rule as it would be kept."""

    suggestion: "Suggestion"
    measured: bool
    """Whether its leak was asked for."""
    unmeasured: str = ""
    """Why the leak could not be measured by other things, in a sentence; empty if it was."""

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        return {**self.suggestion.as_json(), "unmeasured": self.unmeasured}


def proposed(
    web: Web, folder: str, event_id: str, wished: Wished, *, measured: bool = True
) -> Proposal:
    """A rule from one event; nothing is kept.

    Args:
        web: The page.
        folder: Name of the event's camera.
        event_id: The event.
        wished: What the rule shall speak of.
        measured: Whether other things are pasted into the view, which may take half a minute the
            first time.

    Raises:
        app.errors.UsageError: If the event can't be known again, or the wish can't be met.
        NomalyError: If the store or the rules cannot be read.
    """
    from app.quieting.suggestion import suggest  # noqa: PLC0415

    the_event(web, folder, event_id)
    place = web.places.place(folder).folder
    plain = suggest(place, event_id, wished.wish)
    if not measured:
        return Proposal(plain, measured=False)
    try:
        tried = suggest(place, event_id, wished.wish, web.trials.planting(place))
    except NomalyError as error:
        return Proposal(plain, measured=True, unmeasured=str(error))
    return Proposal(tried, measured=True)


def kept(web: Web, folder: str, event_id: str, wished: Wished) -> tuple[Quiet, Proposal]:
    """Keep a rule from one event; it holds at once, also in a watch that runs.

    Raises:
        app.errors.UsageError: As `proposed`, and if a rule says the same already.
        NomalyError: If it cannot be kept, or the store cannot be written.
    """
    from app.quieting.keeping import keep  # noqa: PLC0415

    proposal = proposed(web, folder, event_id, wished)
    return keep(web.places.place(folder).folder, proposal.suggestion), proposal


@dataclass(frozen=True, slots=True)
class Silent:
    """What is quiet at one camera, expired ones left out."""

    rules: tuple[Quiet, ...]
    verdicts: tuple[Verdict, ...]
    """What is normal, wherever and whenever."""

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        return {
            "rules": [one.as_json() for one in self.rules],
            "normal": [one.as_json() for one in self.verdicts],
        }


def silent_at(web: Web, folder: str) -> Silent:
    """What is quiet at a camera just now.

    Raises:
        app.errors.UsageError: If there is no run, or the detector that it looks with is gone.
        NomalyError: If it cannot be read.
    """
    said, now = said_there(web.places.place(folder).folder), now_us()
    rules = tuple(one for one in Quiets(said).all() if one.holds(now))
    return Silent(rules, tuple(one for one in said.all() if one.holds(now)))


def ended(web: Web, folder: str, number: int) -> list[str]:
    """End a rule or what is normal; returns the ids of the events that are told again.

    Raises:
        app.errors.UsageError: If there is none of this number.
        NomalyError: If it cannot be dropped, or the store cannot be read or written.
    """
    from app.quieting.keeping import forget as forget_rule  # noqa: PLC0415

    place = web.places.place(folder).folder
    told = forget_rule(place, number)
    return forget_verdict(place, number) if told is None else told


def past(proposal: Proposal, most: int) -> list[Event]:
    """The newest events that a rule would have quieted, the newest first."""
    return list(reversed(proposal.suggestion.quieted[-most:]))


def quieting(web: Web) -> APIRouter:
    """The addresses of the API."""
    router = APIRouter(prefix=PREFIX)

    @router.get("/events/{folder}/{event_id}/quiet")
    def proposal(
        folder: str,
        event_id: str,
        wished: Annotated[Wished, Query()],
    ) -> dict[str, Any]:
        """A rule that quiets such things: what it would have quieted, its leak; nothing is kept."""
        return proposed(web, folder, event_id, wished).as_json()

    @router.post("/events/{folder}/{event_id}/quiet")
    def quiet(folder: str, event_id: str, wished: Annotated[Wished, Body()]) -> dict[str, Any]:
        """Keep that rule; it holds at once."""
        rule, proposal = kept(web, folder, event_id, wished)
        return {**proposal.as_json(), **rule.as_json()}

    @router.get("/cameras/{folder}/quiet")
    def listed(folder: str) -> dict[str, Any]:
        """What is quiet at a camera: `rules`, and what is `normal` wherever and whenever."""
        return silent_at(web, folder).as_json()

    @router.delete("/cameras/{folder}/quiet/{number}")
    def end(folder: str, number: int) -> dict[str, Any]:
        """End a rule or what is normal; `told` are the events that are told again."""
        return {"number": number, "told": ended(web, folder, number)}

    return router
