"""Serves the page: beside a watch, or by itself until it is stopped."""

import os
import socket
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import uvicorn

from app.errors import UsageError
from app.events.folders import watched_folders
from app.local_page import LOOPBACK
from app.progress import Reporter
from app.stop import stoppable
from app.watching.board import Board
from app.web.app import build_app, loopback_only
from app.web.state import Web

PORT = 8080
END_S = 3.0
"""What is being answered may take so many seconds more at the end."""
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class PageConfig:
    """Where the page is served."""

    host: str = "127.0.0.1"
    port: int = PORT
    """0 takes a free one."""
    site: bool = False
    """Whether a site's file is the owner of the cameras' zones."""

    @classmethod
    def parse(cls, text: str) -> "PageConfig":
        """Read HOST:PORT, :PORT, PORT or HOST.

        Raises:
            UsageError: If it is none of these.
        """
        host, _, port = text.strip().rpartition(":") if not text.isdecimal() else ("", "", text)
        if not port.isdecimal():
            host, port = text.strip(), str(PORT)
        host = host.strip("[]") or LOOPBACK[0]
        if int(port) > 65535 or any(one.isspace() or one == "/" for one in host):
            raise UsageError(f"--page {text}: write HOST:PORT, for example 127.0.0.1:{PORT}")
        return cls(host, int(port))

    def check(self) -> None:
        """Refuse an address that others reach: whoever does could see and say all.

        Raises:
            UsageError: If it is one.
        """
        if self.host not in LOOPBACK:
            raise UsageError(
                f"{self.host}: is reached by other machines, and the page asks for no password; "
                f"use 127.0.0.1, from elsewhere through ssh -L {self.port}:127.0.0.1:{self.port}"
            )


@contextmanager
def serve_beside(
    place: Path, board: Board | None = None, config: PageConfig | None = None
) -> Iterator[str]:
    """Serve the page on threads of its own while entered.

    Args:
        place: The --out of a run, or a site's folder; it may hold nothing yet.
        board: What this process watches, for live pictures.
        config: Where to serve.

    Yields:
        The page's address.

    Raises:
        UsageError: If the address cannot be listened on, or others reach it.
    """
    config = config or PageConfig()
    config.check()
    app = loopback_only(build_app([place], board, site=config.site))
    web: Web = app.state.web
    listening = _listen(config)
    settings = uvicorn.Config(
        app,
        # Its own would shut all handlers down.
        log_config=None,
        log_level="critical",
        lifespan="off",
        access_log=False,
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    server = uvicorn.Server(settings)
    thread = Thread(target=server.run, kwargs={"sockets": [listening]}, name="page", daemon=True)
    thread.start()
    shown = f"[{config.host}]" if ":" in config.host else config.host
    try:
        yield f"http://{shown}:{listening.getsockname()[1]}/"
    finally:
        web.ended.set()
        server.should_exit = True
        thread.join(END_S)
        listening.close()


def serve(place: Path, config: PageConfig, reporter: Reporter, *, browser: bool) -> None:
    """Serve the page of what lies in a folder until Ctrl-C or SIGTERM.

    Raises:
        UsageError: If nothing lies there, or the address cannot be listened on.
    """
    folders = watched_folders(place)
    with stoppable() as stop, serve_beside(place, None, config) as address:
        many = "1 camera" if len(folders) == 1 else f"{len(folders)} cameras"
        sys.stderr.write(f"{many} at {address}\n")
        reporter.say("Ctrl-C ends the page, and nothing else.")
        if browser and _has_screen():
            webbrowser.open(address)
        while not stop.asked:
            time.sleep(_LOOK_S)


def _has_screen() -> bool:
    shown = {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    return bool(shown) or sys.platform in ("darwin", "win32")


def _listen(config: PageConfig) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        # From here on browsers may come; they wait until the server takes over.
        return socket.create_server((config.host, config.port), family=family)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"{config.host}, port {config.port}: cannot be listened on: {error}; another port may "
            "be free (0 finds one)"
        ) from error
