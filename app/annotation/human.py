"""The local page on which a person judges nouns: one image, its nouns, five keys.

The page needs nothing from outside. Its address holds a random token, so that neither other users
of the machine nor other web pages in the same browser can read or change judgements; images are
asked for by number, never by path.
"""

import os
import secrets
import socket
import sys
import time
import webbrowser
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader
from PIL import Image
from pydantic import BaseModel, ConfigDict
from starlette.middleware.trustedhost import TrustedHostMiddleware

from app.annotation.session import NoSuchItemError, Session
from app.errors import UsageError
from app.images import ImageError, read_image
from app.progress import Reporter
from app.stop import stoppable
from training.evaluation.annotations import AnnotationError, Category

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHOWN_SIDE = 1800
"""Longest side of an image on the page, pixels."""
END_S = 5.0
"""What is being answered may take so many seconds more at the end."""
LOOK_S = 0.1
"""How often Ctrl-C is looked for."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    # A look-up link would tell the other site the token otherwise.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

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


def build_page(session: Session, token: str, hosts: list[str]) -> FastAPI:
    """The web application of a session.

    Args:
        session: Changed by what is judged.
        token: First part of every path.
        hosts: Names that the page may be reached by; a foreign page whose name was made to point
            here (DNS rebinding) is refused by them.
    """
    page = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    html = _page_html()
    page.mount(f"/{token}/page", StaticFiles(packages=[("app.annotation", "page")]))

    @page.get(f"/{token}/")
    def show() -> Response:
        return Response(html, media_type="text/html")

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
        page.add_exception_handler(error, _told(status))
    page.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts)
    page.middleware("http")(_guarded)
    return page


@contextmanager
def serving(session: Session, host: str, port: int) -> Iterator[str]:
    """Serve a session's page while entered.

    Args:
        session: What is judged.
        host: Address to listen on.
        port: 0 takes a free one.

    Yields:
        The page's address, token included.

    Raises:
        UsageError: If the address cannot be listened on.
    """
    listening = _listen(host, port)
    token = secrets.token_urlsafe(24)
    number = listening.getsockname()[1]
    page = build_page(session, token, list(LOOPBACK) if host in LOOPBACK else ["*"])
    server = uvicorn.Server(
        uvicorn.Config(page, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    )
    thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{number}/{token}/"
    finally:
        server.should_exit = True
        thread.join(END_S)
        listening.close()


def serve_until_stopped(
    session: Session, host: str, port: int, reporter: Reporter, *, browser: bool
) -> None:
    """Serve a session's page until Ctrl-C or SIGTERM.

    Args:
        session: What is judged.
        host: Address to listen on.
        port: 0 takes a free one.
        reporter: Told what to know about the page, but for its address, which is always shown.
        browser: Open the page.

    Raises:
        UsageError: If the address cannot be listened on.
    """
    with stoppable() as stop, serving(session, host, port) as address:
        if host not in LOOPBACK:
            reporter.say(f"Note: {host} is reached by others; whoever has the address can judge")
        sys.stderr.write(f"Judge at {address}\n")
        reporter.say("Every judgement is saved at once. Ctrl-C ends.")
        if browser and _has_screen():
            webbrowser.open(address)
        while not stop.asked:
            time.sleep(LOOK_S)


def _has_screen() -> bool:
    """Without one, a browser for text may be opened, in the very terminal that waits for Ctrl-C."""
    shown = {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    return bool(shown) or sys.platform in ("darwin", "win32")


def _page_html() -> str:
    loader = PackageLoader("app.annotation", "page")
    template = Environment(loader=loader, autoescape=True, trim_blocks=True).get_template(
        "page.html.j2"
    )
    return template.render(keys=KEYS)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        # From here on browsers may come; they wait until the server takes over.
        listening.listen()
    except (OSError, OverflowError) as error:
        listening.close()
        raise UsageError(
            f"--host {host} --port {port}: cannot be listened on: {error}; try --port 0"
        ) from error
    return listening


def _shown(path: Path) -> bytes:
    """The image upright, as a JPEG of bounded size."""
    image = Image.fromarray(read_image(str(path)))
    image.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
    data = BytesIO()
    image.save(data, "jpeg", quality=90)
    return data.getvalue()


def _told(status: int) -> Callable[[Request, Exception], Response]:
    """A handler that tells the page an error's text."""
    return lambda _, error: Response(str(error), status_code=status, media_type="text/plain")


async def _guarded(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuse what other pages ask for, and keep this one to itself."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        response = Response("asked for by another page", status_code=403)
    else:
        response = await answer(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
