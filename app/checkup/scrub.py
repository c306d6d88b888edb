"""Texts that go to strangers: without passwords, tokens and names of users."""

import getpass
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from app.address import is_address, split_address
from app.hiding import HIDDEN
from app.redact import redact, shown_address
from app.service.environment import FILE, read_env
from app.service.errors import SiteError
from scenarios.yaml_files import ScenarioError, read_yaml

_NAMED = re.compile(r"\$\{[^}]*\}")
_SECRET = re.compile(r"pass|pwd|secret|token|key|hash|credential|auth", re.IGNORECASE)
_ENVIRONMENT = ("NOMALY_TOKEN", "NOMALY_PASSWORD_HASH", "NOMALY_WEBHOOK_SECRET", "OPENAI_API_KEY")
_LOGIN = re.compile(rf"{_SECRET.pattern}|user|login|name|pw|pin", re.IGNORECASE)
_SHORT = 4
_LONG = 5
"""Signs from which on a secret is looked for inside of words, too."""


class Scrubber:
    """Takes what is known to be secret, and the names of users, out of texts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Take what must not appear, in any form that programs give it."""
        forms = {form for secret in secrets if secret.strip() for form in _forms(secret)}
        self._forms = sorted(forms, key=lambda form: -len(form))

    def __call__(self, text: str) -> str:
        """The text with `***` in place of each."""
        text = redact(text)
        for form in self._forms:
            if len(form) >= _LONG:
                text = text.replace(form, HIDDEN)
            else:
                text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", HIDDEN, text)
        return text


def scrubber_of(path: Path | None) -> Scrubber:
    """What knows the secrets of a site, of the environment, and who runs this."""
    return Scrubber([*_users(), *_of_environment(), *(_of_site(path) if path else ())])


def _users() -> Iterator[str]:
    """Who runs this; a home folder is often called so."""
    with suppress(OSError, KeyError):
        yield getpass.getuser()
    for name in ("USER", "LOGNAME", "SUDO_USER"):
        yield os.environ.get(name, "")
    yield Path.home().name


def _of_environment() -> Iterator[str]:
    for name in _ENVIRONMENT:
        yield os.environ.get(name, "")


def _of_site(path: Path) -> Iterator[str]:
    """All values of .env, and all that is secret in the file or that it names."""
    kept: dict[str, str] = {}
    with suppress(SiteError):
        kept, _ = read_env(path.absolute().parent / FILE)
    known = {**kept, **os.environ}
    # What is short is a secret only by its name: a 5 stands in every second line.
    for name, text in kept.items():
        if len(text) >= _SHORT or _LOGIN.search(name):
            yield text
    try:
        value = read_yaml(path).value
    except ScenarioError:
        return
    for key, text in _texts(value):
        for name in _NAMED.findall(text):
            yield known.get(name[2:-1], "")
        yield from _of_text(key, text)
        yield from _of_text(key, _NAMED.sub(lambda found: known.get(found[0][2:-1], ""), text))


def _of_text(key: str, text: str) -> Iterator[str]:
    if _SECRET.search(key):
        yield text
    behind = text.partition(":")[2]
    for one in (text, behind):
        if is_address(one):
            address = split_address(one)
            yield from (address.user, address.password or "")
            yield from (secret for secret, mark in address.secrets().items() if mark == HIDDEN)


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - as YAML is
    """All texts of a file with the names of their keys."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, key)
    elif isinstance(value, str):
        yield key, value


def _forms(secret: str) -> Iterator[str]:
    for plain in (secret, unquote(secret)):
        yield from (plain, quote(plain, safe=""), repr(plain)[1:-1])


def shown_site(value: Any, key: str = "") -> Any:  # noqa: ANN401 - as YAML is
    """A site's file as it may be shown: with its settings, without what could be secret.

    Comments are not in it. Of a command only the program is kept, of a notification the service.

    Args:
        value: What the file holds, names of variables not filled in.
        key: Under which it stands.
    """
    if isinstance(value, Mapping):
        return {name: shown_site(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [shown_site(inner, key) for inner in value]
    if not isinstance(value, str):
        return value
    if _SECRET.search(key):
        return value if _NAMED.fullmatch(value) else HIDDEN
    if key == "on_event":
        return f"{(value.split() or [''])[0]} {HIDDEN}"
    kind, colon, behind = value.partition(":")
    if key == "sinks" and colon:
        return f"{kind}:{_shown_sink(kind, behind)}"
    return _shown_source(value)


def _shown_sink(kind: str, behind: str) -> str:
    if kind in ("mqtt", "webhook"):
        return _shown_source(behind)
    if kind in ("apprise", "command"):
        return f"{behind.partition('://')[0]}://{HIDDEN}" if "://" in behind else HIDDEN
    return behind


def _shown_source(text: str) -> str:
    return shown_address(text) if is_address(text) else text
