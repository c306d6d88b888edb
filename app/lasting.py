"""Output that may go away: whoever listens may close it, and work goes on all the same."""

import os
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TextIO

MOST_WAITING = 1000
"""Results that may wait for a full disk."""


class LastingStdout:
    """Hands results to whoever reads stdout; that it is closed or full never ends the work.

    What a full disk refuses waits for what is told next, the newest MOST_WAITING results of it.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        """Begin.

        Args:
            say: Told in a sentence that stdout does not take results, once, and that it does again.
        """
        self._say = say
        self._waiting: deque[Callable[[], None]] = deque(maxlen=MOST_WAITING)
        self.fault = ""
        """Why the newest result could not be written; empty if it was, or nobody reads any more."""

    def tell(self, write: Callable[[dict[str, Any]], None], result: dict[str, Any]) -> None:
        """Let `write` write a result to stdout, if that can be."""
        self._waiting.append(partial(write, result))
        try:
            while self._waiting:
                self._waiting[0]()
                self._waiting.popleft()
        except (BrokenPipeError, SystemExit):
            # Rich asks the program to end when nobody reads.
            self._waiting.clear()
            _forget_stdout()
            self._say("stdout was closed; nothing is told there any more, the work goes on")
        except OSError as error:
            self._failed(error.strerror or str(error))
        else:
            self._works()

    def _failed(self, why: str) -> None:
        if not self.fault:
            self._say(f"stdout cannot be written ({why}); the work goes on")
        self.fault = why

    def _works(self) -> None:
        if self.fault:
            self._say("stdout can be written again")
        self.fault = ""


class LastingStream:
    """A stream that may lose its terminal or its reader: what cannot be written is dropped."""

    def __init__(self, stream: TextIO) -> None:
        """Take the stream."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what can be handed on."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._stream, name)


def _forget_stdout() -> None:
    """Let all that is still written to stdout go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):
        os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
