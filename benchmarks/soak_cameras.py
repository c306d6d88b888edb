"""Several RTSP cameras in one service: how late, how much memory and processor, for how long.

GStreamer's server shows each camera the same film, 640x480 at 5 frames a second, without end: 70 s
of an empty room, then two things one after the other. Each camera is elsewhere in it, as those of a
site are; with `--together` all are at the same place and ring at the same moments, the worst there
is. The detector was fitted before, names are those of the starter model. A webhook that nobody
answers is among the sinks: what waits for it is counted. Ages are those of the board.

    python -m benchmarks.soak_cameras [--cameras 8] [--minutes 10] [--together] [--json]

Needs GStreamer's server, as `tests/peers/camera.py` says.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import av
import numpy as np

from app.demo.footage import write_footage
from app.events.schema import read_database
from app.progress import Reporter
from app.service.service import SiteService
from benchmarks.site_cameras import at_most, wait_for_all
from benchmarks.soak_reconnect import child_pids, rss_mb, spread
from detectors.types import Pixels
from tests.app.short_watch import LEARN_S, short_plan
from tests.peers.camera import RtspCamera, encoded, write_units

FPS = 5
EMPTY_TIMES = 5
"""The empty stretch is shown so often before the things come."""
EVERY_S = 10.0
WARM_S = 90.0
"""What memory grows by in so long at first is not counted as growth."""
_TICKS = os.sysconf("SC_CLK_TCK")
CAMERAS = 8


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=CAMERAS)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--together", action="store_true", help="all show the same at each moment")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        films = prepare(folder, 1 if asked.together else asked.cameras)
        servers = [shown(film, stack) for film in films]
        urls = [servers[one % len(servers)] for one in range(asked.cameras)]
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as one:
            told = one.submit(measured, folder, urls, asked.minutes).result()
    if not asked.json:
        for what, value in told.items():
            print(f"{what:<22} {value}")
    print(json.dumps(told))


def shown(film: Path, stack: ExitStack) -> str:
    """Show a film until the stack ends; its address."""
    folder = film.with_suffix("")
    folder.mkdir()
    server = RtspCamera(os.environ.get("GST_PYTHON", "/usr/bin/python3"), film, folder)
    server.start()
    stack.callback(server.stop)
    return server.url


def prepare(folder: Path, count: int) -> list[Path]:
    """Make a detector that knows the empty room, and the film, begun at so many places."""
    write_footage(short_plan(), folder / "clip.mp4")
    words = ["fit", "clip.mp4", "--seconds", f"{LEARN_S:g}", "--out", "detector", "--quiet"]
    nomaly = Path(sys.executable).with_name("nomaly")
    subprocess.run([nomaly, *words], cwd=folder, check=True)
    film = list(pictures(folder / "clip.mp4"))
    paths = [folder / f"film{number}.au" for number in range(count)]
    for number, path in enumerate(paths):
        start = number * len(film) // count
        whole = [av.VideoFrame.from_ndarray(one) for one in [*film[start:], *film[:start]]]
        write_units(path, encoded(iter(whole), FPS))
    return paths


def pictures(clip: Path) -> Iterator[Pixels]:
    """The film's frames, RGB uint8 [H, W, 3]."""
    with av.open(str(clip)) as container:
        rate = round(float(container.streams.video[0].average_rate or 25))
        whole = [one.to_ndarray(format="rgb24") for one in container.decode(video=0)][
            :: rate // FPS
        ]
    empty = whole[: int(LEARN_S * FPS)]
    yield from (np.asarray(one, np.uint8) for one in [*(empty * EMPTY_TIMES), *whole[len(empty) :]])


def measured(folder: Path, urls: Sequence[str], minutes: float) -> dict[str, Any]:
    """Watch cameras for so long, and look every 10 s."""
    count = len(urls)
    path, late_s, told = folder / "site.yaml", list[float](), Counter[str]()
    speaking = threading.Lock()

    def tell(message: dict[str, Any]) -> None:
        with speaking:
            told[message["event"]] += 1
            if message["event"] == "opened":
                late_s.append((time.time_ns() // 1000 - message["end_us"]) / 1e6)

    cameras = "".join(f"  c{one}: {{source: '{url}?c{one}'}}\n" for one, url in enumerate(urls))
    path.write_text(
        "version: 1\nsite: s\ndefaults: {detector: detector, fps: 5, heartbeat: 0}\n"
        f"sinks: ['webhook:http://127.0.0.1:9/x', 'jsonl:all.jsonl']\ncameras:\n{cameras}"
    )
    with SiteService(path, Reporter(quiet=True), tell) as service:
        wait_for_all(service.board, count)
        looks = [look(service)]
        began_s = time.monotonic()
        while time.monotonic() - began_s < 60 * minutes:
            time.sleep(EVERY_S)
            looks.append(look(service))
            one = looks[-1]
            shown = (one["at_s"] - looks[0]["at_s"], one["rss_mb"], one["frames"], one["load"])
            print(*(round(value, 1) for value in shown), file=sys.stderr, flush=True)
        end_s = time.monotonic()
    stopped_s = time.monotonic() - end_s
    return summed(looks, count) | {
        "told": dict(told),
        "capture_to_told_s": spread(late_s) if late_s else {},
        "stop_s": round(stopped_s, 2),
        "outbox": waiting(folder / "s"),
    }


def look(service: SiteService) -> dict[str, Any]:
    """How all cameras and this process do just now."""
    doing = [one.doing() for one in service.board.stations()]
    pid = os.getpid()
    readers = [int(one) for one in child_pids(pid)]
    return {
        "at_s": time.monotonic(),
        "frames": sum(one.frames for one in doing),
        "dropped": sum(one.stats.dropped + one.skipped for one in doing),
        "ages": np.sum([one.ages for one in doing], 0),
        "age_sum_s": sum(one.age_sum_s for one in doing),
        "cpu_s": time.process_time(),
        "readers_cpu_s": sum(map(cpu_s, readers)),
        "rss_mb": rss_mb(pid),
        "readers_rss_mb": sum(map(rss_mb, readers)),
        "threads": threading.active_count(),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "load": os.getloadavg()[0],
    }


def cpu_s(pid: int) -> float:
    """Processor time of another process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def summed(looks: list[dict[str, Any]], count: int) -> dict[str, Any]:
    """All looks in a few figures."""
    first, last = looks[0], looks[-1]
    took_s = last["at_s"] - first["at_s"]
    frames = last["frames"] - first["frames"]
    ages = last["ages"] - first["ages"]
    warm = [one for one in looks if one["at_s"] - first["at_s"] >= min(WARM_S, took_s / 2)]
    slope = np.polyfit([one["at_s"] for one in warm], [one["rss_mb"] for one in warm], 1)[0]
    used_s = last["cpu_s"] - first["cpu_s"]
    readers_s = last["readers_cpu_s"] - first["readers_cpu_s"]
    return {
        "cameras": count,
        "seconds": round(took_s),
        "fps": round(frames / took_s / count, 2),
        "dropped": last["dropped"] - first["dropped"],
        "frames": frames,
        "age_mean_s": round((last["age_sum_s"] - first["age_sum_s"]) / max(1, frames), 3),
        "age_p50_s": at_most(ages, 0.5),
        "age_p95_s": at_most(ages, 0.95),
        "cpu_ms_a_frame": round(1000 * used_s / max(1, frames), 1),
        "readers_ms_a_frame": round(1000 * readers_s / max(1, frames), 1),
        "cores": round((used_s + readers_s) / took_s, 2),
        "rss_mb": [round(warm[0]["rss_mb"]), round(last["rss_mb"])],
        "rss_mb_an_hour": round(3600 * slope, 1),
        "readers_rss_mb": round(last["readers_rss_mb"]),
        "threads": [warm[0]["threads"], last["threads"]],
        "descriptors": [warm[0]["descriptors"], last["descriptors"]],
        "load": [round(one["load"], 1) for one in looks[:: max(1, len(looks) // 5)]],
    }


def waiting(site: Path) -> dict[str, float]:
    """What waits for the webhook that nobody answers."""
    rows = events = size = 0
    for store in site.glob("*/events.sqlite"):
        with closing(read_database(store.parent)) as database:
            count, told, length = database.execute(
                "SELECT COUNT(*), COUNT(DISTINCT event_id), COALESCE(SUM(LENGTH(body)), 0)"
                " FROM outbox"
            ).fetchone()
        rows, events, size = rows + count, events + told, size + length
    return {
        "rows": rows,
        "events": events,
        "rows_an_event": round(rows / max(1, events), 1),
        "bytes_a_row": round(size / max(1, rows)),
    }


if __name__ == "__main__":
    main()
