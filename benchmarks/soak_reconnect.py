"""A watch of a real RTSP camera that is killed again and again: back how soon, and what it costs.

GStreamer's server shows a film from its beginning to whoever connects: a room, and from its first
to its third second a thing in one of six places. The server is killed after each showing and
started again (every tenth time it is stopped with SIGSTOP for a while instead), once it wants
another password, and once it loses packets. The command `nomaly watch` is looked at from outside,
in /proc.

    python -m benchmarks.soak_reconnect [--cycles 100] [--loss 0.02] [--json]

Needs GStreamer's server, as `tests/peers/camera.py` says.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.app.service.films import room
from tests.peers.camera import RtspCamera, encoded, write_units

FPS = 25
FILM_S = 60.0
"""Longer than a showing ever lasts: it does not begin anew."""
COMES_S, GOES_S = 1.0, 3.0
SHOWN_S = 3.6
"""A showing ends so long after the camera is back."""
PLACES = ((10, 8), (10, 48), (10, 88), (54, 8), (54, 48), (54, 88))
STOPPED_S = 3.5
EARLY, LATE = 10, 100
LOGIN, OTHER = "ann:right", "ann:changed"


def film(path: Path, place: tuple[int, int] | None) -> Path:
    """Film the room, with the thing in a place; None for the empty room."""
    view, rng = room(7), np.random.default_rng(1)

    def pictures() -> Iterator[av.VideoFrame]:
        for number in range(round(FILM_S * FPS)):
            picture = np.clip(view.astype(int) + rng.integers(-4, 5, view.shape), 0, 255)
            if place is not None and COMES_S <= number / FPS < GOES_S:
                top, left = place
                picture[top : top + 32, left : left + 32] = (250, 240, 20)
            yield av.VideoFrame.from_ndarray(picture.astype(np.uint8), format="rgb24")

    write_units(path, encoded(pictures(), FPS))
    return path


@dataclass
class Server(RtspCamera):
    """The camera, with films that are ready to be served."""

    films: list[Path]
    folder: Path

    def __post_init__(self) -> None:
        python = os.environ.get("GST_PYTHON", "/usr/bin/python3")
        super().__init__(python, self.films[0], self.folder)

    def show(self, number: int, login: str = LOGIN, loss: float = 0.0) -> int:
        """Start with one of the films; returns when it was there, UTC in microseconds."""
        self._served, self.loss = self.films[number % len(self.films)], loss
        self.start(login=login)
        return now_us()


@dataclass
class Watched:
    """The command under way, and what it told."""

    process: subprocess.Popen[bytes]
    heard: Path
    _read: int = 0
    told: list[dict[str, Any]] = field(default_factory=list)

    def news(self) -> list[dict[str, Any]]:
        """What was told until now."""
        data = self.heard.read_bytes()[self._read :]
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        self.told += [json.loads(line) for line in whole.splitlines()]
        return self.told

    def back(self, after: int, most_s: float) -> int | None:
        """Wait for the message number `after` + 1 that it is back; when that was, in us."""
        until_s = time.monotonic() + most_s
        while time.monotonic() < until_s:
            if self.process.poll() is not None:
                raise SystemExit("the watch has ended")
            backs = [one for one in self.news() if one["event"] == "back"]
            if len(backs) > after:
                return int(backs[after]["time_us"])
            time.sleep(0.05)
        return None

    def costs(self) -> dict[str, float]:
        """What it holds of the machine just now, its readers included where it says so."""
        pid = self.process.pid
        children = [int(one) for one in child_pids(pid)]
        return {
            "threads": len(list(Path(f"/proc/{pid}/task").iterdir())),
            "descriptors": len(list(Path(f"/proc/{pid}/fd").iterdir())),
            "processes": 1 + len(children),
            "rss_mb": round(rss_mb(pid), 1),
            "rss_readers_mb": round(sum(map(rss_mb, children)), 1),
        }


def child_pids(pid: int) -> list[str]:
    """Direct children of a process."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has ended meanwhile
            found += (task / "children").read_text().split()
    return found


def rss_mb(pid: int) -> float:
    """Memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def watching(url: str, folder: Path) -> Iterator[Watched]:
    """Watch with a detector that knows the empty room."""
    nomaly = str(Path(sys.executable).with_name("nomaly"))
    words = [nomaly, "watch", url, "--detector", str(folder / "detector"), "--json", "--fps", "5"]
    words += ["--out", str(folder / "out"), "--heartbeat", "0", "--camera", "gate"]
    heard = folder / "heard.jsonl"
    with heard.open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(words, stdout=out, stderr=err)
    try:
        yield Watched(process, heard)
    finally:
        process.terminate()
        process.wait(60)


def fit(folder: Path) -> None:
    """Learn the empty room."""
    from app.media.video import VideoWriter

    view = room(7)
    with VideoWriter(folder / "empty.mp4", (view.shape[0], view.shape[1]), 5) as writer:
        rng = np.random.default_rng(2)
        for number in range(60):
            noisy = np.clip(view.astype(int) + rng.integers(-4, 5, view.shape), 0, 255)
            writer.write(noisy.astype(np.uint8), number / 5)
    nomaly = str(Path(sys.executable).with_name("nomaly"))
    words = [nomaly, "fit", "empty.mp4", "--out", "detector", "--quiet"]
    words += ["--detector-model", "mog2", "--detector-setting", "passes=8"]
    subprocess.run(words, cwd=folder, check=True)


@dataclass
class Tally:
    """What was counted."""

    back_s: list[float] = field(default_factory=list)
    thawed_s: list[float] = field(default_factory=list)
    shown_us: list[int] = field(default_factory=list)
    """When each whole showing began."""
    late: int = 0
    costs: dict[int, dict[str, float]] = field(default_factory=dict)


def cycles(server: Server, watched: Watched, count: int, done: Callable[[], int]) -> Tally:
    """Kill, start, wait, count."""
    tally, there_us, backs = Tally(), now_us(), 0
    for cycle in range(1, count + 1):
        # What came back is shown whole, then the plug is pulled.
        time.sleep(SHOWN_S)
        if cycle in (EARLY, LATE) or cycle % 10 == 0:
            tally.costs[cycle] = watched.costs() | {"load": round(os.getloadavg()[0], 1)}
            print(cycle, tally.costs[cycle], tally.back_s[-3:], file=sys.stderr, flush=True)
        if cycle % 10 == 5:
            server.hang()
            time.sleep(STOPPED_S)
            server.resume()
            there_us, kind = now_us(), tally.thawed_s
        else:
            server.kill()
            time.sleep(0.3)
            there_us, kind = server.show(cycle), tally.back_s
        back_us = watched.back(backs, 90)
        if back_us is None:
            raise SystemExit(f"cycle {cycle}: not back within 90 s")
        backs = done()
        kind.append((back_us - there_us) / 1e6)
        tally.shown_us.append(back_us)
    time.sleep(SHOWN_S + 3)
    return tally


def judged(told: list[dict[str, Any]], tally: Tally) -> dict[str, Any]:
    """Events against what was shown."""
    opened = [one for one in told if one["event"] == "opened" and one["kind"] == "object"]
    starts = [one["start_us"] for one in opened]
    counts = [
        sum(shown - 300_000 <= start < shown + 1e6 * SHOWN_S for start in starts)
        for shown in tally.shown_us
    ]
    states = [(one["id"], one["event"]) for one in told if one["event"] in ("opened", "closed")]
    return {
        "things_shown": len(tally.shown_us),
        "lost": counts.count(0),
        "rang_twice": sum(count > 1 for count in counts),
        "states_told_twice": len(states) - len(set(states)),
        "opened": len(opened),
        "not_closed": len({one[0] for one in states if one[1] == "opened"})
        - len({one[0] for one in states if one[1] == "closed"}),
    }


def spread(seconds: list[float]) -> dict[str, float]:
    """Median, 95% and most."""
    ordered = sorted(seconds)
    return {
        "count": len(ordered),
        "median": round(statistics.median(ordered), 2),
        "p95": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 2),
        "most": round(ordered[-1], 2),
    }


def password_changed(server: Server, watched: Watched, backs: int) -> dict[str, Any]:
    """Another password for 10 s, then the right one again."""
    server.kill()
    server.show(0, login=OTHER)
    time.sleep(10)
    server.kill()
    there_us = server.show(0)
    back_us = watched.back(backs, 90)
    lost = [one for one in watched.news() if one["event"] == "lost"]
    return {
        "back_s": None if back_us is None else round((back_us - there_us) / 1e6, 2),
        "reason": lost[-1]["detail"] or lost[-1]["reason"],
    }


def lossy(server: Server, watched: Watched, backs: int, loss: float) -> dict[str, Any]:
    """A share of the packets lost for 30 s."""
    server.kill()
    server.show(1, loss=loss)
    back_us = watched.back(backs, 90)
    if back_us is None:
        return {"loss": loss, "came": False}
    before = len(watched.news())
    time.sleep(30)
    later = watched.news()[before:]
    after_s = [(one["start_us"] - back_us) / 1e6 for one in later if one["event"] == "opened"]
    shown = [one for one in after_s if COMES_S - 0.5 <= one < GOES_S]
    return {
        "loss": loss,
        "came": True,
        "lost_again": sum(one["event"] == "lost" for one in later),
        "thing_rang": len(shown),
        "rang_for_nothing": len(after_s) - len(shown),
    }


def main() -> None:
    """Disturb, count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--loss", type=float, default=0.02)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, began_s = Path(name), time.monotonic()
        fit(folder)
        films = [film(folder / f"{at}.au", place) for at, place in enumerate(PLACES)]
        server = Server(films, folder)
        server.show(0)
        user, _, password = LOGIN.partition(":")
        try:
            with watching(server.url_for(user, password), folder) as watched:

                def backs() -> int:
                    return sum(one["event"] == "back" for one in watched.news())

                said = folder / "stderr"
                while "Ctrl-C stops" not in said.read_text():
                    time.sleep(0.1)
                tally = cycles(server, watched, asked.cycles, backs)
                events = judged(watched.news(), tally)
                changed = password_changed(server, watched, backs())
                losses = lossy(server, watched, backs(), asked.loss)
        finally:
            server.stop()
    told = {
        "back_s": spread(tally.back_s),
        "after_sigstop_s": spread(tally.thawed_s) if tally.thawed_s else {},
        "costs": tally.costs,
        "events": events,
        "password": changed,
        "loss": losses,
        "load": round(os.getloadavg()[0], 1),
        "seconds": round(time.monotonic() - began_s),
    }
    if not asked.json:
        for what, value in told.items():
            print(f"{what:<18} {value}")
    print(json.dumps(told))


def now_us() -> int:
    """UTC in microseconds."""
    return time.time_ns() // 1000


if __name__ == "__main__":
    main()
