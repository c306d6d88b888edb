"""A day of stream time through one watch, faster than real time: memory, store, events.

The watch is the one that `nomaly watch` runs, with all its threads; only the camera is our own:
it gives a frame of a room for every third second of a day as soon as the one before was looked
at, and its times are those of that day. Each twelve minutes something stands there for 30 s, from
the sixth to the twelfth hour another thing stands there, it gets dark and light again, and once
an hour the camera is away for 30 s. After each hour the store gives up what is older than the
rule says, as it does four times an hour in a watch that lasts as long.

Ctrl-C ends it after the hours that have passed.

    python -m benchmarks.soak_day [--hours 24] [--keep-hours 6] [--json]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from app.events.event import Event
from app.events.giving_up import retain
from app.events.reading import snapshot
from app.events.retention import RetentionRule
from app.events.schema import STORE
from app.progress import Reporter
from app.sources.base import Gap, LiveStats, SourceInfo
from app.watching.watch import WatchRequest, watch
from benchmarks.soak_reconnect import rss_mb
from detectors.types import Frame, Pixels
from tests.app.service.films import SIZE, room

HOUR_S = 3600
COMES_EVERY_S, STAYS_S = 720, 30
PARKED_S = (6 * HOUR_S, 12 * HOUR_S)
AWAY_S = 30
PLACES = ((10, 8), (10, 48), (54, 8), (54, 48))
PARKED = (54, 88)
NOISES = 64
STEP_S = 3


@dataclass
class Day:
    """A camera whose day passes as fast as it is looked at."""

    hours: int
    passed: Callable[[int, int], None]
    """Told the hour that is over, and its end in UTC microseconds."""
    gaps: list[Gap] = field(default_factory=list)
    stats: LiveStats = field(default_factory=lambda: LiveStats(attempts=1))
    ended: bool = False
    warning: str = ""
    info: SourceInfo = field(
        default_factory=lambda: SourceInfo("hall", "day://hall", SIZE, 1.0, 0.0)
    )

    def __post_init__(self) -> None:
        self.start_us = time.time_ns() // 1000 - self.hours * HOUR_S * 10**6
        self._view = room(7).astype(np.int16)
        rng = np.random.default_rng(3)
        self._noise = rng.integers(-4, 5, (NOISES, *self._view.shape), dtype=np.int16)
        self._frames = self._all()

    def connect(self, timeout_s: float, failed: object = None) -> SourceInfo:
        """It is there."""
        return self.info

    def frames(self, timeout_s: float = 0.5) -> Iterator[Frame | None]:
        """All of them."""
        yield from self._frames

    def take(self) -> Frame | None:
        """The next one."""
        return next(self._frames, None)

    def close(self) -> None:
        """It is over."""
        self.ended = True

    def picture(self, second: int) -> Pixels:
        """What is seen in a second of the day."""
        image = self._view + self._noise[second // STEP_S * 7919 % NOISES]
        since, number = second % COMES_EVERY_S, second // COMES_EVERY_S
        if number and since < STAYS_S:
            top, left = PLACES[number % len(PLACES)]
            image[top : top + 32, left : left + 32] = (250, 240, 20)
        if PARKED_S[0] <= second < PARKED_S[1]:
            top, left = PARKED
            image[top : top + 32, left : left + 32] = (30, 40, 230)
        light = 0.85 + 0.15 * np.cos(2 * np.pi * second / (24 * HOUR_S))
        return np.clip(light * image, 0, 255).astype(np.uint8)

    def _all(self) -> Iterator[Frame]:
        for second in range(0, self.hours * HOUR_S, STEP_S):
            now_us = self.start_us + second * 10**6
            if second and second % HOUR_S == 0:
                self.passed(second // HOUR_S, now_us)
            if HOUR_S // 2 <= second % HOUR_S < HOUR_S // 2 + AWAY_S:
                if second % HOUR_S == HOUR_S // 2:
                    self.gaps.append(Gap(now_us - 10**6, None, "ended"))
                continue
            if self.gaps and self.gaps[-1].end_us is None:
                self.gaps[-1] = Gap(self.gaps[-1].start_us, now_us, "ended")
            yield Frame("hall", second, float(second), now_us, self.picture(second))
        self.passed(self.hours, self.start_us + self.hours * HOUR_S * 10**6)
        self.ended = True


def main() -> None:
    """Watch the day and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--keep-hours", type=float, default=6.0)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        told = replayed(Path(name), asked.hours, asked.keep_hours)
    if not asked.json:
        for what, value in told.items():
            print(f"{what:<22} {value}")
    print(json.dumps(told))


def replayed(folder: Path, hours: int, keep_hours: float) -> dict[str, Any]:
    """Watch so many hours, keep so many."""
    subprocess.run(
        [sys.executable, "-c", "import sys, pathlib; from benchmarks.soak_reconnect import fit;"
         "fit(pathlib.Path(sys.argv[1]))", str(folder)],
        check=True,
    )  # fmt: skip
    out, rule = folder / "out", RetentionRule(days=keep_hours / 24, gigabytes=None)
    looks: list[dict[str, float]] = []
    messages: list[dict[str, Any]] = []
    began_s = time.monotonic()

    def passed(hour: int, now_us: int) -> None:
        done = retain(out, rule, now_us=now_us)
        with snapshot(out) as store:
            events = store.events(store.required_run().id)
        closed = [one for one in events if one.state == "closed"]
        looks.append(
            {
                "hour": hour,
                "rss_mb": round(rss_mb(os.getpid()), 1),
                "store_kb": round((out / STORE).stat().st_size / 1e3),
                "files_kb": round(sum(one.stat().st_size for one in out.rglob("*.jpg")) / 1e3),
                "events": len(events),
                "oldest_h": _oldest_h(closed, now_us),
                "oldest_open_h": _oldest_h([one for one in events if one not in closed], now_us),
                "held_ms": round(1e3 * done.longest_s, 1),
                "at_s": round(time.monotonic() - began_s, 1),
            }
        )
        print(looks[-1], file=sys.stderr, flush=True)

    day = Day(hours, passed)
    request = WatchRequest(
        out=out, source="0", detector=folder / "detector", camera="hall", fps=None, heartbeat_s=0.0
    )
    with patch("app.watching.watch.open_live", lambda *_, **__: day):
        watch(request, Reporter(quiet=True), messages.append)
    took_s, hours = time.monotonic() - began_s, int(looks[-1]["hour"])
    states = [(one["id"], one["event"]) for one in messages if "id" in one]
    opened = [one for one in messages if one.get("event") == "opened" and one["kind"] == "object"]
    parked_us = day.start_us + PARKED_S[0] * 10**6
    late = [one for one in opened if abs(one["start_us"] - parked_us) < 10e6]
    ids = {one["id"] for one in late}
    after = looks[1:] or looks
    growth = (after[-1]["rss_mb"] - after[0]["rss_mb"]) / max(1, len(after) - 1)
    return {
        "hours": hours,
        "seconds": round(took_s),
        "times_real_time": round(hours * HOUR_S / took_s),
        "cpu_s": round(time.process_time()),
        "rss_mb_after_2h_and_end": [after[0]["rss_mb"], after[-1]["rss_mb"]],
        "rss_mb_an_hour": round(growth, 2),
        "store_kb_most_and_end": [max(one["store_kb"] for one in looks), looks[-1]["store_kb"]],
        "files_kb_most_and_end": [max(one["files_kb"] for one in looks), looks[-1]["files_kb"]],
        "oldest_h_most": max(one["oldest_h"] for one in looks),
        "oldest_open_h_most": max(one["oldest_open_h"] for one in looks),
        "held_ms_most": max(one["held_ms"] for one in looks),
        "things_shown": hours * HOUR_S // COMES_EVERY_S - 1,
        "rang": len(opened) - len(late),
        "parked_rang": len(late),
        "parked_messages": [event for one, event in states if one in ids],
        "opened_twice": len([s for s in states if s[1] == "opened"])
        - len({s for s in states if s[1] == "opened"}),
        "load": round(os.getloadavg()[0], 1),
    }


def _oldest_h(events: Sequence[Event], now_us: int) -> float:
    """For how many hours the oldest of these was not seen any more; 0 of none."""
    return round(max(((now_us - one.end_us) / 3.6e9 for one in events), default=0.0), 1)


if __name__ == "__main__":
    main()
