"""A source as it stands on the command line: itself, or where it is kept from other users' eyes.

Everybody on a machine can read every command line, and the password in a camera's address with it.
"""

import os
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from app.address import is_address, split_address
from app.errors import UsageError
from app.redact import remember

_LONGEST = 8192
"""Bytes of an address; what is longer is none."""
_OF_FILES = frozenset(("audit", "fit", "inspect", "name", "evaluate", "score"))
"""Commands that are given recordings and pictures, for which a web address is a mistake."""
_FOR_ADDRESSES = ("--base-url", "--sink", "--on-event", "--source")
KEEP_IT_OUT = (
    "Note: other users of this machine can read the address, with what is secret in it, in the "
    "list of processes. To keep it out: nomaly watch env:NAME, @FILE, or - for standard input."
)


def read_source(word: str, say: Callable[[str], None]) -> str:
    """The source that a word of the command line means.

    Args:
        word: `env:NAME` for an address in the environment, which is then taken out of it,
            `@FILE` for a file with it, `-` for standard input; anything else means itself.
        say: Told what other users of the machine can read.

    Raises:
        UsageError: If there is nothing where it is to be.
    """
    if word.startswith("env:"):
        # Programs that are started from here inherit the environment; none needs the address.
        found = os.environ.pop(word.removeprefix("env:"), "")
    elif word.startswith("@"):
        found = _of_file(Path(word[1:]), say)
    elif word == "-":
        found = sys.stdin.readline(_LONGEST)
    else:
        if is_address(word) and remember(word).has_secrets:
            say(KEEP_IT_OUT)
        return word
    found = found.strip()
    if not found or len(found.splitlines()) > 1:
        raise UsageError(f"{word}: holds no address; put the camera's address there, in one line")
    if is_address(found):
        remember(found)
    return found


def check_words(words: Sequence[str]) -> None:
    """Remember every address on a command line, and refuse one that stands in a file's place.

    Args:
        words: Behind the program's name.

    Raises:
        UsageError: If the address of a camera is given to a command that reads files.
    """
    command = next((word for word in words if not word.startswith("-")), "")
    option = ""
    for word in words:
        name, _, value = word.partition("=") if word.startswith("--") else (option, "", word)
        option = word if word.startswith("--") else ""
        if not is_address(value):
            continue
        remember(value)
        address = split_address(value)
        streamed = address.scheme.lower() in ("rtsp", "rtsps") or command in _OF_FILES
        if streamed and command != "watch" and name not in _FOR_ADDRESSES:
            picture = "; for one picture: curl -s ADDRESS | nomaly name -"
            raise UsageError(
                f"{address.shown}: that is a camera, not a file: nomaly watch ADDRESS"
                f"{picture if command == 'name' else ''}"
            )


def _of_file(path: Path, say: Callable[[str], None]) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST).decode()
            mode = os.fstat(file.fileno()).st_mode
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"@{path}: the address cannot be read from it: {why}") from error
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        say(f"Note: {path} can be read by other users of this machine; chmod 600 {path}")
    return text
