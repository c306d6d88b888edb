"""Metrics and health of one watch on an address of their own, for those who want no page."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import FastAPI

from app.events.folders import StoreFolder
from app.local_page import listen
from app.watching.board import Board
from app.web.guard import OPEN, GuardConfig, guarded
from app.web.health import health_router
from app.web.metrics import metrics_router
from app.web.served import read_place, served

OPTION = "--metrics"


@contextmanager
def exposing(
    place: str | None, board: Board, out: Path, say: Callable[[str], None]
) -> Iterator[None]:
    """Answer `/metrics`, `/healthz` and `/readyz` while entered.

    On 127.0.0.1 they answer every program of this machine: they hold numbers and the names of
    cameras, and change nothing. Elsewhere `/metrics` needs the token.

    Args:
        place: `HOST:PORT`; None for nothing.
        board: How the cameras do.
        out: Folder of the store.
        say: Told the address.

    Raises:
        app.errors.UsageError: If it cannot be listened on, or others reach it and there is no
            token.
    """
    if place is None:
        yield
        return
    host, port = read_place(place, OPTION)
    config = GuardConfig(host=host, port=port).with_environment()
    if config.is_local:
        config = config.model_copy(update={"open_paths": (*OPEN, "/metrics")})
    page = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    page.include_router(health_router(board, named=config.is_local))
    page.include_router(metrics_router(board, lambda: [StoreFolder(out.resolve().name, out)]))
    guard = guarded(page, config)
    with served(guard, listen(host, port, f"{OPTION} {place}")) as address:
        say(f"Metrics at {address}/metrics")
        yield
