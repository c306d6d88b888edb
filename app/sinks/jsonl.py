"""A file that grows by one JSON line for each state of an event."""

import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict

from app.events.outbox import Message
from app.sinks.base import SinkError
from novic.append_log import AppendLog

_appending = threading.Lock()
"""Cameras of one process may share a file."""
_LAST_BYTES = 1 << 16
"""A kill leaves one message that is written and not noted; it is among the last."""


class JsonlConfig(BaseModel):
    """The file to append to; no other process may write it meanwhile."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    example: ClassVar[str] = "events.jsonl"

    kind: Literal["jsonl"] = "jsonl"
    path: Path

    @property
    def key(self) -> str:
        """`jsonl:` and the whole path."""
        return f"{self.kind}:{self.path}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a path.

        Raises:
            ValueError: If there is none, or a folder.
        """
        path = Path(text).absolute()
        if not text or path.is_dir():
            raise ValueError(f"{text or 'nothing'} is no file")
        return cls(path=path)


class JsonlSink:
    """Appends lines and waits until they are on the disk.

    A line is the message's body and its `number`. A message that comes again, because a kill cut
    off the note that it was delivered, is not written twice.
    """

    def __init__(self, config: JsonlConfig) -> None:
        """Take the file's name; it is made with the first line, its folder too."""
        self._log = AppendLog(config.path)
        self._written: set[tuple[Any, ...]] | None = None
        """The last messages of an earlier process; None until the file was looked at."""

    def tend(self) -> None:
        """Nothing is needed between messages."""

    def send(self, message: Message) -> None:
        """Append a line; what a kill left of one before it is cut off.

        Raises:
            SinkError: If it cannot be written; the file is as it was.
        """
        path = self._log.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with _appending:
                if self._written is None:
                    self._written = _last_messages(path)
                line = message.as_json()
                if _key(line) not in self._written:
                    self._log.append(line)
        except OSError as error:
            raise SinkError(f"{path}: cannot be written: {error.strerror or error}") from error

    def close(self) -> None:
        """Nothing is held between lines, so that the file may be moved away at any time."""


def _last_messages(path: Path) -> set[tuple[Any, ...]]:
    """What tells apart the messages in the last whole lines of a file.

    Raises:
        OSError: If it is there and cannot be read.
    """
    if not path.is_file():
        return set()
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _LAST_BYTES))
        *lines, _torn = file.read().split(b"\n")
    found = set()
    for line in lines:
        # The first may be cut off; what others wrote is no message.
        with suppress(ValueError, AttributeError):
            found.add(_key(json.loads(line)))
    return found


def _key(line: dict[str, Any]) -> tuple[Any, ...]:
    """Stores of several cameras may use the same number; their events have other ids."""
    return tuple(str(line.get(name)) for name in ("number", "id", "event", "end_us"))
