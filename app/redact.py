"""Passwords out of every text that people may see.

Three nets: the address of a camera is taken apart and shown by its parts (`app.address`);
its secrets are then looked for, in every form, in each text that leaves; and what looks like an
address in somebody else's text loses what is plainly secret in it.
"""

import logging
import re

from app.address import Address, is_address, split_address
from app.hiding import HIDDEN

_WORD = re.compile(r"""(?:[a-z][a-z0-9+.-]*:/|(?:rtsps?|https?):)/[^\s'"<>]*""", re.IGNORECASE)
_SPACED = re.compile(
    r"""([a-z][a-z0-9+.-]*://[^\s:/?\#@'"<>]*):(?!\d*(?:[/?\#\s'",;)>\]]|$))  # rtsp://user:
        [^@\n]*@(?=[\w.\[-])                                               # my password@
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ENCODED_USER_INFO = re.compile(r"(%3a%2f%2f[^\s&%]*)%3a[^\s&]*?%40", re.IGNORECASE)
_AUTHORIZATION = re.compile(r"(authorization:\s*\w+\s+)[^\r\n'\"]+", re.IGNORECASE)
_BEHIND = ".,;:)]}!"
"""Ends a sentence or a bracket, not an address."""

_known: dict[str, str] = {}


def remember(address: str) -> Address:
    """Take the address of a camera apart, and hide its secrets from now on in every text.

    For the command itself, which is told one address and ends.
    """
    split = split_address(address)
    _add(split.secrets())
    return split


def hide(secret: str) -> None:
    """Hide a secret that is no address from now on in every text."""
    if secret:
        _add({secret: HIDDEN})


def shown_address(spec: str) -> str:
    """A source as it may be shown: an address without its secrets, anything else as it is."""
    return split_address(spec).shown if is_address(spec) else spec


def redact(text: str, uri: str = "") -> str:
    """The text without the secrets of any address in it; `***` stands in their place.

    Args:
        text: Anything: a log line, an exception's text, a URL.
        uri: An address whose secrets must not appear by themselves either ("login ann/pw failed");
            those of addresses that were remembered never do.
    """
    known = {**_known, **split_address(uri).secrets()} if is_address(uri) else _known
    for secret, mark in known.items():
        text = text.replace(secret, mark)
    if _is_alone(text):
        return split_address(text).shown
    text = _SPACED.sub(_without_spaces, text)
    text = _WORD.sub(_cleaned, text)
    text = _ENCODED_USER_INFO.sub(rf"\1%3A{HIDDEN}%40", text)
    return _AUTHORIZATION.sub(rf"\1{HIDDEN}", text)


def _add(found: dict[str, str]) -> None:
    """The longest first: a password may be part of another one."""
    global _known
    # In one step: other threads redact meanwhile.
    _known = dict(sorted({**_known, **found}.items(), key=lambda item: -len(item[0])))


def _is_alone(text: str) -> bool:
    """Whether it is no sentence about an address, but nothing else than one."""
    spaced = _SPACED.match(text) is not None and ": " not in text
    return is_address(text) and (spaced or not re.search(r"\s", text))


def _without_spaces(found: re.Match[str]) -> str:
    return f"{found[1]}:{HIDDEN}@" if re.search(r"""[\s'"<>]""", found[0]) else found[0]


def _cleaned(found: re.Match[str]) -> str:
    address = found[0].rstrip(_BEHIND)
    return split_address(address).cleaned() + found[0][len(address) :]


class RedactFilter(logging.Filter):
    """Takes passwords out of log records, tracebacks included.

    Add it to handlers, not to loggers: a logger's filters do not see its children's records.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place and let it through."""
        record.msg = redact(record.getMessage())
        record.args = ()
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            # Some handlers would format the exception again, from its unredacted text.
            record.exc_info = None
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True
