"""Which parts of a path and a query are secret."""

import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, unquote

HIDDEN = "***"

type Inner = Callable[[str, bool], tuple[str, Iterable[str]]]
"""What is shown of an address, strictly or not, and the secrets that are not."""

_HARMLESS = re.compile(
    r"""action|audio|audiocodec|bitrate|brightness|camera|cam|camid|ch|chan|channel|channelno|chn|
    cmd|codec|color|compression|contrast|device|fmt|format|fps|frame|framerate|height|id|index|
    lang|language|line|live|mode|mirror|no|number|profile|proto|protocol|quality|rate|req|res|
    resolution|rotation|size|speed|stream|streamid|streamno|streamtype|stype|subtype|text|track|
    trackid|transport|type|unicast|video|videocodec|width|user|usr|username|loginuse|login|
    account""",
    re.IGNORECASE | re.VERBOSE,
)
"""Parameters whose values are shown, besides small numbers and yes or no."""
_PLAIN_VALUE = re.compile(r"-?\d{1,3}|true|false|on|off|yes|no|\d{2,5}[x*]\d{2,5}", re.IGNORECASE)
_SECRET_NAME = re.compile(
    r"""(?:.*(?:pass|pasw|pwd|psw|secret|token|jwt|bearer|session|signature|credential|auth|hash
              |kennwort|senha|clave|contrase|parola|wachtwoord|heslo|motdepasse).*)
        |(?:.*[_.-])?(?:(?:api|access|private|stream|app|user|license|account|x)?[_.-]?key
              |sig|sid|sess|otp|pw|pas|pin|code|mdp)
        |p|loginpas""",
    re.IGNORECASE | re.VERBOSE,
)
_USERS = re.compile(
    "admin|administrator|root|user|guest|operator|viewer|supervisor|service", re.IGNORECASE
)
"""A path that names one of them often goes on with the password."""
_PLAIN_WORD = re.compile(
    r"""(?:[a-z0-9-]*(?:stream|live|video|media|main|sub|chann?el|mjpe?g|jpe?g|h26[45]|hevc|image
        |img|snap|onvif|profile|play|track|axis|cgi|isapi|psia|picture|preview|unicast|camera)
        [\w.-]*|(?:cam|ch|av|c|s)?\d{0,3}|[\w-]+\.(?:cgi|amp|smp|sdp|php|asp|html?|jpe?g|sav))""",
    re.IGNORECASE | re.VERBOSE,
)
_FIELD = re.compile(r"(?:^|[_:|+])([a-z-]+)=", re.IGNORECASE)
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LONG_RUN = re.compile(r"[0-9a-z~+=]{16,}", re.IGNORECASE)
_DIGIT_AND_LETTER = re.compile(r"(?=.*\d)(?=.*[a-z])", re.IGNORECASE)


def is_random(text: str) -> bool:
    """Whether a text looks like a token: a long run of letters and digits."""
    return any(_DIGIT_AND_LETTER.match(run) for run in _LONG_RUN.findall(text))


def printable(text: str) -> str:
    """The text with a question mark for all that would move the cursor or ring a bell."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def tame(text: str) -> str:
    """A text for a terminal: a question mark for each sign that would steer it, but for new lines.

    Names of files, cameras and nouns come from others.
    """
    return _STEERING.sub("?", text)


class Hider:
    """Takes secrets out of one address, and remembers them."""

    def __init__(self, inner: Inner, *, strict: bool) -> None:
        """Begin with nothing hidden.

        Args:
            inner: Shows an address that is a parameter's value.
            strict: Hide all that is not plainly harmless; otherwise what is plainly secret.
        """
        self.hidden: list[str] = []
        self._inner = inner
        self._strict = strict

    def hide(self, secret: str) -> str:
        """What stands in a secret's place."""
        if secret and secret != HIDDEN:
            self.hidden.append(secret)
        return HIDDEN

    def rest(self, rest: str) -> str:
        """Path, query and fragment as they may be shown."""
        cut = re.search(r"[?#]", rest)
        path, query = (rest[: cut.start()], rest[cut.start() :]) if cut else (rest, "")
        return printable(self._path(path) + self._query(query))

    def _path(self, path: str) -> str:
        shown, before = [], ""
        for word in path.split("/"):
            shown.append(self._word(word, before))
            before = word
        return "/".join(shown)

    def _word(self, word: str, before: str) -> str:
        if "=" in word:
            return "".join(self._piece(piece) for piece in re.split(r"([;&,])", word))
        told = _USERS.fullmatch(before) or _SECRET_NAME.fullmatch(before)
        secret = (told and not _PLAIN_WORD.fullmatch(word)) or ":" in word or "@" in word
        if word and self._strict and (secret or is_random(word)):
            return self.hide(word)
        return word

    def _query(self, query: str) -> str:
        return "".join(self._piece(piece) for piece in re.split(r"([?&;#])", query))

    def _piece(self, piece: str) -> str:
        """`name=value`, or several of them with `_` between as `user=ann_password=pw`."""
        if "=" not in piece:
            return self.hide(piece) if self._strict and is_random(piece) else piece
        if piece.count("=") == 1:
            name, _, value = piece.partition("=")
            return f"{name}={self._value(name, value)}"
        fields = list(_FIELD.finditer(piece))
        if not fields:
            name, _, value = piece.partition("=")
            return f"{name}={self._value(name, value)}"
        ends = [*(one.start() for one in fields[1:]), len(piece)]
        shown = [
            one[0] + self._value(one[1], piece[one.end() : end])
            for one, end in zip(fields, ends, strict=True)
        ]
        return piece[: fields[0].start()] + "".join(shown)

    def _value(self, name: str, value: str) -> str:
        if not value:
            return value
        if "://" in unquote(value):
            shown, hidden = self._inner(unquote(value), self._strict)
            self.hidden += hidden
            return shown if "://" in value else quote(shown, safe="*")
        return self.hide(value) if self._is_secret(name.strip("-_$ "), value) else value

    def _is_secret(self, name: str, value: str) -> bool:
        if _SECRET_NAME.fullmatch(name):
            return True
        if not self._strict:
            return False
        plain = _HARMLESS.fullmatch(name) and "=" not in value and not is_random(value)
        return not plain and not _PLAIN_VALUE.fullmatch(value)
