"""JSON files that people write, carry over or edit: read with a reason when they cannot be."""

import json
from pathlib import Path
from typing import Any

from novic.whole_files import write_whole

MOST_BYTES = 256 << 20
"""Of a file; the largest dictionary has a tenth. Each takes some ten times its size to read."""
SHOWN_FAULTS = 10
"""Faults told in full; the rest is only counted."""


def read_json(path: Path, kind: type[Exception]) -> Any:  # noqa: ANN401
    """What a JSON file holds.

    Args:
        path: The file.
        kind: What to raise if it is missing, too large, no UTF-8 or no JSON.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise kind(f"{path}: is larger than {MOST_BYTES:,} bytes, so it is not read")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise kind(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise kind(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise kind(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise kind(f"{path}: nested too deeply") from error


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401
    """Write as upstream does: indented by 2, no escapes, no newline at the end.

    Raises:
        OSError: If the file cannot be written; what was there before stays.
    """
    write_whole(path, json.dumps(value, indent=2, ensure_ascii=False).encode())


def is_tidy(text: object) -> bool:
    """Whether this is text, not empty, printable, and without stray or double spaces."""
    return (
        isinstance(text, str)
        and bool(text)
        and text.isprintable()
        and text == " ".join(text.split())
    )


def is_whole(number: object, least: int) -> bool:
    """Whether this is a whole number, at least so large; true and 1.0 are none."""
    return type(number) is int and number >= least


class Faults:
    """Collects the faults of one file, so that it can be put right in one go.

    Args:
        path: The file, for the message.
        kind: What to raise.
    """

    def __init__(self, path: Path, kind: type[Exception]) -> None:
        self._path = path
        self._kind = kind
        self._shown: list[str] = []
        self._count = 0

    def add(self, where: str, what: str) -> None:
        """Note a fault.

        Args:
            where: Entry and field.
            what: What is wrong there, and what it should be.
        """
        self._count += 1
        if self._count <= SHOWN_FAULTS:
            self._shown.append(f"{where}: {what}")

    def raise_any(self) -> None:
        """Raise what was noted: one fault in the sentence, several on a line each."""
        if self._count == 1:
            raise self._kind(f"{self._path}: {self._shown[0]}")
        if self._count:
            first = f", the first {SHOWN_FAULTS} are" if self._count > SHOWN_FAULTS else ""
            listed = "".join(f"\n  {fault}" for fault in self._shown)
            raise self._kind(f"{self._path}: {self._count} faults{first}:{listed}")
