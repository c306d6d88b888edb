"""What gpt_batch_api does to the process it runs in, and how that is kept within bounds."""

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from scenarios.llm.transport import Reply

type Take = Callable[[Reply], None]


@contextlib.contextmanager
def quiet() -> Iterator[Callable[[Take], Take]]:
    """Silence the library, which logs and prints; yields what lets a `Take` print all the same."""
    logger, stdout = logging.getLogger("gpt_batch_api"), sys.stdout
    level = logger.level

    def aloud(take: Take) -> Take:
        def taking(reply: Reply) -> None:
            with contextlib.redirect_stdout(stdout):
                take(reply)

        return taking

    logger.setLevel(logging.CRITICAL + 1)
    try:
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            yield aloud
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let the library put Ctrl-C off while it saves, also where Ctrl-C is ignored (nohup)."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
