"""Kills a watch with SIGKILL at random moments, and looks at what is left.

A real process watches a file at its own pace: something stands there almost to the end, other
things come and go. After every kill the database must be whole and hold every event that a sink was
told; the same command then goes on. At the end no message may have come twice, and nothing may be
left that nobody speaks of.

    python -m benchmarks.watch_kills [--kills 50] [--seconds 150] [--longest 20] [--seed 0]
        [--forked] [--model mog2]
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from app.demo.footage import write_footage
from tests.app.watch_kills import LEARN_S, Case, Tally, kill_at_random, long_stay, start_forked


def start(words: list[str], stderr: Path) -> subprocess.Popen[bytes]:
    """Start the command as a user does, in an interpreter of its own."""
    nomaly = Path(sys.executable).with_name("nomaly")
    with stderr.open("wb") as said:
        return subprocess.Popen(
            [sys.executable, str(nomaly), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )


def show(tally: Tally) -> None:
    """Tell how far it has come."""
    print(json.dumps(tally.as_json()), file=sys.stderr, flush=True)


def main() -> None:
    """Kill, count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=150.0, help="of the file")
    parser.add_argument("--longest", type=float, default=20.0, help="seconds to the latest kill")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="padim", help="of the detector")
    parser.add_argument(
        "--forked", action="store_true", help="processes that need not import torch again"
    )
    arguments = parser.parse_args()
    tally, rng, began = Tally(), random.Random(arguments.seed), time.monotonic()  # noqa: S311
    with tempfile.TemporaryDirectory() as name:
        clip = Path(name, "clip.mp4")
        write_footage(long_stay(arguments.seconds), clip)
        normally = ("--learn", f"{LEARN_S:g}", "--detector-model", arguments.model)
        for number in range(arguments.kills):
            folder = Path(name, f"case{number}")
            folder.mkdir()
            begin = start_forked if arguments.forked else start
            case = Case(folder, clip, begin, tally, normally)
            left = arguments.kills - tally.kills
            kill_at_random(case, rng, left, arguments.longest, partial(show, tally))
            if tally.kills >= arguments.kills:
                break
    told = tally.as_json() | {"seconds": round(time.monotonic() - began)}
    for what, value in told.items():
        print(f"{what:<24} {value}")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
