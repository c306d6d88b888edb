"""Do receipts hold? Moments are played again with what they say would have flipped them.

    python -m benchmarks.receipts --cache maps --keep moments.jsonl   # 200 of the report split
    python -m benchmarks.receipts --split dev --moments 20 --cache maps --keep dev.jsonl

Small and faint things come one after the other in short clips, each a stretch of its own of a day
of which one detector learned the first minute. A clip is audited with several bars, so that there
are events and silences of all strengths; of each thing one of either is taken. The stated bar is
set as it is printed, and the stretch around goes through the whole path again: the outcome must
flip. With a bar that goes only `SHORT` of the way it must not.

Whatever is done is a line of the file, so what was stopped goes on where it was. Silences without a
bar that flips them are counted by what kept them silent.
"""

import argparse
import itertools
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import cv2
import torch

from app.events.event import Event
from app.events.moment import Moment
from app.events.reading import SourceProgress
from app.events.store import Changes, Store
from app.simulator.simulation import Simulation
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.keeper import Keeper
from app.watching.lookout import Lookout
from app.why.receipt import Change
from app.why.receipts import of_event, of_moment
from benchmarks.detector_recall import LIES_S, PAUSE_S
from benchmarks.detector_runs import FPS, LEARN_S, Options
from benchmarks.looking import Remembering, frames_of, nameless, uncounted
from benchmarks.scenes import material
from calibration.promise import DEFAULT
from detectors.types import Box, Frame
from novic.append_log import AppendLog

BARS = (0.6, 0.75, 0.94, 1.17, 1.46, 1.83)
"""Each 1.25 times the one before, so that whatever reaches 1.25 is near one of them."""
WIDTHS = (0.02, 0.03, 0.04, 0.06)
CONTRASTS = (0.25, 1.0)
"""Share of a thing's difference from what lies behind it that is left, drawn by its logarithm."""
THINGS = 8
QUIET_S = 3.0
CLIP_S = 25.0
BEFORE_S, AFTER_S = 4.0, 2.6
"""What is watched again around a moment."""
SHORT = 0.97
"""Share of the way to the flip, as a ratio of bars, at which nothing may flip yet, ..."""
LEAST = 0.001
"""... so far from the flip at least, as a ratio: bars are told with four digits."""
SAME = 0.3


@dataclass(frozen=True, slots=True)
class Case:
    """One moment."""

    kind: Literal["event", "silence"]
    start_s: float
    end_s: float
    box: tuple[float, float, float, float]
    bar: float
    flip: float


@dataclass
class Kept:
    """What is done so far: a line for each clip, and one for each moment."""

    path: Path | None
    clips: dict[str, dict[str, Any]] = field(default_factory=dict)
    moments: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    def read(self) -> "Kept":
        """Take what an earlier call did; a line that was cut off is done again."""
        if self.path is not None:
            AppendLog(self.path).read(self._take)
        return self

    def add(self, row: dict[str, Any]) -> None:
        """Keep one more."""
        self._take(row)
        if self.path is not None:
            AppendLog(self.path).append(row)

    def _take(self, row: dict[str, Any]) -> None:
        if "cases" in row:
            self.clips[row["clip"]] = row
        else:
            self.moments[row["clip"], row["number"]] = row


@dataclass
class Clip:
    """A stretch of a scene's day in which things come."""

    options: Options
    scene: str
    number: int

    @property
    def name(self) -> str:
        """Of its scene and its number."""
        return f"{self.options.split}-{self.scene}-{self.number}"

    @property
    def first_s(self) -> float:
        """When it begins."""
        return LEARN_S + self.number * CLIP_S

    @cached_property
    def day(self) -> Simulation:
        """The scene's day with its things."""
        rng = self.options.rng(self.scene, 40 + self.number)
        place = self.options.material.place(self.scene)
        things, taken = [], []
        for number in range(THINGS):
            now = self.slot_s(number)
            width = WIDTHS[int(rng.integers(len(WIDTHS)))]
            thing, (x, y) = self.options.material.placed(place, width, rng, taken[-2:])
            low, high = map(math.log, CONTRASTS)
            contrast = math.exp(rng.uniform(low, high))
            path = ((now, x, y), (now + LIES_S, x, y))
            things.append(replace(thing, path=path, contrast=contrast))
            half = (width / 2 + 0.02) * place.size[1]
            x, y = x * place.size[1], y * place.size[0]
            taken.append(Box(x - half, y - half, x + half, y + half))
        return self.options.day(self.scene, self.first_s + CLIP_S, things)

    def slot_s(self, number: int) -> float:
        """When a thing of it comes."""
        return self.first_s + QUIET_S + number * (LIES_S + PAUSE_S)

    def slot(self, case: Case) -> int:
        """During which thing a moment was."""
        middle_s = (case.start_s + case.end_s) / 2
        return int((middle_s - self.slot_s(0)) // (LIES_S + PAUSE_S))

    @cached_property
    def frames(self) -> list[Frame]:
        """All of it."""
        return list(frames_of(self.day, round(self.first_s * FPS), None))

    @cached_property
    def detector(self) -> Remembering:
        """What learned the scene."""
        return self.options.fitted(self.day)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--split", default="report")
    parser.add_argument("--scenes", help="comma-separated; default: all of the split")
    parser.add_argument("--moments", type=int, default=200)
    parser.add_argument("--cache", type=Path, help="folder of detectors and maps")
    parser.add_argument("--keep", type=Path, help="file of lines; what is in it is not done again")
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    scenes = told.scenes.split(",") if told.scenes else material(told.split).scenes
    options = Options(
        told.split, 0, tuple(scenes), told.cache, 1, "padim", {}, True, 4, 0, 0, ()
    )  # fmt: skip
    kept = Kept(told.keep).read()
    for number in itertools.count():
        for scene in scenes:
            if len(kept.moments) >= told.moments:
                break
            _do(Clip(options, scene, number), kept)
        if len(kept.moments) >= told.moments:
            break
    _show(kept)
    if told.json:
        print(json.dumps({"clips": [*kept.clips.values()], "moments": [*kept.moments.values()]}))


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the module's text."""


def _do(clip: Clip, kept: Kept) -> None:
    """Watch a clip and try its moments, as far as that was not done before."""
    if clip.name in kept.clips:
        cases = [Case(**case) for case in kept.clips[clip.name]["cases"]]
        if all((clip.name, number) in kept.moments for number in range(len(cases))):
            return
    clip.detector.open(f"receipts-{clip.day.key}-{clip.first_s:g}")
    if clip.name not in kept.clips:
        kept.add(_row(clip))
    for number, facts in enumerate(kept.clips[clip.name]["cases"]):
        if (clip.name, number) not in kept.moments:
            done = _checked(Case(**facts), clip)
            kept.add({"clip": clip.name, "number": number, **done})
            print(f"# {clip.name} {done}", flush=True)
    clip.detector.close()


def _row(clip: Clip) -> dict[str, Any]:
    """What a clip shows: a case of each kind for each thing, and why others were silent."""
    cases: list[Case] = []
    other: Counter[str] = Counter()
    for bar in BARS:
        of, why = _cases(clip, bar)
        cases += of
        other.update(why)
    rng = clip.options.rng(clip.scene, 1040 + clip.number)
    chosen = []
    for number, kind in itertools.product(range(-1, THINGS + 1), ("event", "silence")):
        of = [case for case in cases if case.kind == kind and clip.slot(case) == number]
        if of:
            chosen.append(of[int(rng.integers(len(of)))])
    return {"clip": clip.name, "cases": [asdict(one) for one in chosen], "other": dict(other)}


def _cases(clip: Clip, bar: float) -> tuple[list[Case], list[str]]:
    """All moments of a clip whose receipt says what would flip them, and why others were silent."""
    camera, events = _watch(clip.frames, clip.detector, bar)
    cases, other = [], []
    for event in events.values():
        change = of_event(event, lambda _: None).flip if event.kind == "object" else None
        if change is not None:
            box = event.box.x1, event.box.y1, event.box.x2, event.box.y2
            cases.append(Case("event", event.start_s, event.end_s, box, bar, _typed(change)))
    for moment in _joined(camera):
        change = of_moment(moment, lambda _: None).flip
        if change is None:
            other.append(moment.why)
            continue
        box = moment.box.x1, moment.box.y1, moment.box.x2, moment.box.y2
        cases.append(Case("silence", moment.start_s, moment.end_s, box, bar, _typed(change)))
    return cases, other


def _joined(camera: Camera) -> Sequence[Moment]:
    """What came near, as a store joins and gives it."""
    with TemporaryDirectory() as folder, Store(Path(folder)) as store:
        run = store.begin_run("audit", {})
        source = SourceProgress("clip", "clip", (1, 1), 0.0, 0.0)
        store.save(run.id, Changes(source, moments=camera.take_moments()))
        return store.moments(run.id, 0, 2**62)


def _typed(change: Change) -> float:
    """The bar as `events why` prints it."""
    return float(f"{change.value or 0.0:.6g}")


def _checked(case: Case, clip: Clip) -> dict[str, Any]:
    """One moment, watched again with the stated bar and with one a little short of it."""
    since, until = case.start_s - BEFORE_S, case.end_s + AFTER_S
    stretch = [frame for frame in clip.frames if since <= frame.pts_s <= until]
    rang = case.kind == "event"
    again = _rings(case, stretch, clip.detector, case.flip)
    short = short_of(case.bar, case.flip)
    early = None if short is None else _rings(case, stretch, clip.detector, short) != rang
    return {
        "kind": case.kind,
        "start_s": round(case.start_s, 1),
        "bar": case.bar,
        "flip": case.flip,
        "flips": again != rang,
        "early": early,
    }


def short_of(bar: float, flip: float) -> float | None:
    """A bar that goes not quite as far as the flip; None if there is none between."""
    way = math.log(flip / bar)
    rest = max((1 - SHORT) * abs(way), LEAST)
    return flip * math.exp(-math.copysign(rest, way)) if rest < abs(way) else None


def _rings(case: Case, frames: Sequence[Frame], detector: Remembering, bar: float) -> bool:
    """Whether something rings there and then."""
    _, events = _watch(frames, detector, bar)
    box = Box(*case.box)
    return any(
        event.kind == "object"
        and event.start_s <= case.end_s + 0.5
        and event.end_s >= case.start_s - 0.5
        and event.box.overlap(box) >= SAME * min(event.box.area, box.area)
        for event in events.values()
    )


def _watch(
    frames: Iterable[Frame], detector: Remembering, bar: float
) -> tuple[Camera, dict[str, Event]]:
    """The camera after it has seen frames with a bar, and its events as told last."""
    keeper = Keeper(DEFAULT, detector.detector.peak, bar=bar)
    settings = CameraSettings(keeper=keeper)
    camera = Camera(detector.size, live=False, view=detector.view, settings=settings)
    lookout = Lookout(camera, detector, nameless(), uncounted())
    events: dict[str, Event] = {}
    for batch in itertools.batched(frames, 8):
        lookout.look(batch)
        events |= {one.event.id: one.event for one in lookout.findings()}
    events |= {one.event.id: one.event for one in lookout.finish()}
    return camera, events


def _show(kept: Kept) -> None:
    """How many of each kind flip as told, and how many sooner."""
    rows = [*kept.moments.values()]
    for kind in ("event", "silence"):
        print(_line(kind, (row for row in rows if row["kind"] == kind)))
    print(_line("all", rows))
    other = sum((Counter(row["other"]) for row in kept.clips.values()), Counter())
    print(f"silences without a bar that flips them, all bars: {dict(other)}")


def _line(name: str, rows: Iterable[dict[str, Any]]) -> str:
    rows = [*rows]
    flipped = sum(row["flips"] for row in rows)
    tried = [row["early"] for row in rows if row["early"] is not None]
    return (
        f"{name:<8} {len(rows):>4} moments, {flipped} flip as told; "
        f"{sum(tried)} of {len(tried)} flip earlier"
    )


if __name__ == "__main__":
    main()
