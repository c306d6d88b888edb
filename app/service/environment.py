"""Secrets that a site's file names and does not hold: `${NAME}` from the environment or `.env`."""

import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from app.redact import hide
from app.service.errors import SiteError
from scenarios.yaml_files import Fault, Key

FILE = ".env"
_NAMED = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_LOGIN = re.compile(r"://[^/\s]*@")
_SECRET = re.compile(r"pass|pwd|pw$|secret|token|key|hash|credential|auth", re.IGNORECASE)
_SHORTEST = 4
"""Signs; a shorter secret is not looked for in texts, as it stands in every second word."""


def read_env(path: Path) -> tuple[dict[str, str], list[str]]:
    """What a file of NAME=VALUE lines holds.

    Args:
        path: The file; without one nothing is said.

    Returns:
        The values, and what to know of the file, a sentence each.

    Raises:
        SiteError: If it cannot be read, or a line is none; no value is told.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        mode = path.stat().st_mode
    except FileNotFoundError:
        return {}, []
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8"
        raise SiteError(f"{path}: cannot be read: {why}") from error
    values = {}
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise SiteError(f"{path}:{number}: write NAME=VALUE")
        values[found[1]] = _unquoted(found[2])
    open_to_all = mode & (stat.S_IRGRP | stat.S_IROTH)
    said = f"{path} can be read by other users of this machine; chmod 600 {path}"
    return values, [said] if open_to_all else []


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.split(" #")[0].rstrip()


@dataclass(frozen=True, slots=True)
class Filled:
    """The values of a file with what it names put in."""

    value: Any
    faults: Sequence[Fault]
    """What it names that is nowhere."""
    named: Mapping[Key, str]
    """Texts that name something, as they stand in the file."""


def filled(value: Any, known: Mapping[str, str]) -> Filled:  # noqa: ANN401
    """Put in what a file names; secrets among it are hidden from then on in every text.

    Args:
        value: Mappings, lists and plain values, as YAML gives them.
        known: The values by their names.
    """
    faults: list[Fault] = []
    named: dict[Key, str] = {}

    def fill(inner: Any, key: Key) -> Any:  # noqa: ANN401
        if isinstance(inner, dict):
            return {name: fill(one, (*key, name)) for name, one in inner.items()}
        if isinstance(inner, list):
            return [fill(one, (*key, place)) for place, one in enumerate(inner)]
        if not isinstance(inner, str) or "${" not in inner:
            return inner
        named[key] = inner
        faults.extend((key, why) for why in _missing(inner, known))
        return _put_in(inner, known)

    return Filled(fill(value, ()), faults, named)


def _missing(text: str, known: Mapping[str, str]) -> Iterator[str]:
    for name in _NAMED.findall(text):
        if not _NAME.fullmatch(name):
            yield f"${{{name}}}: is no name of a variable"
        elif name not in known:
            yield f"${{{name}}} is not set; put it into the environment, or into {FILE} beside it"


def _put_in(text: str, known: Mapping[str, str]) -> str:
    login = _LOGIN.search(text)

    def value(found: re.Match[str]) -> str:
        put = known.get(found[1], "")
        if len(put) >= _SHORTEST and _SECRET.search(found[1]):
            hide(put)
        inside = login is not None and login.start() < found.start() < login.end()
        # A password may hold any sign, and the login of an address may not.
        return quote(put, safe="") if inside else put

    return _NAMED.sub(value, text)


def without_named(text: str) -> str:
    """An address without what it names, and without a login whose password is named."""
    return re.sub(r"://[^/@\s:]*:?@", "://", _NAMED.sub("", text)) if "${" in text else text
