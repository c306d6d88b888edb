"""Many cameras in one process: what each takes of the machine, how late it is, how soon it stops.

Each camera is a file of the demo, played at its own pace, 5 frames a second, with a detector that
was fitted before. Ages of frames are those of the board, when they have been looked at.

    python -m benchmarks.site_cameras [--cameras 1 4 8] [--seconds 30] [--batches] [--json]

`--batches` measures instead whether frames of several cameras go faster through their network
together.
"""

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

from app.demo.footage import write_footage
from app.progress import Reporter
from app.service.service import SiteService
from app.watching.board import AGES_S, Board
from detectors.configs import PadimConfig
from detectors.features.extractors import ExtractorKey, Extractors
from tests.app.short_watch import LEARN_S, short_plan


def main() -> None:
    """Measure, and print a line for each number of cameras."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--batches", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    figures = batches() if asked.batches else sites(asked.cameras, asked.seconds)
    for one in figures:
        print(json.dumps(one) if asked.json else "  ".join(f"{k} {v}" for k, v in one.items()))


def sites(counts: list[int], seconds: float) -> list[dict[str, Any]]:
    """Figures for each number of cameras, each in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_footage(short_plan(), folder / "clip.mp4")
        words = ["fit", "clip.mp4", "--seconds", f"{LEARN_S:g}", "--out", "detector", "--quiet"]
        nomaly = Path(sys.executable).with_name("nomaly")
        subprocess.run([nomaly, *words], cwd=folder, check=True)
        return [alone(folder, count, seconds) for count in counts]


def alone(folder: Path, count: int, seconds: float) -> dict[str, Any]:
    """Measure in a fresh process: what film and fit left in memory is none of the cameras'."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as one:
        return one.submit(measured, folder, count, seconds).result()


def measured(folder: Path, count: int, seconds: float) -> dict[str, Any]:
    """Watch so many cameras for a while."""
    for number in range(count):
        shutil.copy(folder / "clip.mp4", folder / f"c{number}.mp4")
    cameras = "".join(f"  c{number}: {{source: c{number}.mp4}}\n" for number in range(count))
    path = folder / f"{count}.yaml"
    head = f"version: 1\nsite: s{count}\ndefaults: {{detector: detector, heartbeat: 0}}\ncameras:\n"
    path.write_text(head + cameras)
    service = SiteService(path, Reporter(quiet=True), lambda _: None)
    with service:
        wait_for_all(service.board, count)
        before, began_s = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
        looked = sum(one.doing().frames for one in service.board.stations())
        time.sleep(seconds)
        doing = [one.doing() for one in service.board.stations()]
        after, took_s = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - began_s
        threads, rss = threading.active_count(), resident_mb()
        end_s = time.monotonic()
    stopped_s = time.monotonic() - end_s
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    frames = sum(one.frames for one in doing) - looked
    return {
        "cameras": count,
        "fps": round(frames / took_s / count, 2),
        "p95_age_s": at_most(np.sum([one.ages for one in doing], 0), 0.95),
        "cpu_ms_a_frame": round(1000 * cpu_s / max(1, frames), 1),
        "cores": round(cpu_s / took_s, 2),
        "rss_mb": rss,
        "threads": threads,
        "stop_s": round(stopped_s, 2),
        "load": round(os.getloadavg()[0], 1),
    }


def wait_for_all(board: Board, count: int) -> None:
    """Wait until every camera has been looked at."""
    until_s = time.monotonic() + 120
    while sum(one.doing().frames > 0 for one in board.stations()) < count:
        if time.monotonic() > until_s:
            raise RuntimeError("not all cameras are watched after two minutes")
        time.sleep(0.1)


def at_most(counts: np.ndarray, share: float) -> str:
    """The bound of the class up to which such a share of the ages lies."""
    place = int(np.searchsorted(np.cumsum(counts), share * counts.sum()))
    return f"<= {AGES_S[place]:g}" if place < len(AGES_S) else f"> {AGES_S[-1]:g}"


def resident_mb() -> int:
    """Memory that the process holds just now, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def batches() -> list[dict[str, Any]]:
    """Milliseconds a frame of the usual detector's network, one by one and together."""
    from novic.runtime import OpenVinoRuntime

    config = PadimConfig()
    key = ExtractorKey(config.backbone, tuple(range(40)), (288, 512), torch.device("cpu"))
    runtime = Extractors().extractor(key).runtime
    if not isinstance(runtime, OpenVinoRuntime):
        return [{"runtime": runtime.name, "says": "measured with OpenVINO alone"}]
    pictures = np.random.default_rng(0).integers(0, 255, (8, 288, 512, 3), dtype=np.uint8)
    found = []
    for together in (1, 2, 4, 8, 1):
        best = float("inf")
        for _ in range(20):
            began = time.perf_counter()
            for first in range(0, 8, together):
                runtime._compiled(pictures[first : first + together])
            best = min(best, time.perf_counter() - began)
        found.append({"together": together, "ms_a_frame": round(1000 * best / 8, 2)})
    return found


if __name__ == "__main__":
    main()
