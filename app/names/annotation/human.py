"""The local page on which a person judges nouns: one image, its nouns, five keys.

Images are asked for by number, never by path.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from PIL import Image
from pydantic import BaseModel, ConfigDict

from app import local_page
from app.local_page import add_html, told
from app.names.annotation.session import NoSuchItemError, Session
from app.names.images import read_image
from app.progress import Reporter
from novic.images import ImageError
from training.evaluation.annotations import AnnotationError, Category

SHOWN_SIDE = 1800
"""Longest side of an image on the page, pixels."""

KEYS: tuple[tuple[str, Category, str, str], ...] = (
    ("q", "correct_primary", "Correct", "a right name for what the image is of"),
    ("w", "correct_secondary", "Correct, secondary", "a right name for something else in it"),
    ("o", "close_primary", "Close", "nearly right for what the image is of"),
    ("p", "close_secondary", "Close, secondary", "nearly right for something else in it"),
    ("i", "incorrect", "Incorrect", "not in the image"),
)
"""Key, category, its name on the page, and what it means."""


class Judgement(BaseModel):
    """What the page sends for a noun."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    noun: str
    category: Category | None
    """None takes the judgement back."""


def build_page(page: FastAPI, token: str, session: Session) -> None:
    """Add the page of a session to an application.

    Args:
        page: The application.
        token: First part of every path.
        session: Changed by what is judged.
    """
    add_html(page, token, "app.names.annotation", keys=KEYS)

    @page.get(f"/{token}/start")
    async def start() -> dict[str, Any]:
        return session.state(session.start())

    @page.get(f"/{token}/items/{{number}}")
    async def item(number: int) -> dict[str, Any]:
        return session.state(number)

    @page.post(f"/{token}/items/{{number}}")
    async def judge(number: int, judgement: Judgement) -> dict[str, Any]:
        session.judge(number, judgement.noun, judgement.category)
        return session.state(number)

    @page.post(f"/{token}/undo")
    async def undo() -> dict[str, Any] | None:
        undone = session.undo()
        return undone and {**session.state(undone[0]), "undone": undone[1]}

    @page.get(f"/{token}/images/{{number}}")
    def image(number: int) -> Response:
        # Kept by the browser, so that the next image is there before it is asked for.
        kept = {"Cache-Control": "private, max-age=600"}
        shown = _shown(session.item(number).path)
        return Response(shown, media_type="image/jpeg", headers=kept)

    for error, status in ((NoSuchItemError, 404), (ImageError, 422), (AnnotationError, 507)):
        page.add_exception_handler(error, told(status))


@contextmanager
def serving(session: Session, host: str, port: int) -> Iterator[str]:
    """Serve a session's page while entered, see `app.local_page.serving`."""
    with local_page.serving(partial(build_page, session=session), host, port) as address:
        yield address


def serve_until_stopped(
    session: Session, host: str, port: int, reporter: Reporter, *, browser: bool
) -> None:
    """Serve a session's page until Ctrl-C, see `app.local_page.serve_until_stopped`."""
    build = partial(build_page, session=session)
    local_page.serve_until_stopped(build, host, port, reporter, task="judge", browser=browser)


def _shown(path: Path) -> bytes:
    """The image upright, as a JPEG of bounded size."""
    image = Image.fromarray(read_image(str(path)))
    image.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
    data = BytesIO()
    image.save(data, "jpeg", quality=90)
    return data.getvalue()
