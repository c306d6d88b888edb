"""How long putting a store in order keeps others from the database, and what the disk gets back.

A store of 60 days: events with sightings, pictures and seconds. Half of it goes, in the steps that
a running watch takes, while another thread of the same process saves a note every 20 ms, as the
writer of a watch does.

    python -m benchmarks.retention [--events 20000] [--sightings 40] [--seconds 1000000]
"""

import argparse
import json
import os
import tempfile
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from app.events.giving_up import retain
from app.events.retention import RetentionRule
from app.events.schema import STORE, open_database
from app.events.store import Changes, SourceProgress, Store
from novic.database import transaction
from tests.app.events.findings import a_finding

DAYS, KEPT_DAYS = 60, 30
DAY_US = 86_400_000_000
FILES = 2000
"""Events that have a picture of 20 kB."""


def filled(folder: Path, events: int, sightings: int, seconds: int) -> None:
    """Make the store by copying one event."""
    start_us = int(datetime.now(UTC).timestamp() * 1e6) - DAYS * DAY_US
    with Store(folder) as store:
        run = store.begin_run("watch", {})
        source = SourceProgress("hall", "rtsp://hall", (60, 80), 0.0, 0.0, start_us=start_us)
        store.save(run.id, Changes(source, [a_finding()]))
    with closing(open_database(folder, 5.0)) as database, transaction(database):
        names: list[str] = [row[1] for row in database.execute("PRAGMA table_info(event)")]
        ours = {"id": "?", "start_us": "?", "end_us": "?"}
        values = ", ".join(ours.get(name, name) for name in names)
        times = [start_us + number * DAYS * DAY_US // events for number in range(events)]
        database.executemany(
            f"INSERT INTO event({', '.join(names)}) SELECT {values} FROM event LIMIT 1",  # noqa: S608
            [(f"{at_us:014x}-abc", at_us, at_us) for at_us in times],
        )
        database.executemany(
            "INSERT INTO sighting VALUES (?, ?, 1, 1, 5, 5, 1)",
            ((f"{at_us:014x}-abc", number) for at_us in times for number in range(sightings)),
        )
        step = DAYS * 86_400 // seconds
        database.executemany(
            "INSERT INTO second VALUES (1, 'rtsp://hall', ?, 0.5)",
            ((number * step,) for number in range(seconds)),
        )
    for at_us in times[:: max(1, events // FILES)]:
        (folder / "snapshots" / f"{at_us:014x}-abc.jpg").write_bytes(bytes(20_000))


def main() -> None:
    """Fill, put in order, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--sightings", type=int, default=40)
    parser.add_argument("--seconds", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, over, waits = Path(name), threading.Event(), list[float]()
        filled(folder, arguments.events, arguments.sightings, arguments.seconds)
        before = (folder / STORE).stat().st_size

        def save() -> None:
            with Store(folder) as store:
                while not over.wait(0.02):
                    began = time.monotonic()
                    store.add_note(1, "a note")
                    waits.append(time.monotonic() - began)

        writer = threading.Thread(target=save)
        writer.start()
        rule, began = RetentionRule(days=KEPT_DAYS, gigabytes=None), time.monotonic()
        done = retain(folder, rule, pause=lambda: over.wait(0.01))
        lasted_s = time.monotonic() - began
        over.set()
        writer.join()
        told = {
            "events": done.events,
            "rows": done.rows,
            "files": sum(done.files.values()),
            "seconds": round(lasted_s, 1),
            "held_most_ms": round(1e3 * done.longest_s, 1),
            "load": round(os.getloadavg()[0], 1),
            "saves": len(waits),
            "save_median_ms": round(1e3 * float(np.median(waits)), 2),
            "save_p99_ms": round(1e3 * float(np.percentile(waits, 99)), 1),
            "save_most_ms": round(1e3 * max(waits), 1),
            "database_mb_before": round(before / 1e6, 1),
            "database_mb_after": round((folder / STORE).stat().st_size / 1e6, 1),
        }
    for what, value in told.items():
        print(f"{what:<24} {value}")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
