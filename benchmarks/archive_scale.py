"""Archives of a thousand files, and whoever is killed in the middle of one: is the list the same?

`clips`: so many clips of 2 s (160 x 90, 5 frames/s), no two alike, in every tenth somebody passes;
by one process and by two actors of Ray. `kills`: a recording with a thing across a cut, by one
process, and then by two workers or two actors of which one is killed (-9) while it is at its
segment; again with the process that the command is, and the same command goes on then; and last
without a kill with people hidden. Results are compared as in `benchmarks.archive`, and what was
followed frame by frame, too. The detector is the quickest with a network (`diagonal`).

    python -m benchmarks.archive_scale clips [--count 1000] [--engines ray] [--json]
    python -m benchmarks.archive_scale kills [--seconds 200] [--engines local ray] [--json]
"""

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from app.events.schema import STORE
from app.media.video import VideoWriter
from app.simulator.simulation import Simulation
from app.simulator.things import sliding
from app.simulator.views import scene
from benchmarks.archive import _MARK, SIZE, contents, cpu_of, film, things, tried

CLIP_S = 2.0
EVERY = 10
"""One clip of so many shows somebody."""
AT_WORK = 60
"""Whoever has looked at so many frames of a segment is in the middle of it."""
GONE_S = 60.0


@dataclass
class Row:
    """One run."""

    name: str
    wall_s: float
    cpu_s: float
    load: float
    """Mean number of processes that wanted to run, over the last minute of it."""
    frames: int
    events: int
    same: bool
    """Whether events.jsonl is."""
    other: str
    """What else is not: tables, and folders of pictures."""
    segments: str = ""
    killed: int = 0
    left_s: float = 0.0
    """For so long processes of it were there after it had been killed."""


type Disturb = Callable[[Path, subprocess.Popen[bytes]], bool]
"""Given --out and the command; whether it has killed what it is to kill."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=["clips", "kills"])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=200.0)
    parser.add_argument("--engines", nargs="*", default=["local", "ray"])
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scale = Scale(Path(name), quiet=asked.json)
        if asked.mode == "clips":
            scale.clips(asked.count, asked.engines)
        else:
            scale.kills(asked.seconds, asked.engines)
    print(json.dumps({"rows": [asdict(row) for row in scale.rows]}))


class Scale:
    """Footage and what was found in it."""

    def __init__(self, folder: Path, *, quiet: bool) -> None:
        self._folder, self._quiet = folder, quiet
        self.rows: list[Row] = []
        self._found: dict[str, dict[str, object]] = {}
        normal = film(folder / "normal.mp4", 30.0)
        fit = ["fit", normal, "--out", folder / "detector", "--detector-model", "diagonal"]
        run(fit, folder / "told")

    def clips(self, count: int, engines: Sequence[str]) -> None:
        """Many short files."""
        many = self._folder / "clips"
        many.mkdir()
        for number in range(count):
            clip(many / f"{number:04d}.mp4", number)
        words = [many, "--each"]
        self._audited("clips, one", words)
        for engine in engines:
            self._audited(f"clips, 2 {engine}", [*words, *workers(engine)], "clips, one")

    def kills(self, seconds: float, engines: Sequence[str]) -> None:
        """One recording in stretches."""
        long = film(self._folder / "long.mp4", seconds, things(seconds))
        self._audited("one", [long])
        for engine in engines:
            words = [long, *workers(engine)]
            self._audited(f"2 {engine}, one killed", words, "one", a_worker)
            self._audited(f"2 {engine}, the command killed", words, "one", the_command)
        hidden = [long, "--blur-people"]
        self._audited("one, people hidden", hidden)
        words = [*hidden, *workers("local")]
        self._audited("2 local, people hidden", words, "one, people hidden")

    def _audited(
        self, name: str, what: Sequence[object], like: str = "", disturb: Disturb | None = None
    ) -> None:
        """Audit, and compare with what another run found."""
        out = self._folder / name.replace(" ", "-").replace(",", "")
        words = ["audit", *what, "--detector", self._folder / "detector", "--out", out]
        words += ["--no-draw", "--camera", "garden", "--quiet", "--json"]
        done = run(words, self._folder / "told", out, disturb)
        again = done
        if done.code == -signal.SIGKILL:
            again = run(words, self._folder / "told", out)
        if again.code:
            sys.exit(f"{words}: ended with {again.code}")
        wall_s = done.wall_s + (again.wall_s if again is not done else 0)
        cpu_s = done.cpu_s + (again.cpu_s if again is not done else 0)
        result = json.loads((self._folder / "told").read_text().splitlines()[-1])
        found = {**contents(out), "trace": followed(out)}
        first = self._found.setdefault(like or name, found)
        other = [what for what in found if found[what] != first[what]]
        row = Row(
            name, wall_s, cpu_s, os.getloadavg()[0], result["frames"], len(result["events"]),
            "events.jsonl" not in other, ", ".join(other), tried(out) if like else "",
            done.killed, done.left_s,
        )  # fmt: skip
        self.rows.append(row)
        if not self._quiet:
            print(
                f"{row.name:<30} wall {row.wall_s:6.1f} s  CPU {row.cpu_s:6.1f} s  load "
                f"{row.load:4.1f}  {row.frames:>6} frames  {row.events:>4} events  same: "
                f"{row.same}  other: {row.other or 'nothing'}  {row.segments}  "
                f"killed: {row.killed}, gone after {row.left_s:.1f} s",
                flush=True,
            )


def followed(out: Path) -> list[tuple[object, ...]]:
    """What was followed frame by frame; the highest score of each note to four digits."""
    with closing(sqlite3.connect(out / STORE)) as database:
        return database.execute(
            "SELECT uri, camera, start_s, round(end_s, 6), start_us, end_us, joined, frames,"
            " height, width, bar, round(peak, 4), x1, y1, x2, y2, packed FROM trace"
            " ORDER BY uri, start_us, rowid"
        ).fetchall()


def workers(engine: str) -> list[str]:
    """Words of the command."""
    return ["--workers", "2", "--engine", engine]


def clip(path: Path, number: int) -> None:
    """Write a clip that is like no other."""
    # 1.3 to 2.2 of its own width a second, at one of nine heights.
    pace = 1.3 + number // EVERY % 10 / 10
    passes = (sliding("officer", 0.2, 0.4 + number // EVERY % 9 / 40, 0.1, pace),)
    day = Simulation(scene("garden", SIZE), number, CLIP_S, passes if number % EVERY == 2 else ())
    with VideoWriter(path, SIZE, day.fps) as video:
        for index, shot in enumerate(day.shots()):
            video.write(shot.image, index / day.fps)
    # No two began at once.
    os.utime(path, (1.7e9 + 60 * number, 1.7e9 + 60 * number))


@dataclass
class Done:
    """How a command ended."""

    code: int
    wall_s: float
    cpu_s: float
    killed: int = 0
    left_s: float = 0.0


def run(
    words: Sequence[object], told: Path, out: Path | None = None, disturb: Disturb | None = None
) -> Done:
    """Run a command until it and all that it started are gone."""
    mark = uuid.uuid4().hex
    command = [sys.executable, "-c", "from app.cli import main; main()", *map(str, words)]
    began, used, killed = time.monotonic(), dict[int, float](), 0
    with told.open("w") as stdout:
        process = subprocess.Popen(command, stdout=stdout, env={**os.environ, _MARK: mark})
        while process.poll() is None:
            used |= cpu_of(mark)
            if disturb is not None and out is not None and not killed:
                killed = int(disturb(out, process))
            time.sleep(0.25)
    ended = time.monotonic()
    while cpu_of(mark):
        if time.monotonic() - ended > GONE_S:
            sys.exit(f"{words}: processes of it are still there after {GONE_S:.0f} s")
        time.sleep(0.1)
    left_s = time.monotonic() - ended if killed else 0.0
    return Done(process.returncode, ended - began, sum(used.values()), killed, left_s)


def a_worker(out: Path, process: subprocess.Popen[bytes]) -> bool:
    """Kill whoever is in the middle of a segment."""
    del process
    for part in at_work(out):
        with suppress(OSError, ValueError):
            os.kill(int((part / ".nomaly-process").read_text()), signal.SIGKILL)
            return True
    return False


def the_command(out: Path, process: subprocess.Popen[bytes]) -> bool:
    """Kill the command itself while somebody is in the middle of a segment."""
    if at_work(out):
        process.kill()
        return True
    return False


def at_work(out: Path) -> list[Path]:
    """Folders of parts that were looked at for some frames."""
    found = []
    for part in sorted((out / "parts").glob("[0-9]*")):
        with suppress(OSError, ValueError, IndexError):
            if int((part / "beat").read_text().split()[1]) > AT_WORK:
                found.append(part)
    return found


if __name__ == "__main__":
    main()
