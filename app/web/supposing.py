"""What another bar or promise would have made of a camera's last days, before it is set."""

import threading
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from app.errors import UsageError
from app.web.api import PREFIX
from app.web.state import Web
from calibration.promise import BARS, Promise

DAY_S = 86_400.0
LONGEST_DAYS = 30
_turn = threading.Lock()
"""One after the other: a week of a busy camera takes seconds of a core."""


class Supposed(BaseModel):
    """What would be otherwise; one of the two."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bar: Annotated[float, Field(ge=BARS[0], le=BARS[1])] | None = None
    """How unusual a thing must be."""
    false_events: str = Field(default="", max_length=40, description="A promise, as 1/day.")
    days: int = Field(default=7, ge=1, le=LONGEST_DAYS, description="How far back.")

    @property
    def option(self) -> str:
        """As the command line says it."""
        return f"--bar {self.bar:g}" if self.bar is not None else f"--false-events {self.promised}"

    @property
    def yaml(self) -> str:
        """As a site's file says it."""
        return f"bar: {self.bar:g}" if self.bar is not None else f"false_events: {self.promised}"

    @property
    def promised(self) -> str:
        """The promise without blanks at its ends."""
        return self.false_events.strip()


def supposed_outcome(web: Web, folder: str, supposed: Supposed) -> Any:  # noqa: ANN401 - imported late
    """An `app.replaying.outcome.Outcome`; nothing is saved.

    Raises:
        UsageError: If not one of the two is named, or the promise makes no sense.
        NomalyError: If the store cannot be read.
    """
    if (supposed.bar is None) == (not supposed.promised):
        raise UsageError("name a bar or a promise, not both; a promise chooses the bar by itself")
    promise = Promise.parse(supposed.promised) if supposed.promised else None
    since_s = supposed.days * DAY_S
    return replayed(web, folder, since_s, bar=supposed.bar, promise=promise, said=supposed.option)


def replayed(web: Web, folder: str, since_s: float, **change: Any) -> Any:  # noqa: ANN401 - imported late
    """An `app.replaying.outcome.Outcome` of a camera's last days; nothing is saved.

    Args:
        web: The page.
        folder: Name of the camera.
        since_s: How far back, in seconds.
        change: Fields of `app.replaying.change.Change`.

    Raises:
        NomalyError: If the store cannot be read.
    """
    # Heavy, and only for whoever asks for it.
    from app.replaying.change import Change  # noqa: PLC0415
    from app.replaying.would import would  # noqa: PLC0415

    place = web.places.place(folder)
    with _turn:
        return would(place.folder, Change(**change), since_s)


def supposing(web: Web) -> APIRouter:
    """The address of the API."""
    router = APIRouter(prefix=PREFIX)

    @router.get("/cameras/{folder}/would")
    def would_have(folder: str, supposed: Annotated[Supposed, Query()]) -> dict[str, Any]:
        """What another bar or promise would have made of the last days; nothing is saved."""
        return supposed_outcome(web, folder, supposed).as_json()

    return router
