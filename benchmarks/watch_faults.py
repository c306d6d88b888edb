"""A watch of a real camera under every fault at once: what is told, kept, and looked at.

An MJPEG camera shows a still view into which something comes every 15 s for 6 s. While
`nomaly watch` looks, its pictures change in size, it drops ten times for 5 s, the disk is full for
a minute (a tmpfs), another program locks the store for 30 s, the watch is killed in an outage and
started again, its stdout is closed, and it ends by SIGHUP.

    python -m benchmarks.watch_faults [--pace 1.0] [--json]

Needs the right to mount a tmpfs. `--pace 0.2` makes all faults shorter.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from app.events.reading import snapshot
from app.events.schema import STORE
from detectors.types import Pixels
from tests.locked_store import locked
from tests.peers.http_peers import MjpegCamera, mjpeg_camera
from tests.small_disk import full

LEARN_S = 8
EVERY_S, LASTS_S = 15.0, 6.0
SIZE, SMALL = (240, 320), (120, 160)
DROPS = 10
STATES = ("opened", "updated", "closed")


@dataclass
class Scene:
    """A still view with a bright thing that comes and goes, by the clock."""

    quiet_until_s: float = float("inf")
    small: bool = False
    view: Pixels = field(
        default_factory=lambda: (
            np.random.default_rng(0)
            .integers(60, 120, (SIZE[0] // 8, SIZE[1] // 8, 3))
            .astype(np.uint8)
            .repeat(8, 0)
            .repeat(8, 1)
        )
    )

    def __call__(self, _: int) -> Pixels:
        """The picture of now."""
        image = self.view.copy()
        since_s = time.monotonic() - self.quiet_until_s
        if since_s > 0 and since_s % EVERY_S < LASTS_S:
            left = 30 + 60 * (int(since_s // EVERY_S) % 4)
            image[90:140, left : left + 50] = (250, 240, 60)
        return np.ascontiguousarray(image[::2, ::2]) if self.small else image


class Watched:
    """The camera, the watch of it, and when the camera was there."""

    def __init__(self, camera: MjpegCamera, folder: Path, disk: Path) -> None:
        self.camera = camera
        self.out = disk / "hall"
        self.away: list[tuple[int, int]] = []
        self._heard = folder / "heard.jsonl"
        self._start()

    def _start(self) -> None:
        words = ["watch", self.camera.url, "--learn", str(LEARN_S), "--out", str(self.out)]
        # Faults are measured here, not speed: two small pictures a second.
        words += ["--json", "--fps", "2", "--detector-setting", "passes=40"]
        words += ["--detector-setting", "longer_side=160"]
        command = [str(Path(sys.executable).with_name("nomaly")), *words]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        with self._heard.open("ab") as heard:
            self.listener = subprocess.Popen(["cat"], stdin=self.process.stdout, stdout=heard)
        if self.process.stdout is not None:
            # The listener alone holds its end now, and closes it when it is killed.
            self.process.stdout.close()

    def go_on(self) -> None:
        """Kill the watch and give the same command again."""
        self.process.kill()
        self.process.wait()
        self.listener.wait()
        self._start()

    @property
    def told(self) -> list[dict[str, Any]]:
        """All that was heard on stdout, but for a line that a kill tore."""
        *lines, _torn = self._heard.read_bytes().split(b"\n")
        return [json.loads(line) for line in lines if line.endswith(b"}")]

    def wait_for_frames(self, more_than: int = 0) -> None:
        """Wait until the store counts more frames."""
        while self.frames() <= more_than:
            if self.process.poll() is not None:
                raise SystemExit("the watch has ended")
            time.sleep(0.2)

    def frames(self) -> int:
        """Frames that the store counts."""
        if not (self.out / STORE).exists():
            return 0
        with snapshot(self.out) as store:
            run = store.last_run()
            return sum(source.frames for source in store.sources(run.id)) if run else 0

    @contextmanager
    def lost(self) -> Iterator[None]:
        """The camera is away."""
        began_us = now_us()
        self.camera.cut.set()
        yield
        self.camera.cut.clear()
        self.away.append((began_us, now_us()))


def main() -> None:
    """Disturb, wait for the end, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pace", type=float, default=1.0, help="length of all faults, a factor")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, tmpfs(Path(name)) as disk, mjpeg_camera() as camera:
        scene = Scene()
        camera.shows = scene
        watched = Watched(camera, Path(name), disk)
        began_us = disturbed(watched, scene, arguments.pace)
        told = counted(watched, began_us, now_us())
    if not arguments.json:
        for what, value in told.items():
            print(f"{what:<28} {value}")
    print(json.dumps(told))


def disturbed(watched: Watched, scene: Scene, pace: float) -> int:
    """Every fault after the other; returns when watching began, UTC in microseconds."""

    def wait(seconds: float) -> None:
        time.sleep(seconds * pace)

    watched.wait_for_frames()
    began_us = now_us()
    scene.quiet_until_s = time.monotonic()
    wait(15)
    scene.small = True
    wait(15)
    scene.small = False
    for _ in range(DROPS):
        with watched.lost():
            wait(5)
        wait(10)
    with full(watched.out.parent):
        wait(60)
    wait(20)
    with locked(watched.out):
        wait(30)
    wait(20)
    before = watched.frames()
    with watched.lost():
        wait(3)
        watched.go_on()
        wait(3)
    watched.wait_for_frames(before)
    wait(15)
    watched.listener.kill()
    wait(20)
    watched.process.send_signal(signal.SIGHUP)
    watched.process.wait(120)
    return began_us


def counted(watched: Watched, began_us: int, ended_us: int) -> dict[str, object]:
    """What was told, kept and looked at, in seconds since the source's start."""
    with snapshot(watched.out) as store:
        run = store.run(1)
        (source,) = store.sources(run.id)
        start_us = source.start_us or 0
        events = {event.id: event for event in store.events(run.id)}
        looked = {second for second, _ in store.seconds(run.id, source.uri)}
        gaps = [(gap["start_us"], gap["end_us"] or ended_us) for gap in store.gaps(run.id)]
        notes = [note.text for note in store.notes(run.id)]

    def during(second: int, stretches: list[tuple[int, int]]) -> bool:
        at_us = start_us + second * 10**6
        return any(start < at_us + 10**6 and at_us < end for start, end in stretches)

    seconds = range((began_us - start_us) // 10**6 + 1, (ended_us - start_us) // 10**6)
    there = [second for second in seconds if not during(second, watched.away)]
    blind = [second for second in seconds if second not in looked]
    unsaid = [second for second in blind if not during(second, gaps)]
    states = [told for told in watched.told if told.get("event") in STATES]
    lines = [json.loads(line) for line in (watched.out / "events.jsonl").read_text().splitlines()]
    return {
        "exit_code": watched.process.returncode,
        "state": run.state,
        "seconds": len(seconds),
        "camera_there_s": len(there),
        "looked_at_share": round(sum(second in looked for second in there) / len(there), 3),
        "blind_s": len(blind),
        "blind_s_not_in_report": len(unsaid),
        "gaps": len(gaps),
        "events": len(events),
        "states_told": len(states),
        "told_but_not_kept": len({told["id"] for told in states} - events.keys()),
        "open_at_the_end": sum(event.state != "closed" for event in events.values()),
        "lines_equal_store": lines == [event.as_json() for event in events.values()],
        "report": (watched.out / "report.html").exists(),
        "notes": notes,
    }


@contextmanager
def tmpfs(folder: Path) -> Iterator[Path]:
    """A small disk of its own."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def now_us() -> int:
    """UTC in microseconds."""
    return time.time_ns() // 1000


if __name__ == "__main__":
    main()
