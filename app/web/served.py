"""Serves an application on a thread of its own, beside what a watch does."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn
from starlette.types import ASGIApp

from app.errors import UsageError
from app.local_page import listen


def read_place(text: str, what: str, port: int | None = None) -> tuple[str, int]:
    """Host and port of `HOST:PORT`, `:PORT` or `PORT`; without a host 127.0.0.1.

    Args:
        text: As it was typed.
        what: The option, for the fault.
        port: Of a HOST alone; None if it must be said.

    Raises:
        UsageError: If it is none.
    """
    host, _, number = text.strip().rpartition(":")
    if port is not None and not _is_number(number):
        host, number = text.strip(), str(port)
    if not _is_number(number) or int(number) > 65535 or any(c.isspace() or c == "/" for c in host):
        raise UsageError(f"{what} {text}: write an address and a port, as 127.0.0.1:{port or 9464}")
    return host.strip("[]") or "127.0.0.1", int(number)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


END_S = 1.5
"""How long the end waits for who is still being answered; a page begins to end with all else."""


@contextmanager
def served(app: ASGIApp, listening: socket.socket) -> Iterator[str]:
    """Serve while entered.

    Args:
        app: What answers.
        listening: As `listen` gives it; closed at the end.

    Yields:
        The address, without a path.
    """
    config = uvicorn.Config(
        app,
        # Its own would shut all handlers down.
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        server_header=False,
        # Who is before the door is said by the connection, not by a header.
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    given = {"sockets": [listening]}
    thread = Thread(target=server.run, kwargs=given, name="page", daemon=True)
    thread.start()
    host, port = listening.getsockname()[:2]
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{port}"
    finally:
        server.should_exit = True
        thread.join(END_S)
        listening.close()


__all__ = ["listen", "read_place", "served"]
