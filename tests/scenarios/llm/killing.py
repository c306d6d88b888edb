"""Kills rating processes at all kinds of moments, and checks what is left."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from signal import SIGKILL

from scenarios.raters.digits.prompts import request_body
from scenarios.raters.digits.rounds import digit_scores
from scenarios.ratings.records import RawScores
from scenarios.ratings.store import RatingStore
from tests.peers.llm_model import digit_of, key_of
from tests.peers.llm_server import LlmServer
from tests.scenarios.llm.rate_script import Kind, Order
from tests.scenarios.raters.digits.digits import NEVER, PLACE, QUESTION, SEEN, nouns

DIGITS = dict.fromkeys(SEEN, 8) | dict.fromkeys(NEVER, 0)
ROOT = Path(__file__).parents[3]
KILLED = -SIGKILL
STOPPED = 3
"""Exit code of a run that ended with a sentence."""
MOST_STOPS = 20


class Launcher:
    """Starts rating processes, one at a time, quickly."""

    def __init__(self, process: "subprocess.Popen[str]", errors: Path) -> None:
        self._process = process
        self.errors = errors
        """What the processes said."""

    def run(self, order: Order) -> int:
        """Exit code of a new process, once it has one."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{json.dumps(asdict(order))}\n")
        self._process.stdin.flush()
        if line := self._process.stdout.readline():
            return int(line)
        raise AssertionError(self.errors.read_text())


@contextmanager
def launcher(kind: Kind, folder: Path) -> Iterator[Launcher]:
    """A launcher with everything that a back end imports."""
    errors = folder / "errors.txt"
    with errors.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.llm.rate_script", kind],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
            text=True,
        )
        try:
            yield Launcher(process, errors)
        finally:
            # With its child, which it may be waiting for after a test that took too long.
            os.killpg(process.pid, SIGKILL)
            process.communicate()


@dataclass
class Case:
    """One set of nouns on its way through runs that are killed."""

    server: LlmServer
    order: Order
    kills: int = 0
    in_flight: Counter[str] = field(default_factory=Counter)
    """How often each request was paid for and not stored when its process was killed."""
    most_in_flight: int = 0
    paid_before: Counter[str] = field(default_factory=Counter)
    """At the kill before."""

    def killed(self) -> None:
        """Note what was paid for and lost."""
        self.kills += 1
        quiet = 0
        while quiet < 3:
            time.sleep(0.01)
            quiet = 0 if self.server.connections else quiet + 1
        paid = self._paid()
        lost = (paid - self.paid_before).keys() - self._answered() - self._waiting()
        self.paid_before = paid
        self.most_in_flight = max(self.most_in_flight, len(lost))
        self.in_flight.update(lost)

    def overpaid(self) -> int:
        """How many answers were paid for though they were there or under way."""
        return sum(max(0, count - 1 - self.in_flight[key]) for key, count in self._paid().items())

    def paid_twice(self) -> int:
        """How many answers were paid for once more, for whatever reason."""
        return sum(count - 1 for count in self._paid().values())

    def scores(self) -> RawScores:
        """What came of all nouns."""
        targets = [line.target_noun for line in nouns(self.order.nouns)]
        with self._store() as store:
            scores = digit_scores(store, QUESTION, targets)
        # Those come in the order of the answers.
        return replace(scores, duplicates=tuple(sorted(scores.duplicates)))

    def _paid(self) -> Counter[str]:
        stat = self.server.stat()
        return Counter(stat.paid) + Counter(stat.spoiled)

    def _answered(self) -> set[str]:
        """Keys of requests with an answer in the store."""
        with self._store() as store:
            planned = {one.request_id(QUESTION): one for run in runs(store) for one in run}
            known = store.answers(planned)
        return {key_of(request_body(QUESTION.model, PLACE, planned[id_])) for id_ in known}

    def _waiting(self) -> set[str]:
        """Keys of requests that the batch service still has the answers to."""
        service = self.server.batches
        return {
            key_of(json.loads(line)["body"])
            for batch in service.batches.values()
            if batch["input_file_id"] in service.files
            for line in service.files[batch["input_file_id"]][1].splitlines()
        }

    def _store(self) -> RatingStore:
        return RatingStore(Path(self.order.folder) / "ratings.sqlite")


def runs(store: RatingStore) -> Iterator[list]:
    """All rounds of all runs of a store."""
    names = store._db.execute("SELECT DISTINCT run FROM planned").fetchall()
    for (name,) in names:
        yield from store.rounds(name)


def kill_at_point(case: Case, launch: Launcher, point: int) -> bool:
    """Run until a save point, then again to the end.

    Returns:
        Whether there is such a point.
    """
    code = launch.run(replace(case.order, kill_at=point))
    assert code in (0, KILLED), launch.errors.read_text()
    if code == 0:
        return False
    case.killed()
    code = launch.run(case.order)
    assert code == 0, f"after point {point}: {launch.errors.read_text()}"
    assert case.scores().nouns == digits(case.order)
    return True


def kill_at_random(case: Case, launch: Launcher, kills: int, longest_s: float) -> None:
    """Kill up to so many runs, each after a random time, then let one come to its end."""
    draw = random.Random(f"{case.order.folder} {kills}")  # noqa: S311 - no secret
    while case.kills < kills:
        code = launch.run(replace(case.order, kill_after_s=draw.uniform(0, longest_s)))
        if code == 0:
            break
        assert code in (KILLED, STOPPED), launch.errors.read_text()
        if code == KILLED:
            case.killed()
    # A batch that failed ends a run with a sentence; the next one goes on.
    codes = (launch.run(case.order) for _ in range(MOST_STOPS))
    code = next((code for code in codes if code != STOPPED), STOPPED)
    assert code == 0, f"exit code {code}: {launch.errors.read_text()}"


def digits(order: Order) -> dict[str, float]:
    """What an undisturbed run on a server without faults comes to."""
    asked = nouns(order.nouns)
    return {line.target_noun: float(digit_of(line.asked_as, DIGITS)) for line in asked}


def fresh(folder: Path) -> Path:
    """The folder, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
