"""Passwords out of every text that people may see.

PyAV puts `rtsp://user:password@host` into its exception texts, and people paste logs into issues.
Prefers hiding too much to hiding too little: a password may itself hold `@` or `/`.
"""

import logging
import re
from urllib.parse import unquote, urlsplit

HIDDEN = "***"

_USER_INFO = re.compile(
    r"""(?P<head>[a-z][a-z0-9+.-]*://[^\s:/?\#@'"<>]*):   # rtsp://user:
        [^\s'"<>]*?                                       # the password, @ and / included
        @(?=[^\s@/]*(?:[/?\#\s'",;)>\]]|$))               # the last @ before the host ends
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ENCODED_USER_INFO = re.compile(r"(%3a%2f%2f[^\s&%]*)%3a[^\s&]*?%40", re.IGNORECASE)
_PARAMETER = re.compile(
    r"""([?&;\#](?:[a-z0-9]+[_-])*
        (?:password|passwd|passphrase|pass|pwd|psw|token|secret|signature|sig|auth|(?:api)?key)
        =)[^&;\#\s'"<>]+""",
    re.IGNORECASE | re.VERBOSE,
)
_AUTHORIZATION = re.compile(r"(authorization:\s*\w+\s+)[^\r\n'\"]+", re.IGNORECASE)
_SHORTEST_LITERAL = 4
"""A shorter password is not searched for outside its URL: hiding every `a` would help nobody."""


def redact(text: str, uri: str = "") -> str:
    """The text with the password of every URL in it replaced by `***`.

    Args:
        text: Anything: a log line, an exception's text, a URL.
        uri: A URL whose password must not appear by itself either ("login ann/pw failed").

    Returns:
        The text with `user:***@` in URLs (percent-encoded ones too), `***` as the value of query
        parameters such as `password`, `token` or `api_key`, and no Authorization header.
    """
    for secret in _passwords(uri):
        text = text.replace(secret, HIDDEN)
    text = _USER_INFO.sub(rf"\g<head>:{HIDDEN}@", text)
    text = _ENCODED_USER_INFO.sub(rf"\1%3A{HIDDEN}%40", text)
    text = _PARAMETER.sub(rf"\1{HIDDEN}", text)
    return _AUTHORIZATION.sub(rf"\1{HIDDEN}", text)


def _passwords(uri: str) -> list[str]:
    """The URL's password as written and as decoded, longest first."""
    try:
        password = urlsplit(uri).password or ""
    except ValueError:
        return []
    forms = {password, unquote(password)}
    return sorted((form for form in forms if len(form) >= _SHORTEST_LITERAL), key=len, reverse=True)


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
