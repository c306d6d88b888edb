"""Names of files, also not UTF-8: how people see and order them, how results keep them."""

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

_FILE = "file://"


def shown_path(path: str | Path) -> str:
    r"""A path for people: a byte that is no UTF-8 is shown as \xe9."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def uri_of(path: Path) -> str:
    """A path as text that a database, JSON and a page can hold, and `path_of` turns back.

    It is the path itself, or a file:// URL where the path is not UTF-8.
    """
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return _FILE + quote(os.fsencode(path.absolute()))
    return text


def path_of(text: str) -> Path:
    """The path that a text means: itself, or what a file:// URL says."""
    plain = Path(text.removeprefix(_FILE))
    if not text.startswith(_FILE) or "%" not in text or plain.exists():
        return plain
    return Path(os.fsdecode(unquote_to_bytes(text.removeprefix(_FILE))))


def natural(text: str | Path) -> list[tuple[int, str]]:
    """What names are ordered by for people: 9 before 10."""
    parts = re.split(r"(\d+)", str(text))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
