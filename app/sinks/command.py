"""A command that is run for each state of an event, as `--on-event` asks."""

import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict

from app.events.outbox import Message
from app.private import users_umask
from app.sinks.base import RefusedError, SinkError

MOST_RUNS = 3
"""So often a command that fails is run for one message."""
_TOLD = ("event", "headline", "noun", "p", "sure", "kind", "camera", "id")


class CommandConfig(BaseModel):
    """The command with its arguments; no shell reads it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    example: ClassVar[str] = "notify-send Nomaly"

    kind: Literal["command"] = "command"
    words: tuple[str, ...]
    limit_s: float = 30.0
    """After so long it is killed, with all that it started."""
    group_s: float = 0.0
    """What rings within so many seconds is told together, and nothing but what rings; 0 for every
    state of every event by itself."""

    @property
    def key(self) -> str:
        """`command:`, the program's name, and a digest of all words, which may hold secrets."""
        digest = hashlib.sha256("\0".join(self.words).encode("utf-8", "surrogateescape"))
        return f"{self.kind}:{Path(self.words[0]).name}-{digest.hexdigest()[:8]}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Split a command as a shell would.

        Raises:
            ValueError: If there is none, or a quotation has no end.
        """
        words = tuple(shlex.split(text))
        if not words:
            raise ValueError("there is no command")
        return cls(words=words)


class CommandSink:
    """Runs the command with the message on its stdin and what it is most often asked for beside.

    In the environment stand NOMALY_EVENT (opened, updated, stationary, closed),
    NOMALY_RINGS (1 for the one message by which people should be alarmed, else 0),
    NOMALY_HEADLINE, NOMALY_NOUN, NOMALY_P, NOMALY_SURE (1 or 0), NOMALY_KIND, NOMALY_CAMERA,
    NOMALY_ID, NOMALY_NUMBER, NOMALY_OUT, and NOMALY_PICTURE and NOMALY_CROP, files that may not be
    there. What the command says goes to stderr: stdout is for results.
    """

    def __init__(self, config: CommandConfig, folder: Path) -> None:
        """Take the command.

        Args:
            config: What to run.
            folder: Of the store, where the pictures lie.
        """
        self._config = config
        self._folder = folder.absolute()

    def tend(self) -> None:
        """Nothing is needed between messages."""

    def send(self, message: Message) -> None:
        """Run the command, to its end.

        Raises:
            SinkError: If it cannot be run, or failed.
            RefusedError: If it failed MOST_RUNS times; nothing more is tried then.
        """
        name = self._config.words[0]
        fault = self._fault(message)
        if not fault:
            return
        if message.attempts + 1 < MOST_RUNS:
            raise SinkError(f"{name}: {fault}")
        raise RefusedError(f"{name}: {fault}, {MOST_RUNS} times for {message.body.get('id', '')}")

    def close(self) -> None:
        """Nothing runs between messages."""

    def _fault(self, message: Message) -> str:
        """Run it; returns why it failed, empty if it did not.

        Raises:
            SinkError: If it cannot be run, whatever the message is.
        """
        limit_s = self._config.limit_s
        try:
            # A session of its own: Ctrl-C is not for it, and all that it starts can be killed.
            process = subprocess.Popen(  # noqa: S603 - it is what the user asked for
                self._config.words,
                stdin=subprocess.PIPE,
                stdout=sys.__stderr__ or subprocess.DEVNULL,
                env=os.environ | self._environment(message),
                start_new_session=True,
                umask=users_umask(),
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise SinkError(f"{self._config.words[0]}: cannot be run: {why}") from error
        with process:
            try:
                process.communicate(_line(message), limit_s)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                return f"was not done within {limit_s:g} s, and was killed"
        code = process.returncode
        return "" if code == 0 else f"failed ({_ended(code)})"

    def _environment(self, message: Message) -> dict[str, str]:
        told = {name: message.body.get(name, "") for name in _TOLD}
        values = {
            **told,
            "sure": int(bool(told["sure"])),
            "rings": int(bool(message.body.get("rings"))),
            "number": message.number,
            "out": self._folder,
            "picture": self._folder / "snapshots" / f"{told['id']}.jpg",
            "crop": self._folder / "crops" / f"{told['id']}.jpg",
        }
        # A variable can hold anything but the null character.
        return {
            f"NOMALY_{name.upper()}": str(value).replace("\0", "") for name, value in values.items()
        }


def _line(message: Message) -> bytes:
    return (json.dumps(message.as_json(), ensure_ascii=False) + "\n").encode(
        "utf-8", "surrogateescape"
    )


def _ended(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"signal {-code}"
