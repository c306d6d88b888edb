"""The review page: a table of nouns with their ratings, and what a person makes of them."""

from functools import partial
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field

from app.local_page import BuildPage, add_html, told
from app.sites.review.session import (
    PAGE,
    SCALE,
    NoSuchNounError,
    ReviewSession,
    Sort,
    View,
)
from scenarios.overlay import Edit
from scenarios.site import ScenarioError

NOTE_LETTERS = 500

VIEWS: tuple[tuple[View, str, str], ...] = (
    ("ups", "Ups", "more expected here than anywhere, the most telling first"),
    ("downs", "Downs", "less expected here than anywhere, the most telling first"),
    ("named", "Named", "what stands in your scenario: you know it"),
    ("estimated", "Estimated", "no language model was asked about these"),
    ("edited", "Edited", "what people said"),
    ("excluded", "Left out", "not in the dictionary, with the reason"),
    ("all", "All", "by rating"),
)
"""View, its name on the page, and what it shows."""


class SentEdit(BaseModel):
    """What the page sends for one noun or for several that were picked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    nouns: list[str] = Field(min_length=1, max_length=PAGE * 10)
    rating: float | None = Field(default=None, ge=SCALE[0], le=SCALE[1])
    locked: bool = False
    excluded: bool = False
    note: str = Field(default="", max_length=NOTE_LETTERS)

    def edit(self) -> Edit | None:
        """As the overlay keeps it; None if it says nothing."""
        edit = Edit(self.rating, self.locked, self.excluded, " ".join(self.note.split()))
        return None if edit == Edit() else edit


class SentNoun(BaseModel):
    """A noun that is added, or that was looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    noun: str = Field(max_length=NOTE_LETTERS)
    rating: float = Field(default=SCALE[1], ge=SCALE[0], le=SCALE[1])


def review_page(session: ReviewSession) -> BuildPage:
    """What adds the page of a session to an application."""
    return partial(_build, session=session)


def _build(page: FastAPI, token: str, session: ReviewSession) -> None:
    site = {"scenario": session.ratings.scenario, "description": session.ratings.description}
    add_html(page, token, "app.sites.review", views=VIEWS, **site)

    # Handlers that are coroutines run one after the other, so no edit overtakes another.
    @page.get(f"/{token}/rows")
    async def rows(
        view: View = "ups",
        query: str = "",
        start: int = 0,
        sort: Sort = "",
        *,
        falling: bool = True,
    ) -> dict[str, Any]:
        return session.rows(view, query, max(start, 0), sort, falling=falling)

    @page.post(f"/{token}/edits")
    async def edit(sent: SentEdit) -> dict[str, Any]:
        return {"rows": session.edit(sent.nouns, sent.edit()), **session.counts()}

    @page.post(f"/{token}/nouns")
    async def add(sent: SentNoun) -> dict[str, Any]:
        return session.add(sent.noun, sent.rating)

    @page.post(f"/{token}/looked_at")
    async def look_at(sent: SentNoun) -> dict[str, int]:
        return session.look_at(sent.noun)

    @page.post(f"/{token}/undo")
    async def undo() -> list[dict[str, Any]]:
        return session.undo()

    @page.post(f"/{token}/done")
    async def done() -> dict[str, bool]:
        session.done = True
        return {"done": True}

    @page.exception_handler(RequestValidationError)
    def refuse(_: Request, __: RequestValidationError) -> Response:
        # Nothing else of what the page sends can be wrong.
        text = f"That is not a rating from {SCALE[0]:.0f} to {SCALE[1]:.0f}."
        return Response(text, 422, media_type="text/plain")

    page.add_exception_handler(NoSuchNounError, told(404))
    page.add_exception_handler(ScenarioError, told(507))
