"""The web application: page and API."""

from collections.abc import Sequence
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from app.local_page import MOST_BODY
from app.watching.board import Board
from app.web.api import PREFIX, api
from app.web.health import health_router
from app.web.metrics import metrics_router
from app.web.pages import pages
from app.web.places import NotThereError
from app.web.quiet_pages import quiet_pages
from app.web.quieting import quieting
from app.web.state import Web
from app.web.steered import Steered
from app.web.steering import steering
from app.web.supposing import supposing
from app.web.zoning import zoning
from novic.errors import NomalyError, UsageError


def build_app(
    places: Sequence[Path], board: Board | None = None, steered: Steered | None = None
) -> FastAPI:
    """Page and API of some folders.

    It lets everybody in: whoever serves it puts a guard before it (`app.web.guard`).

    Args:
        places: Folders of runs, or of sites with one for each camera; they may come later.
        board: What this process watches; None if nothing.
        steered: The cameras of a site; None of anything else.

    Returns:
        The application; its `state.web` is to be ended (`Web.ended`) before its server is.
    """
    board = board or Board()
    web = Web.of(places, board, steered)
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
    app.include_router(health_router(board), include_in_schema=False)
    app.include_router(metrics_router(board, web.places.folders))
    # Before the API, of which any other word behind an event is a picture.
    app.include_router(quieting(web))
    app.include_router(zoning(web))
    app.include_router(api(web))
    app.include_router(steering(web))
    app.include_router(supposing(web))
    app.include_router(pages(web))
    app.include_router(quiet_pages(web))
    app.mount("/static", StaticFiles(packages=[("app.web", "static")]))
    app.add_exception_handler(NomalyError, _told)
    return app


def _told(request: Request, error: Exception) -> Response:
    """A fault in a sentence, with the status that fits."""
    if isinstance(error, NotThereError):
        status = 404
    else:
        status = 422 if isinstance(error, UsageError) else 503
    return JSONResponse({"detail": str(error)}, status_code=status)
