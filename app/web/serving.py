"""Serves the page, guarded: beside a watch, or by itself until it is stopped."""

import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.events.folders import watched_folders
from app.local_page import has_screen, listen
from app.progress import Reporter
from app.stop import stoppable
from app.watching.board import Board
from app.web.app import build_app
from app.web.guard import OPEN, GuardConfig, guarded
from app.web.served import read_place, served
from app.web.state import Web
from app.web.steered import Steered

PORT = 8080
METRICS = "/metrics"
_LOOK_S = 0.1
_ANY = ("0.0.0.0", "::", "")  # noqa: S104 - what is listened on, not whom it is told


@dataclass(frozen=True, slots=True)
class Opened:
    """A page that is served, and how to get in."""

    address: str
    """Ends in a slash."""
    link: str
    """Lets in once."""
    file: Path | None
    """Private; always holds a link that works."""
    host: str
    """What is listened on."""

    def told(self, *, link: bool) -> str:
        """Where it is, for people.

        Args:
            link: Whether who reads is whoever started it, not a log that others read.
        """
        way = f"Page: {self.link} (opens once" if link else f"Page: {self.address} (log in"
        also = "" if self.file is None else f"; {self.file} always does"
        if not link and self.file is not None:
            also = f" by {self.file}"
        return f"{way}{also})"


def page_config(text: str, what: str = "--page") -> GuardConfig:
    """Where the page is reached and what lets in, the latter from the environment.

    Args:
        text: HOST:PORT, :PORT, PORT or HOST.
        what: The option, for the fault.

    Raises:
        app.errors.UsageError: If it is none of these.
    """
    host, port = read_place(text, what, PORT)
    return GuardConfig(host=host, port=port).with_environment()


def with_open_metrics(config: GuardConfig) -> GuardConfig:
    """The same, with metrics for every program of this machine; elsewhere they want the token."""
    opened = (*OPEN, METRICS) if config.is_local else OPEN
    return config.model_copy(update={"open_paths": opened})


@contextmanager
def serve_beside(
    place: Path,
    board: Board | None = None,
    config: GuardConfig | None = None,
    steered: Steered | None = None,
) -> Iterator[Opened]:
    """Serve the page on threads of its own while entered.

    Args:
        place: The --out of a run, or a site's folder; it may hold nothing yet.
        board: What this process watches, for live pictures.
        config: Where to serve, port 0 for a free one, and what lets in; logins are kept in
            `place`.
        steered: The cameras of a site, which can be paused; None of anything else.

    Yields:
        Where it is.

    Raises:
        app.errors.UsageError: If the address cannot be listened on, or others reach it and nothing
            keeps them out.
    """
    config = (config or GuardConfig()).checked()
    app = build_app([place], board, steered)
    web: Web = app.state.web
    asked = f"{config.host}, port {config.port}"
    listening = listen(config.host, config.port, asked)
    port = listening.getsockname()[1]
    guard = guarded(app, config.model_copy(update={"port": port, "folder": place}))
    with served(guard, listening) as address:
        if config.host in _ANY:
            address = f"http://127.0.0.1:{port}"
        link, file = guard.invited(address)
        try:
            yield Opened(f"{address}/", link, file, config.host)
        finally:
            web.ended.set()


def serve(place: Path, config: GuardConfig, reporter: Reporter, *, browser: bool) -> None:
    """Serve the page of what lies in a folder until Ctrl-C or SIGTERM.

    Raises:
        app.errors.UsageError: If nothing lies there, or the page cannot be served.
    """
    folders = watched_folders(place)
    with stoppable() as stop, serve_beside(place, None, config) as opened:
        many = "1 camera" if len(folders) == 1 else f"{len(folders)} cameras"
        sys.stderr.write(f"{opened.told(link=sys.stderr.isatty())}\n")
        reporter.say(f"{many}. Ctrl-C ends the page, and nothing else.")
        if browser and has_screen() and opened.file is not None:
            # The link itself would stand in the list of processes.
            webbrowser.open(opened.file.resolve().as_uri())
        while not stop.asked:
            time.sleep(_LOOK_S)
