"""A watch of a file that is killed again and again, and what must hold after every kill."""

import dataclasses
import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.demo.footage import DemoPlan, plan_demo
from app.events.media_files import media_files
from app.events.outputs import OURS
from tests.app.forked import Forked

LEARN_S = 14.0
ONCE = ("opened", "stationary", "closed")
"""States that are told once of an event, but for reminders."""


type Killable = Forked | subprocess.Popen[bytes]
"""A process under way."""


def start_forked(words: list[str], stderr: Path) -> Forked:
    """Start the command in a process that need not import the heavy libraries again."""
    running = Forked(words)
    stderr.unlink(missing_ok=True)
    stderr.symlink_to(running.stderr)
    return running


type Start = Callable[[list[str], Path], Killable]
"""Starts the command with words, its stderr in a file."""


def long_stay(seconds: float, learn_s: float = LEARN_S) -> DemoPlan:
    """One thing stands there almost to the end; others come and go meanwhile, four seconds each."""
    plan = plan_demo(0)
    chosen, placements = [], []
    for placed in plan.placements:
        if all(placed.box.overlap(other.box.grown(0.2, plan.size)) <= 0 for other in chosen):
            chosen.append(placed)
    stays, *others = chosen
    times = {"enter_s": learn_s + 2, "rest_s": learn_s + 3}
    gone = {"leave_s": seconds - 6, "gone_s": seconds - 5}
    placements.append(dataclasses.replace(stays, **times, **gone))
    for number in range(int((seconds - learn_s - 12) // 6)):
        at = learn_s + 5 + 6 * number
        times = {"enter_s": at, "rest_s": at + 0.6, "leave_s": at + 3.4, "gone_s": at + 4}
        placements.append(dataclasses.replace(others[number % len(others)], **times))
    return dataclasses.replace(
        plan, learn_s=learn_s, duration_s=seconds, placements=tuple(placements)
    )


@dataclass(slots=True)
class Tally:
    """What was counted over all kills."""

    kills: int = 0
    sessions: int = 0
    damaged: int = 0
    """Databases that were not whole."""
    announced: int = 0
    """Lines of the sink."""
    missing: int = 0
    """Announced events that no store had."""
    twice: int = 0
    """Messages that came twice by their number, or states that are told once and came twice."""
    rings: int = 0
    events: int = 0
    orphans: int = 0
    """Processes that outlived the killed one, and files that nothing speaks of at the end."""
    running_s: list[float] = field(default_factory=list)
    """From each start after a kill to the moment at which it watches."""
    finished: int = 0
    """Watches that came to their end after all kills."""
    stages: Counter[str] = field(default_factory=Counter)
    """What the watch was doing when it was killed."""

    def as_json(self) -> dict[str, Any]:
        """As it is printed."""
        values = dataclasses.asdict(self)
        del values["running_s"]
        slowest = max(self.running_s, default=None)
        return values | {
            "stages": dict(self.stages),
            "running_again_median_s": _middle(self.running_s),
            "running_again_most_s": None if slowest is None else round(slowest, 2),
        }


class Case:
    """One watch that is killed until its file ends, or until there were enough kills."""

    def __init__(
        self,
        folder: Path,
        clip: Path,
        start: Start,
        tally: Tally,
        normally: Sequence[str] = ("--learn", f"{LEARN_S:g}"),
    ) -> None:
        self.out, self.sink = folder / "out", folder / "announced.jsonl"
        self.stderr = folder / "stderr"
        self._start, self._tally = start, tally
        self._sessions = 0
        self._words = [
            *("watch", str(clip), *normally, "--out", str(self.out), "--json"),
            *("--sink", f"jsonl:{self.sink}", "--stationary", "4", "--device", "cpu"),
        ]

    def session(self, kill_after_s: float | None, *, watched_s: float | None = None) -> bool:
        """Run the command.

        Args:
            kill_after_s: Kill it so long after its start; None not to.
            watched_s: Kill it so long after it began to watch, instead.

        Returns:
            Whether it was killed before it came to its end.
        """
        began = time.monotonic()
        with self._start(self._words, self.stderr) as process:
            watching = self._wait(process, began, kill_after_s, watched_s)
            killed = process.poll() is None
            if killed:
                self._tally.kills += 1
                self._tally.stages["watching" if watching else "starting or learning"] += 1
                os.kill(process.pid, signal.SIGKILL)
                while process.poll() is None:
                    time.sleep(0.01)
            else:
                assert process.poll() == 0, self.stderr.read_text()
                self._tally.finished += 1
        self._tally.sessions += 1
        self._sessions += 1
        self._check(killed=killed)
        return killed

    def _wait(
        self, process: Killable, began: float, kill_after_s: float | None, watched_s: float | None
    ) -> bool:
        """Wait until it is to be killed, or has ended; returns whether it watches."""
        watching: float | None = None
        until = began + (kill_after_s or 600.0)
        while process.poll() is None and time.monotonic() < until:
            if watching is None and self._watches():
                watching = time.monotonic()
                if self._sessions:
                    self._tally.running_s.append(watching - began)
                if watched_s is not None:
                    until = watching + watched_s
            time.sleep(0.02)
        return watching is not None

    def end(self) -> None:
        """Count what was announced over all sessions, once the watch has ended."""
        lines, tally = self.lines(), self._tally
        states = [
            (line["id"], line["event"], line.get("reminders"))
            for line in lines
            if line["event"] in ONCE
        ]
        tally.announced += len(lines)
        tally.twice += _repeated([line["number"] for line in lines]) + _repeated(states)
        tally.rings += sum(line["rings"] for line in lines)
        tally.events += len({line["id"] for line in lines})
        tally.orphans += len(self._left_files())

    def lines(self) -> list[dict[str, Any]]:
        """All whole lines of the sink."""
        if not self.sink.exists():
            return []
        return [json.loads(line) for line in self.sink.read_text().split("\n")[:-1]]

    def _watches(self) -> bool:
        with suppress(OSError):
            return "; Ctrl-C stops and writes" in self.stderr.read_text(errors="replace")
        return False

    def _check(self, *, killed: bool) -> None:
        tally = self._tally
        if killed and _still_there(str(self.out)):
            tally.orphans += len(_still_there(str(self.out)))
        store = self.out / "events.sqlite"
        if not store.exists():
            tally.missing += len(self.lines())
            return
        with closing(sqlite3.connect(store)) as database:
            (whole,) = database.execute("PRAGMA integrity_check").fetchone()
            tally.damaged += whole != "ok"
            tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
            known = database.execute("SELECT id FROM event") if "event" in tables else ()
            ids = {row[0] for row in known}
        tally.missing += sum(line["id"] not in ids for line in self.lines())

    def _left_files(self) -> list[Path]:
        """Files that nothing speaks of."""
        with closing(sqlite3.connect(self.out / "events.sqlite")) as database:
            ids = {row[0] for row in database.execute("SELECT id FROM event")}
        orphans = [one.path for one in media_files(self.out) if one.event_id not in ids]
        return orphans + [path for path in self.out.iterdir() if path.name not in OURS]


def kill_at_random(
    case: Case,
    rng: random.Random,
    most: int,
    longest_s: float,
    killed: Callable[[], None] = lambda: None,
) -> None:
    """Kill a watch until its file ends or it was killed so often; then let it come to its end."""
    for number in range(most):
        # The first once it has learned; else every session would begin with that.
        watched_s = rng.uniform(0.05, 20.0) if number % 3 != 1 else None
        kill_after_s = None if watched_s is not None else rng.uniform(0.3, longest_s)
        if not case.session(kill_after_s, watched_s=watched_s):
            break
        killed()
    else:
        case.session(None)
    case.end()


def _still_there(word: str) -> list[int]:
    """Processes that were started with a word, besides this one."""
    found = []
    for process in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if int(process.name) != os.getpid() and word.encode() in words:
                found.append(int(process.name))
    return found


def _repeated(values: list[Any]) -> int:
    return len(values) - len({*values})


def _middle(values: list[float]) -> float | None:
    return round(sorted(values)[len(values) // 2], 2) if values else None
