"""HTTP as cameras speak it: logins, redirects, certificates of their own, connections kept."""

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, unquote, urljoin

from app.address import Address, split_address
from app.sources.base import GapReason, SourceError
from app.sources.logins import authorization, best_challenge

_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_IN_TARGET = "/?#[]@!$&'()*+,;=:%~"
_SMALL_BYTES = 1 << 16
_STALE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)
"""What a server that has closed a kept connection looks like."""


class ReadError(SourceError):
    """A camera answers, but not with what can be read; the text says with what."""

    def __init__(self, reason: GapReason, text: str) -> None:
        super().__init__(text)
        self.reason: GapReason = reason


class Web:
    """Asks one address again and again, over one connection where the server keeps it."""

    def __init__(self, address: Address, timeout_s: float, *, literal: bool = False) -> None:
        """Take the address and how long to wait for every step.

        Args:
            address: Of http:// or https://.
            timeout_s: For a connection, and for the next bytes.
            literal: Whether a `%` of the login is a percent sign (see `Address.url`).
        """
        self.literal = literal
        """Whether the login was taken literally, as asked for or because only that was let in."""
        self._address = address
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None
        self._challenge = ""
        self._answers = 0
        self._is_in = False

    def get(self, headers: Mapping[str, str] | None = None) -> http.client.HTTPResponse:
        """Ask for what is at the address, with its login and behind its redirects.

        Raises:
            ReadError: If it is refused or there is no such thing.
            OSError, http.client.HTTPException: If the server cannot be reached or speaks no HTTP.
        """
        for _ in range(_MOST_REDIRECTS):
            response = self._logged_in(headers or {})
            if response.status not in _REDIRECTS:
                return _checked(response)
            self._go_to(response.headers.get("Location", ""))
        raise ReadError("unreachable", "it redirects in a circle")

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _logged_in(self, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        response = self._asked(headers)
        if response.status != 401 or not self._address.user:
            return response
        asked_as = self.literal
        for literal in self._ways_in(response):
            self.literal = literal
            self._challenge = best_challenge(response.headers.get_all("WWW-Authenticate") or [])
            self._answers = 0
            if response.status != 401 or not self._challenge:
                break
            self._skip(response)
            response = self._asked(headers)
        self._is_in = response.status != 401
        if not self._is_in:
            self.literal = asked_as
        return response

    def _ways_in(self, response: http.client.HTTPResponse) -> list[bool]:
        """How to read the login, one way after the other.

        As few as can be: cameras lock accounts after some wrong passwords.
        """
        asked = " ".join(response.headers.get_all("WWW-Authenticate") or []).lower()
        renewed = not self._challenge or self._is_in or "stale=true" in asked
        ways = [self.literal] if renewed else []
        may_differ = self._address.url() != self._address.url(literal=True)
        return [*ways, True] if may_differ and not self.literal and not self._is_in else ways

    def _skip(self, response: http.client.HTTPResponse) -> None:
        """Make room for the next answer on the same connection."""
        if response.length is not None and response.length <= _SMALL_BYTES:
            response.read()
        else:
            self.close()

    def _asked(self, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        kept = self._connection is not None
        try:
            return self._sent(headers)
        except _STALE:
            self.close()
            if not kept:
                raise
            return self._sent(headers)

    def _sent(self, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        if self._connection is None:
            self._connection = self._connected()
        rest = (
            self._address.rest if self._address.rest.startswith("/") else f"/{self._address.rest}"
        )
        target = quote(rest, safe=_IN_TARGET, errors="surrogateescape")
        sent = {"User-Agent": "Nomaly", "Accept": "*/*", **headers}
        if self._challenge:
            self._answers += 1
            sent["Authorization"] = authorization(
                self._challenge, self._login(), target, self._answers
            )
        self._connection.request("GET", target, headers=sent)
        return self._connection.getresponse()

    def _connected(self) -> http.client.HTTPConnection:
        host, port = self._address.host.strip("[]"), self._address.port
        number = int(port) if port else None
        if self._address.scheme.lower() == "https":
            # Cameras make their certificates themselves; FFmpeg does not look at them either.
            context = ssl._create_unverified_context()  # noqa: S323 - see above
            return http.client.HTTPSConnection(
                host, number, timeout=self._timeout_s, context=context
            )
        return http.client.HTTPConnection(host, number, timeout=self._timeout_s)

    def _login(self) -> tuple[str, str]:
        user, password = self._address.user, self._address.password or ""
        return (user, password) if self.literal else (unquote(user), unquote(password))

    def _go_to(self, location: str) -> None:
        self.close()
        before = self._address
        after = split_address(urljoin(f"{before.scheme}://{before.place}{before.rest}", location))
        if after.scheme.lower() not in ("http", "https"):
            raise ReadError("not found", f"it redirects to a {after.scheme}:// address")
        if after.host == before.host and not after.user:
            # The login is for this camera, not for whoever it sends us to.
            after = replace(after, user=before.user, password=before.password)
        self._address = after


def _checked(response: http.client.HTTPResponse) -> http.client.HTTPResponse:
    status = f"{response.status} {response.reason}".strip()
    if response.status in (401, 403):
        raise ReadError("auth", f"login refused ({status})")
    if response.status in (404, 410):
        raise ReadError("not found", f"nothing at this address ({status})")
    if response.status >= 400:
        raise ReadError("unreachable", f"the server answers {status}")
    return response
