"""Who may see and change what the page shows.

`guarded(app, config)` stands before the whole application. It lets a call through that brings the
cookie of a login or, from a script, `Authorization: Bearer TOKEN`. A login needs the password, the
token, or a link that works once and stands in a file that only this machine's user can read. Also
on 127.0.0.1 nothing else is let in: other users of the machine reach that address too, and so does
every web page that is open in a browser here.

What the application finds in `request.scope`: `nomaly.who` (`session`, `token`, or empty on a path
that is open) and `nomaly.csrf`. Every form posts that as the field `csrf`, and every other change
by a browser brings it as the header `X-CSRF-Token` (htmx: `hx-headers` on the body).
"""

import ipaddress
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, SecretStr
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import UsageError
from app.redact import hide
from app.web.bounded import MOST_BODY, BoundedCall
from app.web.entry import MOST_BODY as DOOR_BODY
from app.web.entry import Entry, leading_page, refused
from app.web.passwords import is_hash
from app.web.sessions import digest, same

TOKEN = "NOMALY_TOKEN"  # noqa: S105 - the name of a variable
PASSWORD_HASH = "NOMALY_PASSWORD_HASH"  # noqa: S105 - the name of a variable
LOOPBACK = ("localhost", "127.0.0.1", "::1")
OPEN = ("/healthz", "/readyz")
"""Paths that answer everybody; they say nothing of cameras to who is not let in."""
SHORTEST_TOKEN = 16
_READS = ("GET", "HEAD", "OPTIONS")
_FORMS = ("", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
"""What a form of another site can send without being asked."""

type Who = Literal["", "session", "token"]


class GuardConfig(BaseModel):
    """Where the page is reached, and what lets in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    """Address that is listened on."""
    port: int = 8080
    token: SecretStr | None = None
    """For scripts; opens the page too."""
    password_hash: SecretStr | None = None
    """As `nomaly password` prints it."""
    names: tuple[str, ...] = ()
    """Names by which others reach the page, besides this machine's own: `cameras.home.lan`."""
    https: bool = False
    """Whether a proxy before it speaks HTTPS; the cookie is sent over nothing else then."""
    folder: Path | None = None
    """Where logins are kept over a restart, in a file that only this user can read."""
    open_paths: tuple[str, ...] = OPEN
    most_body: int = MOST_BODY

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        with suppress(ValueError):
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        return self.host.lower() == "localhost"

    def checked(self) -> Self:
        """Itself, its secrets hidden from now on in every text.

        Raises:
            UsageError: If others reach the address and nothing keeps them out, or a secret is
                none.
        """
        for secret in (self.token, self.password_hash):
            hide(secret.get_secret_value() if secret is not None else "")
        if self.token is not None and len(self.token.get_secret_value()) < SHORTEST_TOKEN:
            raise UsageError(
                f"the page's token is shorter than {SHORTEST_TOKEN} characters; take a random "
                "one, as from: openssl rand -hex 24"
            )
        if self.password_hash is not None and not is_hash(self.password_hash.get_secret_value()):
            raise UsageError(
                "the page's password is no argon2 hash; run nomaly password and put what it "
                "prints in its place"
            )
        if not self.is_local and self.token is None and self.password_hash is None:
            raise UsageError(
                f"{self.host} is reached by others, and nothing keeps them out: run nomaly "
                f"password and put the hash into the site's YAML or {PASSWORD_HASH}, or a random "
                f"token into {TOKEN}; or listen on 127.0.0.1"
            )
        return self

    def with_environment(self, environment: Mapping[str, str] | None = None) -> Self:
        """With the token and the hash of the environment, where it has none itself."""
        found = os.environ if environment is None else environment
        token, hashed = found.get(TOKEN, ""), found.get(PASSWORD_HASH, "")
        news: dict[str, SecretStr] = {}
        if self.token is None and token:
            news["token"] = SecretStr(token)
        if self.password_hash is None and hashed:
            news["password_hash"] = SecretStr(hashed)
        return self.model_copy(update=news)


class Guard:
    """Stands before an application; see the module."""

    def __init__(self, app: ASGIApp, config: GuardConfig) -> None:
        """Take the application and what lets in.

        Raises:
            UsageError: See `GuardConfig.checked`.
        """
        self._app = app
        self._config = config.checked()
        self._token = config.token.get_secret_value() if config.token is not None else ""
        hashed = config.password_hash
        self.entry = Entry(
            hashed.get_secret_value() if hashed is not None else "",
            self._token,
            port=config.port,
            https=config.https,
            folder=config.folder,
        )

    def invited(self, address: str) -> tuple[str, Path | None]:
        """A link that lets in once, and the private file that always holds a fresh one.

        Args:
            address: Of the page, without a path.

        Returns:
            The link, and the file's path; None without `GuardConfig.folder`.
        """
        file = self.entry.links.show_at(lambda once: leading_page(f"{address}/login/{once}"))
        return f"{address}/login/{self.entry.links.new()}", file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the application do it."""
        if scope["type"] == "websocket":
            # The page has none; news come as server-sent events.
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        at_door = scope["path"].startswith("/login")
        most = DOOR_BODY if at_door else self._config.most_body
        call = BoundedCall(scope, receive, send, most)
        if call.announces_too_much():
            await call.refuse_length()
            return

        async def answering(scope: Scope, receive: Receive, send: Send) -> None:
            answer = await self._answer(Request(scope, receive), call)
            await (answer or self._app)(scope, receive, send)

        await call.run(answering)

    async def _answer(self, request: Request, call: BoundedCall) -> Response | None:
        """What is answered in the application's place; None if it is to answer."""
        if not self._is_named_right(request.headers.get("host", "")):
            return PlainTextResponse("this page is not reached by that name", 400)
        path = request.scope["path"]
        if path == "/login" or path.startswith("/login/") or path == "/logout":
            return await self.entry.answer(request, same_origin=_is_same_origin(request))
        who, wrong = self._who(request)
        request.scope["nomaly.who"] = who
        if path in self._config.open_paths:
            return None
        if wrong is not None:
            return wrong
        if not who:
            return refused(request)
        request.scope["nomaly.csrf"] = ""
        if who == "session":
            request.scope["nomaly.csrf"] = csrf_of(self.entry.cookie_of(request))
            reads = request.method in _READS
            if not (_is_looked_at(request) if reads else await _is_meant(request, call)):
                return PlainTextResponse("this did not come from the page itself", 403)
        return None

    def _who(self, request: Request) -> tuple[Who, Response | None]:
        kind, _, bearer = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self._token:
            wrong = self.entry.by_token(request, bearer.strip())
            return ("token", None) if wrong is None else ("", wrong)
        cookie = self.entry.cookie_of(request)
        return ("session", None) if cookie and self.entry.sessions.knows(cookie) else ("", None)

    def _is_named_right(self, host: str) -> bool:
        """Whether the page was asked for by a name of its own.

        A foreign page can give its own name this machine's address (DNS rebinding), but it cannot
        call itself by a number.
        """
        name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
        name = name.strip("[]").lower().rstrip(".")
        own = {*LOOPBACK, *(one.lower() for one in self._config.names)}
        if name in own:
            return True
        if self._config.is_local:
            return False
        machine = socket.gethostname().lower()
        if name in {self._config.host.lower(), machine, f"{machine}.local"}:
            return True
        with suppress(ValueError):
            ipaddress.ip_address(name)
            return True
        return False


def guarded(app: ASGIApp, config: GuardConfig) -> Guard:
    """An application that answers only who may see it.

    Raises:
        UsageError: If others reach its address and nothing keeps them out.
    """
    return Guard(app, config)


def csrf_of(cookie: str) -> str:
    """What a change by the page brings along; a foreign page cannot know it."""
    return digest(f"csrf {cookie}")


def _is_same_origin(request: Request) -> bool:
    """Whether nothing says that another page sent it."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        return False
    if origin == "null":
        # So says a form of a page that tells no address of itself.
        return site == "same-origin"
    host = request.headers.get("host", "")
    return origin is None or origin in (f"http://{host}", f"https://{host}")


def _is_looked_at(request: Request) -> bool:
    """Whether a browser shows what it asked for, or the page itself asked."""
    navigates = request.headers.get("sec-fetch-mode", "navigate") == "navigate"
    return navigates or _is_same_origin(request)


async def _is_meant(request: Request, call: BoundedCall) -> bool:
    """Whether a change came from the page itself: by its origin, and by what only it knows."""
    if not _is_same_origin(request):
        return False
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    told = "origin" in request.headers or "sec-fetch-site" in request.headers
    if kind not in _FORMS and told:
        return True
    given = request.headers.get("x-csrf-token", "")
    if not given and kind == "application/x-www-form-urlencoded":
        body = await request.body()
        call.replay(body)
        given = parse_qs(body.decode("latin-1")).get("csrf", [""])[0]
    return same(given, request.scope["nomaly.csrf"])
