"""Kills rating through gpt_batch_api after every single save point, and at random moments.

A point is every rename and deletion of a file, the moments before and after every commit of the
rating store, and every upload, creation of a batch and deletion at the provider. After each kill
the same command runs again; its ratings must be those of an undisturbed run, and nothing may have
been paid for twice. The provider is a server on this machine (tests/peers/llm_server.py).

    python -m benchmarks.kill_points [--backend batch|direct] [--random N] [--json]
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.peers.llm_server import llm_server
from tests.scenarios.llm.killing import (
    DIGITS,
    Case,
    Launcher,
    fresh,
    kill_at_point,
    kill_at_random,
    launcher,
)
from tests.scenarios.llm.rate_script import Kind, Order
from tests.scenarios.llm.test_kills import FAULTS, MANY, undisturbed

NOUNS = 24
IN_A_BATCH = 6


def main() -> None:
    """Kill, count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=("batch", "direct"), default="batch")
    parser.add_argument("--random", type=int, default=50, help="kills at random moments")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    arguments = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name, launcher(arguments.backend, Path(name)) as launch:
        told = {"backend": arguments.backend}
        told |= every_point(launch, Path(name), loud=not arguments.json)
        told |= random_moments(launch, Path(name), arguments.backend, arguments.random)
    told["seconds"] = round(time.monotonic() - started)
    if not arguments.json:
        for what, value in told.items():
            print(f"{what:<24} {value}")
    print(json.dumps(told))


def every_point(launch: Launcher, folder: Path, *, loud: bool) -> dict[str, object]:
    """Kill after the first, the second, the third point and so on."""
    faults: Counter[str] = Counter()
    points, twice = 0, 0
    while True:
        with llm_server(DIGITS) as server:
            case = Case(server, Order(str(fresh(folder / "case")), server.url, NOUNS, IN_A_BATCH))
            try:
                if not kill_at_point(case, launch, points + 1):
                    break
            except AssertionError as error:
                faults[str(error).strip() or "other ratings"] += 1
                if loud:
                    print(f"point {points + 1}: {error}")
            points += 1
            if loud:
                print(f"point {points}: paid twice {case.paid_twice()}", flush=True)
            twice = max(twice, case.paid_twice())
    return {
        "points": points,
        "complete": points - faults.total(),
        "most_paid_twice_per_kill": twice,
    }


def random_moments(launch: Launcher, folder: Path, kind: Kind, kills: int) -> dict[str, object]:
    """Kill at random moments while the server misbehaves in every way it knows."""
    if not kills:
        return {}
    done, cases, twice, over, same = 0, 0, 0, 0, 0
    whole = undisturbed(launch, folder, IN_A_BATCH)
    longest_s = 1.0 if kind == "batch" else 0.5
    while done < kills:
        with llm_server(DIGITS) as server:
            server.faults = FAULTS
            order = Order(str(fresh(folder / f"random{cases}")), server.url, MANY, IN_A_BATCH)
            case = Case(server, order)
            kill_at_random(case, launch, kills - done, longest_s)
            done, cases = done + case.kills, cases + 1
            twice, over = twice + case.paid_twice(), over + case.overpaid()
            same += case.scores() == whole
    return {
        "random_kills": done,
        "runs": cases,
        "same_scores": same,
        "paid_twice": twice,
        "paid_twice_not_in_flight": over,
    }


if __name__ == "__main__":
    main()
