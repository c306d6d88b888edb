"""How soon a site is looked at, in seconds of the processor.

A process of its own for each time: from its first line to the moment at which every camera was
looked at. The cameras are a file of the demo, with a page beside them. The first time nothing is
kept in the cache.

    python -m benchmarks.starting [--cameras 2] [--times 3]
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from app.demo.footage import write_footage
from tests.app.short_watch import LEARN_S, short_plan
from tests.peers.camera import free_port

CHILD = """
import os, resource, signal, sys, threading, time
began = time.monotonic()
from pathlib import Path
from contextlib import ExitStack
try:
    from app.quick import importing
except ImportError:  # before there was one
    importing = ExitStack
with importing():
    from app.service.page import page_of
    from app.service.service import SiteService
    from app.service.serving import serve
from app.progress import Reporter
path, cameras = Path(sys.argv[1]), int(sys.argv[2])
service = SiteService(path, Reporter(quiet=True), lambda _: None)

def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

def look():
    while sum(one.doing().frames > 0 for one in service.board.stations()) < cameras:
        time.sleep(0.02)
    print(f"{cpu():.2f} {time.monotonic() - began:.2f}", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=look, daemon=True).start()
serve(service, lambda _: None, for_s=300, companions=[
    page_of(service.config, lambda _: None)
])
"""


def main() -> None:
    """Measure, and print a line for each time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=2)
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_footage(short_plan(), folder / "c0.mp4")
        words = ["fit", "c0.mp4", "--seconds", f"{LEARN_S:g}", "--out", "detector", "--quiet"]
        nomaly = Path(sys.executable).with_name("nomaly")
        subprocess.run([nomaly, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        for number in range(1, asked.cameras):
            shutil.copy(folder / "c0.mp4", folder / f"c{number}.mp4")
        cameras = "".join(f"  c{n}: {{source: c{n}.mp4}}\n" for n in range(asked.cameras))
        head = "version: 1\nsite: s\npage: {port: PORT}\ndefaults: {detector: detector}\ncameras:\n"
        (folder / "site.yaml").write_text(head.replace("PORT", str(free_port())) + cameras)
        for _ in range(asked.times):
            shutil.rmtree(folder / "s", ignore_errors=True)
            print(json.dumps(once(folder, asked.cameras)), flush=True)


def once(folder: Path, cameras: int) -> dict[str, float]:
    """Start the site once, with what was kept in the cache before."""
    words = [sys.executable, "-c", CHILD, str(folder / "site.yaml"), str(cameras)]
    env = {**os.environ, "NOMALY_HOME": str(folder / "home")}
    told = subprocess.run(words, env=env, check=True, capture_output=True, text=True).stdout
    cpu_s, wall_s = map(float, told.split())
    return {"cpu_s": cpu_s, "wall_s": wall_s, "load": round(os.getloadavg()[0], 1)}


if __name__ == "__main__":
    main()
