"""Pages that this machine serves to the browser of whoever sits before it.

Such a page needs nothing from outside. Its address holds a random token, so that neither other
users of the machine nor other web pages in the same browser can read or change anything. It stands
in no list of processes, see `leading_to`.
"""

import os
import secrets
import socket
import sys
import time
import webbrowser
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader
from starlette.middleware.trustedhost import TrustedHostMiddleware

from app.errors import UsageError
from app.progress import Reporter
from app.stop import stoppable

LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_BODY = 1 << 20
"""Bytes that a page may send at once; what it says of a noun or an image is far less."""
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

SCRIPT = Path(__file__).with_suffix(".js")
"""What all pages share; each loads it by its name, before its own script."""

type BuildPage = Callable[[FastAPI, str], None]
"""Adds its paths to an application, all of them below `/` and the token it is given."""


def guarded_page(build: BuildPage, token: str, hosts: list[str]) -> FastAPI:
    """A web application that answers nobody but its own page.

    Args:
        build: Adds its paths.
        token: First part of every path.
        hosts: Names that the page may be reached by; a foreign page whose name was made to point
            here (DNS rebinding) is refused by them.
    """
    page = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, max_body_size=MOST_BODY)
    build(page, token)
    page.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts)
    page.middleware("http")(_guarded)
    return page


def add_html(page: FastAPI, token: str, package: str, **told: object) -> None:
    """Add what a browser shows: a package's folder `page` with a template `page.html.j2`.

    Args:
        page: The application.
        token: First part of every path.
        package: Import name.
        told: To the template.
    """
    loader = PackageLoader(package, "page")
    templates = Environment(loader=loader, autoescape=True, trim_blocks=True)
    html = templates.get_template("page.html.j2").render(told)
    page.mount(f"/{token}/page", StaticFiles(packages=[(package, "page")]))

    @page.get(f"/{token}/")
    def show() -> Response:
        return Response(html, media_type="text/html")

    @page.get(f"/{token}/{SCRIPT.name}")
    def script() -> Response:
        return FileResponse(SCRIPT, media_type="text/javascript")


def told(status: int) -> Callable[[Request, Exception], Response]:
    """A handler that tells the page an error's text."""
    return lambda _, error: Response(str(error), status_code=status, media_type="text/plain")


@contextmanager
def serving(build: BuildPage, host: str, port: int) -> Iterator[str]:
    """Serve a page while entered.

    Args:
        build: Adds its paths.
        host: Address to listen on.
        port: 0 takes a free one.

    Yields:
        The page's address, token included.

    Raises:
        UsageError: If the address cannot be listened on.
    """
    listening = listen(host, port)
    token = secrets.token_urlsafe(24)
    number = listening.getsockname()[1]
    names = [_in_url(name) for name in LOOPBACK] if host in LOOPBACK else ["*"]
    page = guarded_page(build, token, names)
    config = uvicorn.Config(
        page,
        # Its own would shut all handlers down, and absl's closes stderr then.
        log_config=None,
        log_level="error",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://{_in_url(host)}:{number}/{token}/"
    finally:
        server.should_exit = True
        thread.join(END_S)
        listening.close()


def serve_until_stopped(
    build: BuildPage,
    host: str,
    port: int,
    reporter: Reporter,
    *,
    task: str,
    browser: bool,
    done: Callable[[], bool] = lambda: False,
) -> None:
    """Serve a page until Ctrl-C or SIGTERM, or until it is done by itself.

    Args:
        build: Adds its paths.
        host: Address to listen on.
        port: 0 takes a free one.
        reporter: Told what to know about the page, but for its address, which is always shown.
        task: What is done on the page, as in "judge".
        browser: Open the page.
        done: Whether the page was left by its own button.

    Raises:
        UsageError: If the address cannot be listened on.
    """
    with stoppable() as stop, serving(build, host, port) as address:
        if host not in LOOPBACK:
            reporter.say(f"Note: {host} is reached by others; whoever has the address can {task}")
        sys.stderr.write(f"{task.capitalize()} at {address}\n")
        reporter.say("Everything is saved at once. Ctrl-C ends.")
        with leading_to(address) as file:
            if browser and has_screen():
                webbrowser.open(file.as_uri())
            while not (stop.asked or done()):
                time.sleep(LOOK_S)


@contextmanager
def leading_to(address: str) -> Iterator[Path]:
    """A file that only this user can read and that leads a browser on to a page.

    Other users can read a browser's command line, so the address is not to stand there. Browsers
    that may not read the file, as those in a snap, show nothing; the address is in the terminal.
    """
    with TemporaryDirectory(prefix="nomaly-page-") as private:
        file = Path(private, "open.html")
        file.write_text(
            f'<!doctype html><meta http-equiv="refresh" content="0; url={escape(address)}">'
            f'<a href="{escape(address)}">Nomaly</a>\n'
        )
        file.chmod(0o600)
        yield file


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def has_screen() -> bool:
    """Without one, a browser for text may be opened, in the very terminal that waits for Ctrl-C."""
    shown = {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    return bool(shown) or sys.platform in ("darwin", "win32")


def listen(host: str, port: int, asked: str = "") -> socket.socket:
    """A socket that browsers may come to already; they wait until it is served.

    Args:
        host: Address to listen on.
        port: 0 takes a free one.
        asked: The option that asked for it, for the fault; `--host` and `--port` without.

    Raises:
        UsageError: If the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        # From here on browsers may come; they wait until the server takes over.
        listening.listen()
    except (OSError, OverflowError) as error:
        listening.close()
        told = asked or f"--host {host} --port {port}"
        other = "another port" if asked else "--port 0"
        raise UsageError(f"{told}: cannot be listened on: {error}; try {other}") from error
    return listening


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
