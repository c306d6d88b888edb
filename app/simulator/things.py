"""What comes, goes or belongs in a place, and where it is at any time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from app.simulator.cutouts import Sticker, cutouts, picture_sticker, sticker
from app.simulator.places import MARGIN, Place
from app.simulator.scene import Layer, lay
from detectors.types import Box, Pixels

SHUTTER = 0.2
"""Share of the time between two frames that the shutter is open."""
_SEEN = 0.02
"""Of a thing less than this share in the view is not there."""

type Role = Literal["arrives", "goes", "belongs"]
"""Was not learned; was learned and is missing once it is gone; is normal as it is."""

type Kind = Literal["arrived", "missing"]

type Waypoint = tuple[float, float, float]
"""Seconds from the start, and the middle of the thing then: x, y as shares of the frame."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A cut-out and its way through the view."""

    noun: str
    width: float
    """Share of the frame's width."""
    path: tuple[Waypoint, ...]
    """At a constant pace from one to the next; it is there from the first to the last."""
    role: Role = "arrives"
    picture: Path | None = None
    """A picture with transparency to cut it from; None for the package's own cut-out."""
    flip: bool = False
    contrast: float = 1.0
    """Share that is left of its difference from what lies behind, 0 to 1."""
    shadow: bool = False
    """Whether it throws a shadow on the ground."""
    every_s: float | None = None
    """It comes again every so many seconds from its first time on; None for once."""
    moved: bool = False
    """Whether it stands elsewhere in the view before it came, or after it went."""

    def middle(self, time_s: float) -> tuple[float, float] | None:
        """Where its middle is, x, y as shares of the frame; None while it is not there."""
        times = [waypoint[0] for waypoint in self.path]
        now = time_s
        if self.every_s is not None and time_s >= times[0]:
            now = times[0] + (time_s - times[0]) % self.every_s
        if not times[0] <= now < times[-1]:
            return None
        last = max(number for number, at in enumerate(times[:-1]) if at <= now)
        (from_s, x1, y1), (to_s, x2, y2) = self.path[last : last + 2]
        share = (now - from_s) / (to_s - from_s)
        return x1 + share * (x2 - x1), y1 + share * (y2 - y1)

    def pace(self, time_s: float, within_s: float) -> tuple[float, float]:
        """How far it goes in `within_s` seconds, x, y as shares of the frame."""
        here, there = self.middle(time_s), self.middle(time_s + within_s)
        if here is None or there is None:
            return 0.0, 0.0
        return there[0] - here[0], there[1] - here[1]


@dataclass(frozen=True, slots=True)
class Truth:
    """One thing that does not belong, or is missing, in one frame."""

    box: Box
    """What can be seen of it, or where it was, in pixels of the frame."""
    noun: str
    kind: Kind
    width_share: float
    """Width of the whole thing over the frame's."""
    id: int
    """Which of the simulation's things it is, from 0."""
    seen: float
    """Share of its box inside the frame."""
    moved: bool = False
    """Whether it is elsewhere in the view now, or was."""


def lying(
    noun: str, width: float, at: tuple[float, float], from_s: float, to_s: float = math.inf
) -> Thing:
    """A thing that lies still.

    Args:
        noun: What it is.
        width: Share of the frame's width.
        at: Its middle, x, y as shares of the frame.
        from_s: When it is there.
        to_s: When it is there no longer.
    """
    return Thing(noun, width, ((from_s, *at), (to_s, *at)))


def sliding(noun: str, width: float, y: float, start_s: float, widths_a_second: float) -> Thing:
    """A thing that crosses the view from left to right (from right to left at a negative pace).

    Args:
        noun: What it is.
        width: Share of the frame's width.
        y: Its middle, as a share of the frame's height.
        start_s: When it begins to come in.
        widths_a_second: How fast, over its own width.
    """
    end_s = start_s + (1 + width) / (abs(widths_a_second) * width)
    xs = (-width / 2, 1 + width / 2)
    first, last = xs if widths_a_second > 0 else xs[::-1]
    return Thing(noun, width, ((start_s, first, y), (end_s, last, y)))


def removed(thing: Thing, at_s: float) -> Thing:
    """The same thing, there while the view is learned and gone from `at_s` on, where it lay."""
    x, y = thing.path[0][1:]
    return replace(thing, path=((0.0, x, y), (at_s, x, y)), role="goes")


def relocated(thing: Thing, at_s: float, to: tuple[float, float]) -> tuple[Thing, Thing]:
    """A thing that was learned, gone from its place at `at_s` and from then on lying at `to`."""
    there = replace(thing, path=((at_s, *to), (math.inf, *to)), role="arrives", moved=True)
    return replace(removed(thing, at_s), moved=True), there


class Stage:
    """The place with whatever stands in it at a time."""

    def __init__(self, place: Place, things: Sequence[Thing], fps: float) -> None:
        """Start with the empty place."""
        self._place, self._things, self._fps = place, things, fps
        self._cuts: dict[int, Sticker] = {}
        self._layers: dict[int, tuple[Layer, tuple[int, int]]] = {}
        self._resting: tuple[tuple[tuple[int, int, int], ...], Pixels] = ((), place.world)

    def world_at(self, time_s: float) -> Pixels:
        """The place's world at a time, RGB uint8 [H, W, 3]; not to be changed."""
        placed = [
            (number, *self._corner(number, middle))
            for number, thing in enumerate(self._things)
            if (middle := thing.middle(time_s)) is not None
        ]
        still = tuple(one for one in placed if self._smear(one[0], time_s) == (0, 0))
        world = self._with(still)
        if len(still) == len(placed):
            return world
        world = world.copy()
        for number, x, y in placed:
            if (smear := self._smear(number, time_s)) != (0, 0):
                self._laid(number, (x, y), world, smear)
        return world

    def truth_at(self, time_s: float, shift: tuple[float, float] = (0.0, 0.0)) -> tuple[Truth, ...]:
        """What does not belong or is missing, of the whole view moved by `shift` pixels."""
        found = [self._truth(number, time_s, shift) for number in range(len(self._things))]
        return tuple(one for one in found if one is not None)

    def _truth(self, number: int, time_s: float, shift: tuple[float, float]) -> Truth | None:
        thing = self._things[number]
        middle, kind = thing.middle(time_s), "arrived"
        if thing.role == "belongs" or (thing.role == "arrives") != (middle is not None):
            return None
        if middle is None:
            end_s, *last = thing.path[-1]
            if time_s < end_s:
                return None
            middle, kind = (last[0], last[1]), "missing"
        x, y = self._corner(number, middle)
        left, top, right, bottom = self._cut(number).covered
        dx, dy = x - MARGIN + shift[0], y - MARGIN + shift[1]
        whole = Box(left + dx, top + dy, right + dx, bottom + dy)
        height, width = self._place.size
        box = Box(max(whole.x1, 0), max(whole.y1, 0), min(whole.x2, width), min(whole.y2, height))
        seen = box.area / whole.area
        share = whole.width / width
        if seen < _SEEN:
            return None
        return Truth(box, thing.noun, kind, share, number, seen, thing.moved)

    def _with(self, still: tuple[tuple[int, int, int], ...]) -> Pixels:
        if still != self._resting[0]:
            world = self._place.world.copy()
            for number, x, y in still:
                self._laid(number, (x, y), world)
            self._resting = (still, world)
        return self._resting[1]

    def _laid(
        self, number: int, corner: tuple[int, int], world: Pixels, smear: tuple[int, int] = (0, 0)
    ) -> None:
        layer, home = self._layer(number, corner)
        layer.smeared(smear).over(world, (corner[0] - home[0], corner[1] - home[1]))

    def _layer(self, number: int, corner: tuple[int, int]) -> tuple[Layer, tuple[int, int]]:
        """The thing in the light of where it is first seen, and the corner that it was laid at."""
        if number not in self._layers:
            thing, cut = self._things[number], self._cut(number)
            limit_y, limit_x = self._place.world.shape[:2]
            home = (
                min(max(corner[0], 0), max(0, limit_x - cut.size[1])),
                min(max(corner[1], 0), max(0, limit_y - cut.size[0])),
            )
            layer = lay(cut, home, self._place, thing.shadow).faded(thing.contrast)
            self._layers[number] = (layer, home)
        return self._layers[number]

    def _cut(self, number: int) -> Sticker:
        if number not in self._cuts:
            self._cuts[number] = thing_sticker(self._things[number], self._place.size)
        return self._cuts[number]

    def _corner(self, number: int, middle: tuple[float, float]) -> tuple[int, int]:
        """Upper left pixel of the cut-out, in pixels of the place's world."""
        height, width = self._place.size
        left, top, right, bottom = self._cut(number).covered
        x = middle[0] * width - (left + right) / 2 + MARGIN
        y = middle[1] * height - (top + bottom) / 2 + MARGIN
        return round(x), round(y)

    def _smear(self, number: int, time_s: float) -> tuple[int, int]:
        """Pixels that it moves while the shutter is open."""
        height, width = self._place.size
        x, y = self._things[number].pace(time_s, SHUTTER / self._fps)
        return round(x * width), round(y * height)


def thing_sticker(thing: Thing, size: tuple[int, int]) -> Sticker:
    """The cut-out of a thing in frames of a size (height, width)."""
    width_px = max(2, round(thing.width * size[1]))
    if thing.picture is not None:
        return picture_sticker(thing.picture, width_px, thing.flip)
    return sticker(cutouts()[thing.noun], width_px, thing.flip)


TALLEST = 0.8
"""Share of the frame's height; what is taller leaves `spot` little to draw from."""


def tall(thing: Thing, size: tuple[int, int]) -> float:
    """Height of a thing as a share of the frame's height."""
    _, top, _, bottom = thing_sticker(thing, size).covered
    return (bottom - top) / size[0]


def spot(
    thing: Thing, size: tuple[int, int], rng: np.random.Generator, taken: Sequence[Box] = ()
) -> tuple[float, float] | None:
    """Draw where a thing may lie whole in the view, off the boxes that are taken.

    Args:
        thing: What shall lie there; its path does not matter.
        size: (height, width) of the frame in pixels.
        rng: Source of chance.
        taken: Where nothing may lie, in pixels.

    Returns:
        Its middle, x, y as shares of the frame; None if there is no room.
    """
    half_x, half_y = thing.width / 2 + 0.015, tall(thing, size) / 2 + 0.015
    if half_y > 0.48 or half_x > 0.48:
        return None
    for _ in range(60):
        x, y = rng.uniform(half_x, 1 - half_x), rng.uniform(half_y, 1 - half_y)
        box = Box(
            (x - half_x) * size[1],
            (y - half_y) * size[0],
            (x + half_x) * size[1],
            (y + half_y) * size[0],
        )
        if all(box.overlap(other) == 0 for other in taken):
            return float(x), float(y)
    return None
