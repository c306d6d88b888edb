"""What endpoints say, fit to be shown: without keys, and without what a terminal would obey."""

import base64
from collections.abc import Iterator
from urllib.parse import quote, unquote, urlsplit

HIDDEN = "***"
_SHORTEST = 4
"""A shorter password is not searched for: hiding every `a` would help nobody."""


class Cleaner:
    """Takes the secrets of one endpoint out of texts, in each form that it may repeat them in."""

    def __init__(self, base_url: str | None, key: str | None) -> None:
        """Take what is secret.

        Args:
            base_url: Address of the endpoint, perhaps with a login.
            key: Its key.
        """
        login = urlsplit(base_url or "").netloc.rpartition("@")[0]
        found = {form for secret in (key or "", *_login(login)) for form in _forms(secret)}
        self._secrets = sorted((one for one in found if len(one) >= _SHORTEST), key=len)[::-1]

    def __call__(self, text: str) -> str:
        """A foreign text on one line, without secrets and control characters."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return " ".join("".join(_printable(sign) for sign in text).split())


def shown_endpoint(base_url: str) -> str:
    """An endpoint's address for messages, whatever stands in it: no login, no parameters."""
    scheme, there, rest = base_url.rpartition("://")
    return f"{scheme}{there}{rest.rpartition('@')[2].partition('?')[0]}"


def _login(login: str) -> Iterator[str]:
    """What is secret of a login: all but the name of a user who has a password."""
    user, _, password = login.partition(":")
    yield password or user
    if password:
        for whole in (login, f"{unquote(user)}:{unquote(password)}"):
            yield base64.b64encode(whole.encode()).decode()


def _forms(secret: str) -> Iterator[str]:
    yield from (secret, unquote(secret), quote(secret, safe=""), quote(unquote(secret), safe=""))
    yield base64.b64encode(secret.encode()).decode()


def _printable(sign: str) -> str:
    return sign if sign.isprintable() else " "
