"""Do receipts hold? Moments are played again with what they say would have flipped them.

    python -m benchmarks.receipts                    # 200 moments of the report split
    python -m benchmarks.receipts --split dev --moments 60

The recall clips of `benchmarks.detector` are watched with several bars, so that there are events
and silences of all strengths. Of each moment's receipt the stated bar is set, and the stretch
around it is watched again through the whole path: the outcome must flip. With a bar that goes
only `SHORT` of the way it must not.
"""

import argparse
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.events.event import Event
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.gate import MotionGate
from app.watching.keeper import Keeper
from app.watching.lookout import Lookout
from app.why.receipts import Receipt, of_event, of_moment
from benchmarks.detector_recall import clip
from benchmarks.detector_runs import LEARNED, Options
from benchmarks.looking import Remembering, frames_of, nameless, uncounted
from benchmarks.scenes import material
from calibration.promise import DEFAULT
from detectors.types import Box, Frame

BARS = (0.7, 1.0, 1.4, 2.0)
BEFORE_S, AFTER_S = 6.0, 3.0
"""What is watched again around a moment."""
SHORT = 0.97
"""Share of the way to the flip, as a ratio of bars, at which nothing may flip yet."""
SAME = 0.3


@dataclass(frozen=True, slots=True)
class Case:
    """One moment."""

    kind: Literal["event", "silence"]
    why: str
    start_s: float
    end_s: float
    box: Box
    bar: float
    flip: float


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--split", default="report")
    parser.add_argument("--scenes", help="comma-separated; default: the first three of the split")
    parser.add_argument("--moments", type=int, default=200)
    parser.add_argument("--cache", type=Path)
    told = parser.parse_args()
    scenes = told.scenes.split(",") if told.scenes else material(told.split).scenes[:3]
    options = Options(
        told.split, 0, tuple(scenes), told.cache, 1, "padim", {}, True, 4, 0, 0, ()
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for scene in scenes:
        rows += _scene(options, scene, told.moments // len(scenes))
    for kind in ("event", "silence"):
        of = [row for row in rows if row["kind"] == kind]
        print(_line(kind, of))
    print(_line("all", rows))
    print(json.dumps({"split": told.split, "scenes": list(scenes), "moments": rows}))


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the module's text."""


def _line(name: str, rows: Sequence[dict[str, Any]]) -> str:
    flipped = sum(row["flips"] for row in rows)
    early = sum(row["early"] for row in rows)
    return f"{name:<8} {len(rows):>4} moments, {flipped} flip as told, {early} flip earlier"


def _scene(options: Options, scene: str, count: int) -> list[dict[str, Any]]:
    simulation = clip(options, scene)
    detector = options.fitted(simulation)
    frames = list(frames_of(simulation, LEARNED, None))
    detector.open(f"receipts-{simulation.key}")
    cases = [case for bar in BARS for case in _cases(frames, detector, bar)]
    chosen = random.Random(scene).sample(cases, min(count, len(cases)))  # noqa: S311
    rows = []
    for case in chosen:
        rows.append(_checked(case, frames, detector))
        print(f"# {scene} {rows[-1]}", flush=True)
    detector.close()
    return rows


def _cases(frames: Sequence[Frame], detector: Remembering, bar: float) -> Iterable[Case]:
    """All moments of a clip whose receipt says what would flip them."""
    camera, events = _watch(frames, detector, bar)
    for event in events.values():
        if event.kind == "object" and (change := of_event(event, lambda _: None).flip):
            yield Case("event", "", event.start_s, event.end_s, event.box, bar, change.value or 0.0)
    for moment in camera.take_moments():
        receipt: Receipt = of_moment(moment, lambda _: None)
        if receipt.flip is not None:
            yield Case(
                "silence",
                moment.why,
                moment.start_s,
                moment.end_s,
                moment.box,
                bar,
                receipt.flip.value or 0.0,
            )


def _checked(case: Case, frames: Sequence[Frame], detector: Remembering) -> dict[str, Any]:
    """One moment, watched again with the stated bar and with one a little short of it."""
    since, until = case.start_s - BEFORE_S, case.end_s + AFTER_S
    stretch = [frame for frame in frames if since <= frame.pts_s <= until]
    rang = case.kind == "event"
    short = case.bar * (case.flip / case.bar) ** SHORT
    again, early = (_rings(case, stretch, detector, bar) for bar in (case.flip, short))
    return {
        "kind": case.kind,
        "start_s": round(case.start_s, 1),
        "bar": case.bar,
        "flip": round(case.flip, 3),
        "flips": again != rang,
        "early": early != rang,
    }


def _rings(case: Case, frames: Sequence[Frame], detector: Remembering, bar: float) -> bool:
    """Whether something rings there and then."""
    _, events = _watch(frames, detector, bar)
    return any(
        event.kind == "object"
        and event.start_s <= case.end_s + 0.5
        and event.end_s >= case.start_s - 0.5
        and event.box.overlap(case.box) >= SAME * min(event.box.area, case.box.area)
        for event in events.values()
    )


def _watch(
    frames: Sequence[Frame], detector: Remembering, bar: float
) -> tuple[Camera, dict[str, Event]]:
    """The camera after it has seen frames with a bar, and its events as told last."""
    keeper = Keeper(DEFAULT, detector.detector.peak, bar=bar)
    settings = CameraSettings(keeper=keeper)
    camera = Camera(detector.size, live=True, view=detector.view, settings=settings)
    lookout = Lookout(camera, detector, nameless(), uncounted(), MotionGate())
    events: dict[str, Event] = {}
    for frame in frames:
        lookout.look([frame])
        events |= {one.event.id: one.event for one in lookout.findings()}
    events |= {one.event.id: one.event for one in lookout.finish()}
    return camera, events


if __name__ == "__main__":
    main()
