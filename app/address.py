"""Addresses of cameras as people type them: taken apart, and shown without what is secret in them.

Nothing else may take a camera's address apart: FFmpeg, urllib and pathlib each read an odd password
in their own way, and print what is left of it.
"""

import base64
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from urllib.parse import quote, quote_plus, unquote

from app.hiding import HIDDEN, Hider, is_random, printable

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://|(rtsps?|https?):/(?!/)", re.IGNORECASE)
"""pathlib makes one slash of two."""
_HOST = r"(?P<host>\[[0-9a-z:.%_-]+\]|[\w.-]+)(?::(?P<port>\d{1,5}))?"
_HOST_AND_PORT = re.compile(_HOST, re.IGNORECASE)
_AT_HOST = re.compile(rf"@(?={_HOST}(?:[/?#]|$))", re.IGNORECASE)
_NUMERIC_HOST = re.compile(r"\[.*\]|\d{1,3}(?:\.\d{1,3}){3}|localhost", re.IGNORECASE)
_PARAMETERS = re.compile(r"/[^?#]*\?[\w.-]+=")
_NO_PASSWORD = ("", "x-oauth-basic")
"""Written in a password's place where the user name is a token."""
_SHORTEST_LITERAL = 4
"""A shorter secret is not searched for by itself: hiding every `a` would help nobody."""


def is_address(text: str) -> bool:
    """Whether a text is a URL of something that is no file."""
    scheme = _SCHEME.match(text.strip())
    return scheme is not None and scheme[0].lower() != "file://"


def is_place(text: str) -> bool:
    """Whether a text is a host, with or without a port."""
    return _HOST_AND_PORT.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Address:
    """An address in its parts, all as typed. Only `shown` is for people."""

    scheme: str
    """As typed, without `://`; `RTSP` may be in capitals."""
    user: str = field(repr=False)
    password: str | None = field(repr=False)
    """None if there is no colon behind the user."""
    host: str
    """An IPv6 address with its brackets; empty if there is none."""
    port: str = field(repr=False)
    """Empty if there is none. Not a number where `@host` was forgotten."""
    rest: str = field(repr=False)
    """Path, query and fragment."""
    typed: str = field(repr=False)
    """All of it."""

    def __str__(self) -> str:
        return self.shown

    @property
    def place(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}" if self.port else self.host

    @property
    def has_secrets(self) -> bool:
        """Whether it holds anything that `shown` does not."""
        return HIDDEN in self.shown

    @property
    def shown(self) -> str:
        """The address for people: host, port and what is plainly harmless of the rest."""
        return self._shown(Hider(_inner, strict=True))

    def cleaned(self) -> str:
        """The same for an address in somebody else's text: only what is plainly secret goes."""
        return self._shown(Hider(_inner, strict=False))

    def url(self, *, literal: bool = False) -> str:
        """The address as FFmpeg and other programs understand it: login percent-encoded.

        Args:
            literal: A `%` of the login is a percent sign even before two hexadecimal digits;
                otherwise such three characters are taken for an escape that the user wrote.
        """
        login = _encoded(self.user, literal)
        if self.password is not None:
            login += f":{_encoded(self.password, literal)}"
        return f"{self.scheme}://{login}{'@' if login else ''}{self.place}{self.rest}"

    def secrets(self) -> dict[str, str]:
        """What must not appear in any text, and what to show in its place; the longest first."""
        hider = Hider(_inner, strict=True)
        shown = self._shown(hider)
        found = dict.fromkeys((self.typed, str(PurePath(self.typed)), self.url()), shown)
        alone = [*hider.hidden, *self._login_secrets()]
        for form in (form for secret in alone for form in _forms(secret)):
            if len(form) >= _SHORTEST_LITERAL:
                found.setdefault(form, HIDDEN)
        found.pop(shown, None)
        return dict(sorted(found.items(), key=lambda item: -len(item[0])))

    @property
    def _user_is_secret(self) -> bool:
        no_password = self.password is None or self.password.lower() in _NO_PASSWORD
        return bool(self.user) and (no_password or is_random(self.user))

    def _shown(self, hider: Hider) -> str:
        place = self.place
        if place and not is_place(place):
            place = hider.hide(place)
        return f"{self.scheme}://{self._shown_login()}{place}{hider.rest(self.rest)}"

    def _shown_login(self) -> str:
        if not self.user and self.password is None:
            return ""
        if self.password is None or self.password.lower() in _NO_PASSWORD:
            return f"{HIDDEN}@"
        return f"{HIDDEN if self._user_is_secret else printable(self.user)}:{HIDDEN}@"

    def _login_secrets(self) -> Iterator[str]:
        if self._user_is_secret:
            yield self.user
        if self.password:
            yield self.password
            for login in (f"{self.user}:{self.password}", unquote(f"{self.user}:{self.password}")):
                yield base64.b64encode(login.encode(errors="surrogateescape")).decode()


def split_address(text: str) -> Address:
    """Take an address apart as the person meant it who typed it.

    Passwords may hold any sign: the login reaches to the last `@` before something like a host,
    however many `/`, `?` and `#` stand before it. Three readings of standard URLs are kept: an `@`
    behind `/path?name=`, or behind a host that is a number or `localhost`, belongs to the path.

    Args:
        text: Something that `is_address`.
    """
    typed = text.strip()
    found = _SCHEME.match(typed)
    scheme, behind = (found[1] or found[2], typed[found.end() :]) if found else ("", typed)
    end = _login_end(behind)
    login, behind = (behind[:end], behind[end + 1 :]) if end >= 0 else ("", behind)
    user, colon, password = login.partition(":")
    place = _until(behind, "/?#")
    host = place if place.startswith("[") else _until(place, ":")
    if place.startswith("["):
        host = place[: place.find("]") + 1] or place
    return Address(
        scheme=scheme,
        user=user,
        password=password if colon else None,
        host=host,
        port=place[len(host) :].removeprefix(":"),
        rest=behind[len(place) :],
        typed=typed,
    )


def _inner(text: str, strict: bool) -> tuple[str, list[str]]:
    address = split_address(text)
    secrets = [secret for secret, mark in address.secrets().items() if mark == HIDDEN]
    return address.shown if strict else address.cleaned(), secrets


def _login_end(behind: str) -> int:
    """Where the `@` of the login stands in what follows `://`; -1 if there is none."""
    head = _until(behind, "/?#")
    standard = head.rfind("@")
    ends = [found.start() for found in _AT_HOST.finditer(behind)]
    place = _HOST_AND_PORT.fullmatch(head[standard + 1 :])
    if not ends or (place is not None and _NUMERIC_HOST.fullmatch(place["host"])):
        return standard
    if place is None:
        return ends[-1]
    parameters = _PARAMETERS.match(behind, len(head))
    last = parameters.end() if parameters else len(behind)
    return max(standard, *(end if end < last else -1 for end in ends))


def _until(text: str, signs: str) -> str:
    found = re.search(f"[{signs}]", text)
    return text[: found.start()] if found else text


def _encoded(text: str, literal: bool) -> str:
    if literal:
        return quote(text, safe="", errors="surrogateescape")
    percent = re.sub(r"%(?![0-9a-f]{2})", "%25", text, flags=re.IGNORECASE)
    return quote(percent, safe="%", errors="surrogateescape")


def _forms(secret: str) -> Iterator[str]:
    """A secret as it may stand in texts of programs that were given it."""
    for plain in (secret, unquote(secret)):
        yield plain
        yield str(PurePath(plain)) if plain.strip("/.") else plain
        yield html.escape(plain)
        yield html.escape(plain).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
        yield json.dumps(plain)[1:-1]
        yield repr(plain)[1:-1]
        encoded = quote(plain, safe="", errors="surrogateescape")
        yield from (encoded, encoded.replace("%2F", "/"))
        yield re.sub("%..", lambda found: found[0].lower(), encoded)
        yield quote_plus(plain, errors="surrogateescape")
