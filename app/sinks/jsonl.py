"""A file that grows by one JSON line for each state of an event."""

import threading
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict

from app.events.outbox import Message
from app.sinks.base import SinkError
from novic.append_log import AppendLog

_appending = threading.Lock()
"""Cameras of one process may share a file."""


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

    A line is the message's body and its `number`. A message that came again, because a kill cut
    off the note that it was delivered, repeats its number.
    """

    def __init__(self, config: JsonlConfig) -> None:
        """Take the file's name; it is made with the first line, its folder too."""
        self._log = AppendLog(config.path)

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
                self._log.append(message.as_json())
        except OSError as error:
            raise SinkError(f"{path}: cannot be written: {error.strerror or error}") from error

    def close(self) -> None:
        """Nothing is held between lines, so that the file may be moved away at any time."""
