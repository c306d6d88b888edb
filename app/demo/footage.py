"""What happens in the demo, and the video of it."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from app.errors import UsageError
from app.simulator.cutouts import Cutout, Sticker, cutouts, sticker
from app.simulator.places import MARGIN, Place, place, place_names
from app.simulator.scene import Camera, Layer, lay
from detectors.types import Box, Pixels
from detectors.zones import contains

FPS = 5.0
LEARN_S = 40.0
NORMAL_S = 186.0
"""Seconds of the audited part in which nothing is there; the promise is three minutes."""
OBJECTS = 8
"""At most so many; fewer where the place is itself the photograph of some of them."""
SHUTTER = 0.2
"""Share of the time between two frames that the shutter is open."""
SUNK_PX = 5
"""How far an object at the lower edge goes on below it, so that a shake shows no gap."""


@dataclass(frozen=True, slots=True)
class Placement:
    """One object that turns up: what it is, where it rests, and when."""

    noun: str
    accepts: tuple[str, ...]
    kinds: tuple[str, ...]
    flip: bool
    width_px: int
    box: Box
    """Where it rests, in pixels of the frame."""
    size: tuple[int, int]
    """(height, width) of the frame."""
    stands: str
    slide: tuple[float, float]
    """From its resting place to where it is out of sight, (x, y) in pixels."""
    enter_s: float
    """When it starts to come in."""
    rest_s: float
    """When it has come to rest."""
    leave_s: float
    """When it starts to leave."""
    gone_s: float
    """When nothing of it is left."""

    @property
    def width_share(self) -> float:
        """Width over the frame's width."""
        return self.box.width / self.size[1]

    def away(self, time_s: float) -> float | None:
        """How far it is from its resting place: 0 at rest, 1 out of sight, None when not there."""
        if not self.enter_s <= time_s < self.gone_s:
            return None
        if time_s < self.rest_s:
            return (1 - (time_s - self.enter_s) / (self.rest_s - self.enter_s)) ** 2
        if time_s < self.leave_s:
            return 0.0
        return ((time_s - self.leave_s) / (self.gone_s - self.leave_s)) ** 2

    def shift_at(self, time_s: float) -> tuple[int, int] | None:
        """Whole pixels (x, y) from its resting place, None when it is not there."""
        away = self.away(time_s)
        return None if away is None else (round(away * self.slide[0]), round(away * self.slide[1]))

    def box_at(self, time_s: float) -> Box | None:
        """What can be seen of it at a time, in pixels of the frame; None when nothing can."""
        shift = self.shift_at(time_s)
        if shift is None:
            return None
        box = _clipped(_moved(self.box, shift), self.size)
        return box if box.width >= 1 and box.height >= 1 else None

    @property
    def swept(self) -> Box:
        """Everything that it passes over on its way, in pixels of the frame."""
        return _clipped(self.box.union(_moved(self.box, self.slide)), self.size)


@dataclass(frozen=True)
class DemoPlan:
    """A demo, decided before a pixel is drawn."""

    seed: int
    place: str
    size: tuple[int, int]
    """(height, width) of the frame."""
    fps: float
    learn_s: float
    """The first seconds are normal: a detector may learn from them."""
    duration_s: float
    placements: tuple[Placement, ...]

    @property
    def frames(self) -> int:
        """How many frames the footage has."""
        return round(self.duration_s * self.fps)

    @cached_property
    def normal_seconds(self) -> float:
        """Seconds of the audited part in which no object is to be seen."""
        times = np.arange(round(self.learn_s * self.fps), self.frames) / self.fps
        empty = [all(placed.away(float(t)) is None for placed in self.placements) for t in times]
        return sum(empty) / self.fps


def plan_demo(seed: int) -> DemoPlan:
    """Draw a demo: a place, objects that do not belong there, and when they come and go.

    Args:
        seed: Any whole number from 0; the same seed gives the same demo, pixel for pixel.

    Raises:
        UsageError: If the seed is negative.
        app.simulator.photos.PhotoError: If a photograph is missing.
    """
    if seed < 0:
        raise UsageError(f"the demo's seed must be 0 or more, got {seed}")
    rng = np.random.default_rng((seed, 1))
    names = place_names()
    where = place(names[(seed + 1) % len(names)])
    choice = [cut for cut in cutouts().values() if cut.photo not in where.photos]
    chosen = _chosen(choice, rng)
    spans, duration_s = _timetable(rng, len(chosen))
    small = _smallest(chosen, rng)
    placements: list[Placement] = []
    for number, (cutout, span) in enumerate(zip(chosen, spans, strict=True)):
        together = [other for other in placements if other.gone_s > span[0] - 1]
        placements.append(_placed(cutout, where, span, together, rng, number == small))
    return DemoPlan(seed, where.name, where.size, FPS, LEARN_S, duration_s, tuple(placements))


def render(plan: DemoPlan) -> Iterator[tuple[float, Pixels]]:
    """Draw the footage of a plan.

    Yields:
        Time in seconds from the start, and the picture: RGB, uint8 [H, W, 3].
    """
    where = place(plan.place)
    camera = Camera(where, plan.seed, plan.frames, plan.fps)
    stage = Stage(plan, where)
    for index in range(plan.frames):
        yield index / plan.fps, camera.picture(index, stage.world_at(index / plan.fps))


def write_footage(
    plan: DemoPlan, path: Path, progress: Callable[[int, int], None] | None = None
) -> None:
    """Write the footage as an ordinary video file.

    Args:
        plan: What to draw.
        path: The video file.
        progress: Told after every frame how many are done and how many there are.
    """
    from app.media.video import VideoWriter  # noqa: PLC0415  # drawing needs no encoder

    with VideoWriter(path, plan.size, plan.fps) as writer:
        for done, (pts_s, image) in enumerate(render(plan), start=1):
            writer.write(image, pts_s)
            if progress is not None:
                progress(done, plan.frames)


def write_truth(plan: DemoPlan, path: Path) -> None:
    """Write what was placed where and when, as JSON beside the video."""
    truth = asdict(plan) | {"frames": plan.frames, "normal_seconds": plan.normal_seconds}
    for entry, placed in zip(truth["placements"], plan.placements, strict=True):
        box = placed.box
        entry["box"] = [box.x1, box.y1, box.x2, box.y2]
        entry["width_share"] = round(placed.width_share, 4)
    path.write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")


class Stage:
    """The place with whatever stands in it at a time."""

    def __init__(self, plan: DemoPlan, where: Place) -> None:
        """Start with the empty place."""
        self._plan, self._where = plan, where
        self._layers: dict[int, Layer] = {}
        self._resting: tuple[tuple[int, ...], Pixels] = ((), where.world)

    def world_at(self, time_s: float) -> Pixels:
        """The place's world at a time, RGB uint8 [H, W, 3]; not to be changed."""
        shifts = {
            number: shift
            for number, placed in enumerate(self._plan.placements)
            if (shift := placed.shift_at(time_s)) is not None
        }
        still = tuple(number for number, shift in shifts.items() if shift == (0, 0))
        world = self._with(still)
        if len(still) == len(shifts):
            return world
        world = world.copy()
        for number, shift in shifts.items():
            if shift != (0, 0):
                self._moving(number, time_s).over(world, shift)
        return world

    def _with(self, still: tuple[int, ...]) -> Pixels:
        if still != self._resting[0]:
            world = self._where.world.copy()
            for number in still:
                self._layer(number).over(world)
            self._resting = (still, world)
        return self._resting[1]

    def _moving(self, number: int, time_s: float) -> Layer:
        placed = self._plan.placements[number]
        before = placed.away(time_s) or 0.0
        later = placed.away(time_s + SHUTTER / self._plan.fps)
        pace = 0.0 if later is None else later - before
        reach = (round(pace * placed.slide[0]), round(pace * placed.slide[1]))
        return self._layer(number).smeared(reach)

    def _layer(self, number: int) -> Layer:
        if number not in self._layers:
            placed = self._plan.placements[number]
            cut = sticker(cutouts()[placed.noun], placed.width_px, placed.flip)
            left, top = cut.covered[:2]
            corner = (
                round(placed.box.x1 - left) + MARGIN,
                round(placed.box.y1 - top) + MARGIN,
            )
            self._layers = {number: lay(cut, corner, self._where, placed.stands == "floor")} | {
                other: layer for other, layer in self._layers.items() if other >= number - 2
            }
        return self._layers[number]


def _timetable(
    rng: np.random.Generator, objects: int
) -> tuple[list[tuple[float, float, float, float]], float]:
    """When each object enters, rests, leaves and is gone; one pair is there together."""
    pair = int(rng.integers(0, objects - 1))
    shares = rng.uniform(0.7, 1.3, objects)
    pauses = NORMAL_S * shares / shares.sum()
    spans: list[tuple[float, float, float, float]] = []
    now = LEARN_S
    for number in range(objects):
        with_last = number == pair + 1
        start = spans[-1][1] + rng.uniform(2, 3) if with_last else now + pauses.item(number)
        enter_s = round(math.ceil(start * FPS) / FPS, 1)
        rest_s = round(enter_s + rng.uniform(1.0, 1.6), 1)
        leave_s = round(rest_s + rng.uniform(8.5, 11.0), 1)
        gone_s = round(leave_s + rng.uniform(1.0, 1.6), 1)
        spans.append((enter_s, rest_s, leave_s, gone_s))
        now = max(now, gone_s)
    return spans, math.ceil(now + pauses.item(pair + 1))


def _chosen(choice: list[Cutout], rng: np.random.Generator) -> list[Cutout]:
    """Draw the objects in their order; spare ones only where there are too few others."""
    first = [cut for cut in choice if not cut.spare]
    spare = [cut for cut in choice if cut.spare]
    drawn = [first[i] for i in rng.permutation(len(first))][:OBJECTS]
    drawn += [spare[i] for i in rng.permutation(len(spare))][: max(0, OBJECTS - len(drawn))]
    return [drawn[i] for i in rng.permutation(len(drawn))]


def _smallest(chosen: list[Cutout], rng: np.random.Generator) -> int:
    """Which object is shown very small: far away, the hardest to find and to name."""
    small = [number for number, cut in enumerate(chosen) if cut.widths[0] <= 0.055]
    return int(rng.choice(small)) if small else -1


def _placed(
    cutout: Cutout,
    where: Place,
    span: tuple[float, float, float, float],
    together: list[Placement],
    rng: np.random.Generator,
    small: bool,
) -> Placement:
    """Find a spot where the object is whole and in nobody's way."""
    low, high = cutout.widths
    for attempt in range(400):
        # A full place gets smaller objects as the search goes on.
        top = low + (max(high, low) - low) * (1 - attempt / 400)
        share = low if small else rng.uniform(min(max(low, 0.07), top), top)
        flip = cutout.flips and bool(rng.random() < 0.5)
        width_px = round(share * where.size[1])
        found = _spot(cutout, sticker(cutout, width_px, flip), where, rng)
        if found is None:
            continue
        box, slide = found
        placed = Placement(
            cutout.noun, cutout.accepts, cutout.kinds, flip, width_px, box, where.size,
            cutout.stands, slide, *span,
        )  # fmt: skip
        if all(placed.swept.overlap(other.swept) == 0 for other in together):
            return placed
    raise RuntimeError(f"no room for a {cutout.noun} in the {where.name}")


def _spot(
    cutout: Cutout, cut: Sticker, where: Place, rng: np.random.Generator
) -> tuple[Box, tuple[float, float]] | None:
    """Draw a resting box inside the frame and a way out of it, or None where it does not fit."""
    height, width = where.size
    left, top, right, bottom = cut.covered
    tall, wide = bottom - top, right - left
    if tall > 0.72 * height:
        return None
    x1 = int(rng.integers(round(0.02 * width), width - wide - round(0.02 * width)))
    if cutout.stands == "edge":
        y1 = height + SUNK_PX - tall
        return Box(x1, y1, x1 + wide, height), (0.0, tall + 10.0)
    ys = [y for _, y in where.ground]
    foot = round(float(rng.uniform(min(ys), max(ys))) * height)
    if foot - tall < 0.02 * height or not contains(
        where.ground, (x1 + wide / 2) / width, foot / height
    ):
        return None
    out = -(x1 + wide + 12.0) if x1 + wide / 2 < width / 2 else width - x1 + 12.0
    return Box(x1, foot - tall, x1 + wide, foot), (out, 0.0)


def _moved(box: Box, shift: tuple[float, float]) -> Box:
    return Box(box.x1 + shift[0], box.y1 + shift[1], box.x2 + shift[0], box.y2 + shift[1])


def _clipped(box: Box, size: tuple[int, int]) -> Box:
    height, width = size
    return Box(max(box.x1, 0), max(box.y1, 0), min(box.x2, width), min(box.y2, height))
