"""Does the demo find what it placed, tell it rightly, and guess it, at several seeds?

python -m benchmarks.demo [--seeds 0 1 2] [--json]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Run the demos and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    arguments = parser.parse_args()
    rows = {}
    for seed in arguments.seeds:
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            rows[seed] = run(seed, Path(folder) / "demo")
            rows[seed]["wall_s"] = round(time.monotonic() - began, 1)
    keys = ("placed", "placed_wide", "found", "found_wide")
    keys += ("told", "told_right", "named_top1", "named_top3")
    total = {key: sum(row[key] for row in rows.values()) for key in (*keys, "false_events")}
    if not arguments.json:
        print("seed  " + "  ".join(keys) + "  false  normal s  wall s")
        for seed, row in rows.items():
            figures = "  ".join(f"{row[key]:>{len(key)}}" for key in keys)
            print(
                f"{seed:>4}  {figures}  {row['false_events']:>5}"
                f"  {row['normal_seconds']:>8}  {row['wall_s']:>6}"
            )
    print(json.dumps({**total, "seeds": rows}))


def run(seed: int, out: Path) -> dict:
    """One demo in a process of its own."""
    command = [str(Path(sys.executable).with_name("nomaly")), "demo", "--seed", str(seed)]
    command += ["--out", str(out), "--json", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
