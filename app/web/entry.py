"""The page's door: logging in by password, token or a link that works once, and out again."""

import asyncio
import base64
import hashlib
import math
from html import escape
from pathlib import Path
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from app.web.passwords import LONGEST, Tries, fits
from app.web.sessions import LASTS_S, Links, Sessions, same

_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;display:grid;"
    "place-content:center;min-height:90vh;margin:0 1rem}form{display:grid;gap:.75rem;"
    "width:min(20rem,90vw)}input,button{font:inherit;padding:.6rem;border-radius:.4rem;"
    "border:1px solid #888}button{background:#0b57d0;color:#fff;border-color:#0b57d0}"
    "h1{font-size:1.4rem;margin:0}[role=alert]{color:#b3261e;margin:0}"
    "@media(prefers-color-scheme:dark){[role=alert]{color:#f2b8b5}}"
)
_SUM = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_SUM}'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
MOST_BODY = 8192
"""Bytes that who is not let in may bring."""
_MOST_WAITING = 4
"""Passwords that are looked at or wait to be; each takes 64 MiB and some 50 ms."""


class Entry:
    """Lets people in and out."""

    def __init__(
        self, hashed: str, token: str, *, port: int, https: bool, folder: Path | None
    ) -> None:
        """Take what lets in.

        Args:
            hashed: Of the password; empty if there is none.
            token: Empty if there is none.
            port: Of the page; logins of several pages on one machine are kept apart by it.
            https: Whether the cookie may be sent over HTTPS alone.
            folder: Where logins are kept over a restart.
        """
        self._hashed = hashed
        self._token = token
        self._cookie = f"nomaly_{port}"
        self._https = https
        self._waiting = 0
        self.sessions = Sessions(folder, f"{hashed} {token}")
        self.links = Links(folder)
        self._tries = Tries()

    def cookie_of(self, request: Request) -> str:
        """The login that a call brings; empty if none."""
        return request.cookies.get(self._cookie, "")

    def by_token(self, request: Request, token: str) -> Response | None:
        """The answer to who brings a wrong token, or brought too many; None to the right one.

        Counted apart from passwords: who guesses those behind a proxy must not stop scripts.
        """
        caller = f"token {_caller(request)}"
        pause_s = self._tries.pause_s(caller)
        if pause_s > 0:
            return _too_often(pause_s)
        if self._token and same(token, self._token):
            return None
        self._tries.wrong(caller)
        return PlainTextResponse("the token is wrong", 401)

    def _pause(self, request: Request) -> Response | None:
        """The answer to who was wrong too often, as long as the pause lasts."""
        pause_s = self._tries.pause_s(_caller(request))
        return _too_often(pause_s) if pause_s > 0 else None

    async def answer(self, request: Request, *, same_origin: bool) -> Response:
        """Answer below `/login` and at `/logout`."""
        path = request.scope["path"]
        if not same_origin and request.method == "POST":
            return PlainTextResponse("this did not come from the page itself", 403)
        if path == "/logout":
            return self._left(request) if request.method == "POST" else _no_such(405)
        if path == "/login" and request.method == "POST":
            return await self._tried(request)
        if request.method != "GET":
            return _no_such(405)
        return self._form("") if path == "/login" else self._by_link(request, path[7:])

    def _by_link(self, request: Request, once: str) -> Response:
        pause = self._pause(request)
        if pause is not None:
            return pause
        if self.links.use(once):
            return self._let_in(request)
        self._tries.wrong(_caller(request))
        return self._form("This link was used before or is too old.", 401)

    async def _tried(self, request: Request) -> Response:
        pause = self._pause(request)
        if pause is not None:
            return pause
        if self._waiting >= _MOST_WAITING:
            return _too_often(1.0)
        typed = parse_qs((await request.body()).decode("utf-8", "replace")).get("password", [""])
        self._waiting += 1
        try:
            good = await asyncio.to_thread(self._opens, typed[0][:LONGEST])
        finally:
            self._waiting -= 1
        if good:
            return self._let_in(request)
        self._tries.wrong(_caller(request))
        return self._form("That is not the password.", 401)

    def _opens(self, typed: str) -> bool:
        by_token = bool(self._token) and same(typed, self._token)
        return by_token or (bool(self._hashed) and fits(typed, self._hashed))

    def _let_in(self, request: Request) -> Response:
        self._tries.right(_caller(request))
        # No redirect: a browser that comes from elsewhere would not send the new cookie along.
        answer = _html(
            '<!doctype html><meta http-equiv="refresh" content="0; url=/"><a href="/">Nomaly</a>'
        )
        answer.set_cookie(
            self._cookie,
            self.sessions.begin(),
            max_age=LASTS_S,
            httponly=True,
            samesite="strict",
            secure=self._https,
        )
        return answer

    def _left(self, request: Request) -> Response:
        self.sessions.end(self.cookie_of(request))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(self._cookie, httponly=True, samesite="strict", secure=self._https)
        return answer

    def _form(self, fault: str, status: int = 200) -> Response:
        alert = f'<p role="alert">{escape(fault)}</p>' if fault else ""
        ask = (
            # For what keeps passwords: it asks for a name.
            '<input name="user" autocomplete="username" value="nomaly" hidden>'
            '<label for="p">Password</label><input id="p" name="password" type="password" '
            'autocomplete="current-password" autofocus required><button>Open</button>'
            if self._hashed or self._token
            else "<p>Open the link that was shown where Nomaly was started, or the file "
            "page-login.html in the folder of its results.</p>"
        )
        return _html(
            '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" '
            f'content="width=device-width"><title>Nomaly</title><style>{_STYLE}</style>'
            f'<form method="post" action="/login"><h1>Nomaly</h1>{alert}{ask}</form></html>',
            status,
        )


def refused(request: Request) -> Response:
    """The answer to who is not let in: the door for people, a sentence for scripts."""
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/login", 303)
    told = "log in, or send the header Authorization: Bearer with the token"
    return PlainTextResponse(told, 401, {"WWW-Authenticate": "Bearer"})


def leading_page(address: str) -> str:
    """A page that leads on to an address."""
    at = escape(address)
    return (
        f'<!doctype html><meta http-equiv="refresh" content="0; url={at}"><a href="{at}">Nomaly</a>'
    )


def _html(text: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(text, status, {"Content-Security-Policy": _POLICY})


def _too_often(pause_s: float) -> Response:
    wait_s = math.ceil(pause_s)
    told = f"wrong too often; try again in {wait_s} s"
    return PlainTextResponse(told, 429, {"Retry-After": str(wait_s)})


def _no_such(status: int) -> Response:
    return PlainTextResponse("this is not answered", status)


def _caller(request: Request) -> str:
    return request.client.host if request.client is not None else ""
