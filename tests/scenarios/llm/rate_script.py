"""Rates nouns in processes of their own that can be killed, or that kill themselves.

`python -m tests.scenarios.llm.rate_script direct|batch` imports everything once and then, for
each order on a line of stdin, forks a process that rates with the real engine, store and transport.
Once that has ended, it tells its exit code on a line.
"""

import contextlib
import json
import os
import sqlite3
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from signal import SIGKILL
from typing import Any, Literal, override

from scenarios.llm.costs import Prices
from scenarios.llm.transport import ChatError, EndpointError, Transport
from scenarios.raters.digits.prompts import digit_request
from scenarios.raters.digits.rounds import rate_by_digits
from scenarios.ratings.records import Line, Planned, RatingError
from scenarios.ratings.store import RatingStore
from tests.scenarios.raters.digits.digits import PLACE, QUESTION, nouns

type Kind = Literal["direct", "batch"]

PRICES = Prices(1.0, 1.0)


@dataclass(frozen=True)
class Order:
    """One run."""

    folder: str
    """Of the store and of all else that is kept."""
    url: str
    nouns: int
    parallel: int = 4
    """Requests at once; in batches, requests in one of them."""
    kill_at: int = 0
    """Save point after which the process kills itself; 0 for never."""
    kill_after_s: float | None = None
    """Time after which it is killed."""


class Points:
    """Counts the moments at which something became final, and kills at one of them."""

    def __init__(self, kill_at: int) -> None:
        self.count = 0
        self._kill_at = kill_at

    def passed(self) -> None:
        self.count += 1
        if self.count == self._kill_at:
            os.kill(os.getpid(), SIGKILL)

    def watch(self, owner: object, name: str) -> None:
        """Count each return of a function."""
        real = getattr(owner, name)

        def watched(*args: object, **named: object) -> object:
            result = real(*args, **named)
            self.passed()
            return result

        setattr(owner, name, watched)


class Watched(sqlite3.Connection):
    """Counts the moments before and after each commit."""

    points = Points(0)

    @override
    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if sql != "COMMIT":
            return super().execute(sql, parameters)
        self.points.passed()
        done = super().execute(sql)
        self.points.passed()
        return done


def opener(kind: Kind) -> Callable[[Order], Transport]:
    """Imports what a back end needs."""
    if kind == "direct":
        from scenarios.llm.direct import DirectTransport

        return lambda order: DirectTransport(
            "rater", order.url, "x", order.parallel, PRICES, wait_s=0.02
        )
    from scenarios.llm.batch import BatchTransport

    return lambda order: BatchTransport(
        Path(order.folder) / "batches",
        "rater",
        order.url,
        "x",
        PRICES,
        poll_s=1,
        batch_requests=order.parallel,
        retries=1,
    )


def rate(order: Order, connect: Callable[[Order], Transport]) -> None:
    """Rate, and write down how many save points there were."""
    points = Points(order.kill_at)
    for name in ("replace", "rename", "unlink"):
        points.watch(os, name)
    for owner, name in calls_that_pay():
        points.watch(owner, name)
    Watched.points = points
    sqlite3.connect = partial(sqlite3.connect, factory=Watched)
    folder = Path(order.folder)
    folder.mkdir(parents=True, exist_ok=True)
    with RatingStore(folder / "ratings.sqlite") as store:
        rate_by_digits(store, QUESTION, PLACE, nouns(order.nouns), connect(order))
    (folder / "points").write_text(str(points.count))


def calls_that_pay() -> Iterable[tuple[type, str]]:
    """Between these and the next save a batch would be forgotten."""
    from openai.resources import Batches, Files

    return [(Batches, "create"), (Files, "create"), (Files, "delete")]


def fork(order: Order, connect: Callable[[Order], Transport]) -> int:
    """A process that carries an order out."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        # Only the parent talks.
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 0)
        os.dup2(nowhere, 1)
        rate(order, connect)
        code = 0
    except (ChatError, RatingError) as error:
        sys.stderr.write(f"{error}\n")
        code = 3
    except BaseException:  # noqa: BLE001 - the parent's code must not go on in the child
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def warm_up(connect: Callable[[Order], Transport]) -> None:
    """Have everything imported that is imported late, so that no child has to."""
    with tempfile.TemporaryDirectory() as folder:
        order = Order(f"{folder}/case", "http://127.0.0.1:9/v1", 1)
        Path(order.folder).mkdir()
        planned = Planned((Line("a", "a"),))
        request = digit_request("a", "rater", PLACE, planned)
        with contextlib.suppress(EndpointError):
            connect(order).ask([request], lambda _: None)


def main() -> None:
    connect = opener("batch" if sys.argv[1] == "batch" else "direct")
    warm_up(connect)
    for line in sys.stdin:
        order = Order(**json.loads(line))
        pid = fork(order, connect)
        if order.kill_after_s is not None:
            time.sleep(order.kill_after_s)
            # If it ended before, it is still there to be asked how.
            os.kill(pid, SIGKILL)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
