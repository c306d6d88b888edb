"""How much of the detector's speed is left in the whole audit, and does memory grow with length?

Audits `vtest.avi` (Debian opencv-doc; 795 frames of a busy yard), every frame, twice: with its own
first 15 s as normal, and with an empty yard (the median of its frames) as normal, which makes an
event of everybody who walks by. The detector's own rate is measured inside the same run. Memory is
the peak of the whole process, for the video and for the video three times over.

    python -m benchmarks.audit [--json]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from app.media.video import VideoWriter
from app.sources.open import open_recording
from detectors.types import Pixels

VTEST = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
FPS = 10


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    arguments = parser.parse_args()
    if not VTEST.exists():
        sys.exit(f"{VTEST} is missing: apt-get install opencv-doc")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frames = [frame.image for frame in open_recording(str(VTEST)).frames()]
        empty = write(folder / "empty.mp4", empty_yard(frames))
        thrice = write(folder / "thrice.mp4", iter(frames * 3))
        own = run(folder / "own", VTEST, "--normal-first", "15")
        crowd = run(folder / "crowd", VTEST, "--normal", str(empty))
        long = run(folder / "long", thrice, "--normal-first", "15")
    rows = {"own footage as normal": own, "empty yard as normal": crowd, "three times over": long}
    if not arguments.json:
        print("                       frames  events  audit/s  detector/s  ratio  peak MiB")
        for label, row in rows.items():
            print(
                f"{label:<22} {row['frames']:>6}  {row['events']:>6}  {row['fps']:>7.1f}"
                f"  {row['detector_fps']:>10.1f}  {row['ratio']:>5.2f}  {row['peak_mib']:>8.0f}"
            )
    result = {
        "ratio": own["ratio"],
        "ratio_crowd": crowd["ratio"],
        "peak_mib": own["peak_mib"],
        "peak_mib_thrice": long["peak_mib"],
    }
    print(json.dumps(result))


def run(out: Path, video: Path, *normal: str) -> dict[str, float]:
    """One audit in a process of its own."""
    command = [str(Path(sys.executable).with_name("nomaly")), "audit", str(video), *normal]
    command += ["--every-frame", "--out", str(out), "--json", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        told = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed")
    result = json.loads(told.splitlines()[-1])
    return {
        "frames": result["frames"],
        "events": len(result["events"]),
        "fps": result["fps"],
        "detector_fps": result["detector_fps"],
        "ratio": round(result["fps"] / result["detector_fps"], 3),
        "peak_mib": round(usage.ru_maxrss / 1024),
    }


def empty_yard(frames: list[Pixels]) -> Iterator[Pixels]:
    """Noisy medians of random frames: nobody is in them."""
    draw = np.random.default_rng(0)
    some = np.stack(frames[::10])
    for _ in range(60):
        still = np.median(some[draw.choice(len(some), 25, replace=False)], axis=0)
        yield np.clip(still + draw.normal(0, 2, still.shape), 0, 255).astype(np.uint8)


def write(path: Path, frames: Iterator[Pixels]) -> Path:
    """Write a video at FPS frames a second."""
    first = next(frames)
    with VideoWriter(path, first.shape[:2], FPS) as writer:
        writer.write(first, 0.0)
        for number, frame in enumerate(frames, start=1):
            writer.write(frame, number / FPS)
    return path


if __name__ == "__main__":
    main()
