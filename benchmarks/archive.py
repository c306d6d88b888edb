"""What several workers cost and bring, and whether they find the same, also when one is killed.

A simulated recording (160 x 90, 5 frames/s, one thing lies across a cut, others pass) is audited
by one process, by two workers of this machine, by two actors of Ray, and by two workers of which
one is killed (-9) while its segment is under way. Then many clips of 3 s, most of them without
anything, by one process and by two actors. Results are compared to the byte: events.jsonl, all rows
of events, their candidates, sightings, vectors and seconds, and all pictures. CPU is that of all
processes that a run started, seen every quarter second.

    python -m benchmarks.archive [--seconds 300] [--clips 40] [--engines local ray] [--json]
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

from app.events.media import MEDIA
from app.events.schema import STORE
from app.media.video import VideoWriter
from app.simulator.simulation import Simulation
from app.simulator.things import Thing, lying, sliding
from app.simulator.views import scene

SIZE = (90, 160)
CLIP_S = 3.0
EVERY = 40
"""One clip of so many shows something."""
TABLES = ("event", "candidate", "sighting", "vector", "ballot", "signature", "second", "gap")
_MARK = "NOMALY_BENCHMARK"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Row:
    """One run."""

    name: str
    wall_s: float
    cpu_s: float
    frames: int
    events: int
    same: bool
    segments: str = ""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--engines", nargs="*", default=["local", "ray"])
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rows = measured(Path(name), asked.seconds, asked.clips, asked.engines, asked.json)
    print(json.dumps({"rows": [asdict(row) for row in rows]}))


def measured(
    folder: Path, seconds: float, clips: int, engines: Sequence[str], quiet: bool
) -> list[Row]:
    """Make the footage and run everything."""
    rows: list[Row] = []

    def keep(row: Row) -> None:
        rows.append(row)
        if not quiet:
            print(
                f"{row.name:<28} wall {row.wall_s:6.1f} s  CPU {row.cpu_s:6.1f} s"
                f"  {row.frames:>6} frames  {row.events:>4} events  same: {row.same}"
                f"  {row.segments}",
                flush=True,
            )

    normal = film(folder / "normal.mp4", 30.0)
    run(["fit", normal, "--out", folder / "detector"], folder)
    if seconds:
        video = film(folder / "long.mp4", seconds, things(seconds))
        first = audited(folder, "one", [video])
        keep(first)
        for engine in engines:
            keep(audited(folder, f"2 {engine}", [video], engine))
        keep(audited(folder, "2 local, one killed", [video], "local", kill_one))
    if clips:
        many = folder / "clips"
        many.mkdir()
        for number in range(clips):
            passes = (sliding("officer", 0.2, 0.5, 0.4, 1.6),) if number % EVERY == 20 else ()
            clip = film(many / f"{number:04d}.mp4", CLIP_S, passes)
            # No two began at once.
            os.utime(clip, (1.7e9 + 60 * number, 1.7e9 + 60 * number))
        keep(audited(folder, "clips, one", [many]))
        for engine in engines:
            keep(audited(folder, f"clips, 2 {engine}", [many], engine))
    return rows


def things(seconds: float) -> tuple[Thing, ...]:
    """What happens in the long recording: somebody every 47 s, and something across a cut."""
    passing = [sliding("officer", 0.2, 0.5, at, 1.2) for at in range(30, int(seconds) - 10, 47)]
    return (*passing, lying("dahlia", 0.2, (0.3, 0.7), seconds / 2 - 25, seconds / 2 + 20))


def film(path: Path, seconds: float, what: tuple[Thing, ...] = ()) -> Path:
    """Write a recording of the garden."""
    day = Simulation(scene("garden", SIZE), 3, seconds, what)
    with VideoWriter(path, SIZE, day.fps) as video:
        for number, shot in enumerate(day.shots()):
            video.write(shot.image, number / day.fps)
    return path


def audited(
    folder: Path,
    name: str,
    videos: Sequence[Path],
    engine: str = "",
    disturb: Callable[[Path], None] | None = None,
) -> Row:
    """Audit, and compare with what one process found."""
    clips = name.startswith("clips")
    out = folder / name.replace(" ", "-").replace(",", "")
    words = ["audit", *videos, "--detector", folder / "detector", "--out", out, "--no-draw"]
    words += ["--camera", "garden", "--quiet", "--json", *(["--each"] if clips else [])]
    words += ["--workers", "2", "--engine", engine] if engine else []
    wall_s, cpu_s, told = run(words, folder, (lambda: disturb(out)) if disturb else None)
    result = json.loads(told.splitlines()[-1])
    one = folder / ("clips-one" if clips else "one")
    segments = tried(out) if engine else ""
    events = len(result["events"])
    return Row(
        name, wall_s, cpu_s, result["frames"], events, contents(one) == contents(out), segments
    )


def run(
    words: Sequence[object], folder: Path, disturb: Callable[[], None] | None = None
) -> tuple[float, float, str]:
    """Run the command: wall and CPU seconds of it and all that it started, and what it printed."""
    mark = uuid.uuid4().hex
    command = [sys.executable, "-c", "from app.cli import main; main()", *map(str, words)]
    began, used = time.monotonic(), dict[int, float]()
    told = folder / "told"
    with told.open("w") as stdout:
        process = subprocess.Popen(command, stdout=stdout, env={**os.environ, _MARK: mark})
        while process.poll() is None:
            used |= cpu_of(mark)
            if disturb is not None:
                disturb()
            time.sleep(0.25)
    if process.returncode:
        sys.exit(f"{words}: ended with {process.returncode}")
    return time.monotonic() - began, sum(used.values()), told.read_text()


def cpu_of(mark: str) -> dict[int, float]:
    """CPU seconds of all processes whose environment holds a mark."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            if mark.encode() in (place / "environ").read_bytes():
                fields = (place / "stat").read_text().rpartition(")")[2].split()
                found[int(place.name)] = (int(fields[11]) + int(fields[12])) / _TICKS
    return found


_killed: set[Path] = set()


def kill_one(out: Path) -> None:
    """Kill (-9) the first worker that has looked at some frames of its segment and is at it."""
    for part in sorted((out / "parts").glob("[0-9]*")):
        with suppress(OSError, ValueError, IndexError):
            if out not in _killed and int((part / "beat").read_text().split()[1]) > 100:
                os.kill(int((part / ".nomaly-process").read_text()), signal.SIGKILL)
                _killed.add(out)


def tried(out: Path) -> str:
    """How the segments went."""
    with closing(sqlite3.connect(out / STORE)) as database:
        count, tries = database.execute("SELECT COUNT(*), SUM(tries) FROM audit_segment").fetchone()
    return f"{count} segments, {tries} begun again"


def contents(out: Path, tables: Sequence[str] = TABLES) -> dict[str, object]:
    """Everything that must be the same."""
    found: dict[str, object] = {"events.jsonl": (out / "events.jsonl").read_bytes()}
    with closing(sqlite3.connect(out / STORE)) as database:
        for table in tables:
            found[table] = sorted(map(repr, database.execute(f"SELECT * FROM {table}")))  # noqa: S608
    for kind in MEDIA:
        found[kind] = {file.name: file.read_bytes() for file in (out / kind).iterdir()}
    return found


if __name__ == "__main__":
    main()
