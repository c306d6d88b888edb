"""The web application: page and API, and who may ask."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.local_page import HEADERS, LOOPBACK, MOST_BODY
from app.watching.board import Board
from app.web.api import PREFIX, api
from app.web.pages import pages
from app.web.places import NotThereError
from app.web.state import Web
from novic.errors import NomalyError, UsageError

POLICY = (
    "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'self'; "
    "script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_SAFE = ("GET", "HEAD", "OPTIONS")


def build_app(places: Sequence[Path], board: Board | None = None, *, site: bool = False) -> FastAPI:
    """Page and API of some folders.

    Whoever serves it beyond this machine puts a guard around it; see `loopback_only`.

    Args:
        places: Folders of runs, or of sites with one for each camera; they may come later.
        board: What this process watches; None if nothing.
        site: Whether a site's file is the owner of the cameras' zones.

    Returns:
        The application; its `state.web` is to be ended (`Web.ended`) before its server is.
    """
    web = Web.of(places, board, site=site)
    app = FastAPI(
        title="Nomaly",
        summary="Cameras that name what should not be there.",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
        max_body_size=MOST_BODY,
    )
    app.state.web = web
    app.include_router(api(web))
    app.include_router(pages(web))
    app.mount("/static", StaticFiles(packages=[("app.web", "static")]))
    app.add_exception_handler(NomalyError, _told)
    app.add_middleware(Headed)
    return app


def loopback_only(app: FastAPI) -> FastAPI:
    """Have an application answer its own pages alone, called by a name of this machine."""
    app.add_middleware(OwnPages)
    names = [f"[{name}]" if ":" in name else name for name in LOOPBACK]
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=names)
    return app


def _told(request: Request, error: Exception) -> Response:
    """A fault in a sentence, with the status that fits."""
    if isinstance(error, NotThereError):
        status = 404
    else:
        status = 422 if isinstance(error, UsageError) else 503
    return JSONResponse({"detail": str(error)}, status_code=status)


class Headed:
    """Adds to each answer what a browser may do with it. Streams pass as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (HEADERS | {"Content-Security-Policy": POLICY}).items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, headed)


class OwnPages:
    """Refuses what other pages ask for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "http" and _is_foreign(scope["method"], Headers(scope=scope)):
            await Response("asked for by another page", 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_foreign(method: str, headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return True
    site = headers.get("sec-fetch-site", "same-origin")
    return method not in _SAFE and site not in ("same-origin", "none")
