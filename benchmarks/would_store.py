"""What would-have-rung costs, and how well it names: the rest of `benchmarks.would`.

    python -m benchmarks.would_store --cache maps --scene terrace                # bytes, cost, week
    python -m benchmarks.would_store --cache maps --scene terrace --parts names

`bytes` and `cost` watch a clip of `benchmarks.would` once. `week` makes a camera-week of its store
by copying what is kept to other hours, and times the answers. `names` names a clip's events by the
starter, asks what another decoder would call them (the starter's weights with noise), and names the
same footage by that decoder in truth.
"""

import argparse
import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from app.events.reading import snapshot
from app.events.schema import STORE
from app.replaying.change import Change
from app.replaying.would import would
from app.watching import tracing
from app.watching.tracing import Tracing
from benchmarks.detector_runs import Options
from benchmarks.scenes import material
from benchmarks.would import Clip, bar_of, watch, zones_of
from detectors.types import Detection, Frame
from novic.bundle import load_bundle, save_bundle
from novic.device import resolve_device
from novic.intervals import wilson
from novic.kind_rules import KindRule
from novic.model import ModelOptions, load_model, starter_bundle_path

COPIES = 40
"""Of a clip's store in a week: with its 10 events or so, some 60 a day."""
WEEK_S = 7 * 86_400.0
NOISE = 0.03
"""Of a weight's spread, which makes another decoder."""
_TABLES = ("candidate", "sighting", "vector", "signature", "ballot")


def main() -> None:
    """Measure, and print a line for each part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--split", default="report")
    parser.add_argument("--scene", default="terrace")
    parser.add_argument("--number", type=int, default=0, help="of the clip")
    parser.add_argument("--parts", default="bytes,cost,week")
    parser.add_argument("--cache", type=Path, help="folder of detectors and maps")
    told = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    scenes = material(told.split).scenes
    options = Options(
        told.split, 0, tuple(scenes), told.cache, 1, "padim", {}, True, 4, 0, 0, ()
    )  # fmt: skip
    clip = Clip(options, told.scene, told.number)
    clip.detector.open(f"would-{clip.day.key}-{clip.first_s:g}")
    for part in told.parts.split(","):
        found = {"bytes": _bytes, "cost": _cost, "week": _week, "names": _names}[part](clip)
        print(json.dumps({"part": part, "scene": told.scene, **found}), flush=True)
    clip.detector.close()


def _bytes(clip: Clip) -> dict[str, Any]:
    """Bytes of what is kept to be replayed, for each event."""
    with closing(sqlite3.connect(clip.store / STORE)) as database:
        (traces,) = database.execute("SELECT sum(length(packed)) FROM trace").fetchone()
        (frames,) = database.execute("SELECT sum(frames) FROM trace").fetchone()
        (events,) = database.execute("SELECT count(*) FROM event").fetchone()
    return {
        "events": events,
        "frames": frames,
        "bytes": traces,
        "bytes_a_frame": round(traces / frames, 1),
        "bytes_an_event": round(traces / events),
    }


def _cost(clip: Clip) -> dict[str, Any]:
    """The share of the processor time of the frame path that noting takes.

    In a clip where something is nearly always there, with a detector that looks at each frame;
    looks for what falls apart, which are bounded, are left out.
    """
    spent = [0.0]
    plain = Tracing.see

    def timed(
        self: Tracing,
        frame: Frame,
        things: Sequence[Detection],
        heat: NDArray[np.float32] | None,
        bar: float,
    ) -> None:
        began = time.thread_time()
        plain(self, frame, things, heat, bar)
        spent[0] += time.thread_time() - began

    Tracing.see, tracing.LOOKS = timed, 0.0
    try:
        began = time.thread_time()
        with TemporaryDirectory() as folder:
            watch(clip, Path(folder), bar=bar_of(clip))
        whole_s = time.thread_time() - began
    finally:
        Tracing.see = plain
    frames = [frame.image for frame in clip.frames[:40]]
    began = time.thread_time()
    for frame in frames:
        clip.detector.detector.detect([frame])
    detector_s = (time.thread_time() - began) / len(frames)
    count = len(clip.frames)
    path_s = whole_s / count + detector_s
    return {
        "noting_us_a_frame": round(1e6 * spent[0] / count),
        "frame_path_us": round(1e6 * path_s),
        "share": round(spent[0] / count / path_s, 5),
    }


def _week(clip: Clip) -> dict[str, Any]:
    """Processor seconds for an answer about a camera-week."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        _copied(clip.store, place)
        x = zones_of(clip)[0]
        asked = {
            "bar": Change(bar=bar_of(clip) * 1.3),
            "zone": Change(zones=x),
            "tell": Change(tell=(KindRule.parse("any animal"),)),
        }
        told: dict[str, Any] = {}
        for name, change in asked.items():
            began = time.process_time()
            outcome = would(place, change)
            told[name] = round(time.process_time() - began, 2)
            told[f"{name}_said"] = outcome.headline
        return told


def _copied(source: Path, place: Path) -> None:
    """A store of a week: what one holds, copied to other hours of it."""
    with (
        closing(sqlite3.connect(source / STORE)) as old,
        closing(sqlite3.connect(place / STORE)) as new,
    ):
        old.backup(new)
        with new:
            for number in range(1, COPIES):
                _copy(new, number, number * WEEK_S / COPIES)


def _copy(database: sqlite3.Connection, number: int, later_s: float) -> None:
    database.row_factory = sqlite3.Row
    later_us = round(1e6 * later_s)
    for table in ("event", "moment", "trace", *_TABLES):
        rows = [dict(row) for row in database.execute(f"SELECT * FROM {table}")]  # noqa: S608
        for row in rows:
            key = "id" if table == "event" else "event_id"
            if "~" in str(row.get(key, "")) or row.get("start_s", 0.0) > later_s:
                continue
            if table in ("moment", "trace") and row["start_s"] > 0.9 * WEEK_S / COPIES:
                continue
            for name in row:
                if name.endswith("_us"):
                    row[name] += later_us
                elif name.endswith("_s"):
                    row[name] += later_s
            if key in row:
                row[key] += f"~{number}"
            marks = ", ".join("?" * len(row))
            database.execute(
                f"INSERT INTO {table}({', '.join(row)}) VALUES ({marks})",  # noqa: S608
                tuple(row.values()),
            )
    database.execute("UPDATE source SET seen_s = max(seen_s, ?)", (later_s + 120,))


def _names(clip: Clip) -> dict[str, Any]:
    """How many events another decoder really calls what was predicted."""
    device = resolve_device("cpu")
    with TemporaryDirectory() as folder:
        place = Path(folder)
        other = place / "other"
        bundle = load_bundle(starter_bundle_path(), device)
        generator = torch.Generator().manual_seed(clip.number + 5)
        for weights in bundle.decoder.state_dict().values():
            if weights.dtype.is_floating_point and weights.numel() > 1:
                spread = weights.std() * NOISE
                weights += spread * torch.randn(weights.shape, generator=generator)
        save_bundle(other, bundle)
        starter = load_model(None, device)
        watch(clip, place / "before", bar=bar_of(clip), names=starter)
        told = {}
        for name, model, options in (
            ("same", None, ModelOptions()),
            ("other", other, ModelOptions()),
            ("wrong_names", None, ModelOptions(wrong_names=0.3)),
        ):
            names = load_model(model, device, options)
            truth = watch(clip, place / f"true-{name}", bar=bar_of(clip), names=names)
            change = Change(renames=True, model=model, wrong_names=options.wrong_names)
            outcome = would(place / "before", change)
            after = {one.event.id: one.after_said for one in outcome.different if one.event}
            before = {one.id: one.headline for one in truth.things}
            was = _headlines(place / "before")
            right = sum(after.get(key, was[key]) == said for key, said in before.items())
            low, high = wilson(right, len(before))
            told[name] = {
                "events": len(before), "right": right, "from": round(low, 3), "to": round(high, 3),
                "renamed": len(outcome.of("renamed")),
            }  # fmt: skip
        return told


def _headlines(place: Path) -> dict[str, str]:
    with snapshot(place) as store:
        return {one.id: one.headline for one in store.events(store.required_run().id)}


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the module's text."""


if __name__ == "__main__":
    main()
