"""The places that the demo's camera looks at, put together from photographs of real views."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from app.simulator.cutouts import Polygon
from app.simulator.photos import photo
from detectors.types import Pixels

type Floats = NDArray[np.float32]

MARGIN = 24
"""Pixels of the place around the view, on every side, so that a shaking camera sees no end."""


@dataclass(frozen=True, slots=True)
class Sway:
    """A part of the view whose leaves move in the wind."""

    area: tuple[float, float, float, float]
    """x1, y1, x2, y2 as shares of the frame."""
    reach_px: float
    period_s: float


@dataclass(frozen=True, slots=True)
class Lamp:
    """A light in the view that blinks."""

    centre: tuple[float, float]
    """x, y as shares of the frame."""
    radius: float
    """Share of the frame's width."""
    colour: tuple[float, float, float]
    period_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A fixed view and what moves in it on an ordinary day."""

    name: str
    photos: tuple[str, ...]
    """The photographs it is made of: their objects do not turn up here."""
    size: tuple[int, int]
    """(height, width) of the frame."""
    world: Pixels
    """The view with `MARGIN` more pixels on every side."""
    ground: Polygon
    """Where the foot of an object may stand, in shares of the frame."""
    sways: tuple[Sway, ...]
    lamp: Lamp | None
    shade: float
    """How dark the shadows are that pass, 0 to 1."""


def place_names() -> list[str]:
    """The places there are."""
    return sorted(_BUILDERS)


@cache
def place(name: str) -> Place:
    """Build a place.

    Raises:
        app.simulator.photos.PhotoError: If a photograph it is made of is missing.
    """
    return _BUILDERS[name]()


def _workshop() -> Place:
    """A garage with a motorcycle in it."""
    height, width = 480, 640
    full = (height + 2 * MARGIN, width + 2 * MARGIN)
    scale = full[1] / 741
    garage = cv2.resize(
        photo("motorcycle_left.png"), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
    )
    # Seen from a little farther up: more of the concrete in front, less of the shelf's top.
    top, strip = 16, 52
    rows = np.arange(full[0], dtype=np.float32) + top
    last = garage.shape[0] - 1
    near = np.clip((rows - (last - strip)) / (full[0] + top - 1 - (last - strip)), 0, 1)
    rows = np.where(near > 0, last - strip + strip * near**0.8, rows).astype(np.float32)
    columns = np.arange(full[1], dtype=np.float32)
    map_x, map_y = np.meshgrid(columns, rows)
    world = cv2.remap(garage, map_x, map_y, cv2.INTER_LINEAR).astype(np.float32)
    grain = np.random.default_rng(9).normal(0, 9, full).astype(np.float32)
    world += (cv2.GaussianBlur(grain, (0, 0), 1.1) * near[:, None])[..., None]
    return Place(
        name="workshop",
        photos=("motorcycle_left.png",),
        size=(height, width),
        world=_finished(world, 0.4),
        ground=(
            (0.02, 0.7),
            (0.13, 0.7),
            (0.17, 0.82),
            (0.42, 0.88),
            (0.72, 0.92),
            (0.97, 0.92),
            (0.97, 0.98),
            (0.02, 0.98),
        ),
        sways=(Sway((0.4, -0.05, 0.48, 0.1), 1.4, 3.1),),
        lamp=Lamp((0.792, 0.168), 0.02, (255, 170, 60), 1.4),
        shade=0.16,
    )


def _yard() -> Place:
    """A gravel yard in front of a brick wall with a lamp and a hedge."""
    height, width = 480, 640
    full = (height + 2 * MARGIN, width + 2 * MARGIN)
    ground = 236
    world = np.zeros((*full, 3), np.float32)
    bricks = cv2.resize(_flat(photo("brick.png"), _PAVING, 300), None, fx=1.0, fy=0.8)
    courses = np.rot90(bricks)
    courses = np.hstack([courses, courses[:, ::-1], courses])[:, 20 : 20 + full[1]]
    wall = _toned(courses[:ground].astype(np.float32), (1.3, 0.92, 0.76), 112, 1.0)
    world[:ground] = wall * np.linspace(0.95, 1.08, ground, dtype=np.float32)[:, None, None]
    floor_size = (full[0] - ground, full[1])
    gravel = _floor(photo("gravel.png"), floor_size, 120, (0.0, 1.0), 7.0)
    world[ground:] = _toned(gravel, (1.05, 1.0, 0.9), 138, 0.6)
    _shadow_line(world, ground, 14, 0.5)
    _blot(world, (full[1] - 130, ground + 20), (170, 16), 0.55)
    china = photo("china.jpg")
    bush = cv2.resize(china[335:425, 372:560], (330, 190), interpolation=cv2.INTER_CUBIC)
    cover = _bush_cover(bush.shape[:2])[..., None]
    part = np.s_[ground - 168 : ground + 22, full[1] - 300 :]
    world[part] = (bush * 0.9 * cover + world[ground - 168 : ground + 22, -330:] * (1 - cover))[
        :, :300
    ]
    return Place(
        name="yard",
        photos=("brick.png", "gravel.png", "china.jpg"),
        size=(height, width),
        world=_finished(world, 0.7),
        ground=((0.03, 0.58), (0.97, 0.58), (0.97, 0.98), (0.03, 0.98)),
        sways=(Sway((0.56, 0.1, 0.8, 0.48), 1.6, 2.6), Sway((0.76, 0.1, 1.03, 0.48), 1.8, 3.2)),
        lamp=Lamp((0.2, 0.1), 0.013, (255, 235, 190), 2.2),
        shade=0.2,
    )


def _terrace() -> Place:
    """A brick terrace in front of a lake and a pagoda."""
    height, width = 480, 640
    full = (height + 2 * MARGIN, width + 2 * MARGIN)
    scale = full[1] / 640
    china = cv2.resize(photo("china.jpg"), None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    world = np.zeros((*full, 3), np.float32)
    wall, floor = 352, 378
    world[: china.shape[0]] = china[: full[0]]
    horizon = 0.53 * china.shape[0]
    stones = _floor(photo("brick.png"), (full[0] - floor, full[1]), floor - horizon, _PAVING, 2.6)
    world[floor:] = _toned(stones, (1.12, 1.0, 0.88), 118, 0.9)
    world[wall:floor] = _parapet((floor - wall, full[1]))
    _shadow_line(world, floor, 16, 0.45)
    return Place(
        name="terrace",
        photos=("china.jpg", "brick.png", "gravel.png"),
        size=(height, width),
        world=_finished(world, 0.7),
        ground=((0.03, 0.8), (0.97, 0.8), (0.97, 0.98), (0.03, 0.98)),
        sways=(
            Sway((0.84, 0.28, 1.03, 0.66), 2.0, 2.7),
            Sway((-0.03, 0.3, 0.12, 0.66), 1.6, 3.4),
            Sway((0.5, 0.56, 0.84, 0.68), 1.2, 2.2),
        ),
        lamp=None,
        shade=0.22,
    )


def _garden() -> Place:
    """A lawn with a gravel path in front of a hedge."""
    height, width = 480, 640
    full = (height + 2 * MARGIN, width + 2 * MARGIN)
    lawn_top = 150
    world = np.zeros((*full, 3), np.float32)
    china = photo("china.jpg")
    bushes = china[322:425, 362:640]
    hedge = cv2.resize(bushes, (full[1], lawn_top + 26), interpolation=cv2.INTER_CUBIC)
    hedge = cv2.GaussianBlur(hedge, (0, 0), 1.0).astype(np.float32) * 1.1
    lawn_size = (full[0] - lawn_top, full[1])
    grass = _floor(photo("grass.png"), lawn_size, 110, (0.0, 1.0), 6.0)
    gravel = _floor(photo("gravel.png"), lawn_size, 110, (0.0, 1.0), 8.0)
    lawn = _toned(grass, (0.95, 1.04, 0.62), 108, 0.7)
    path = _toned(gravel, (1.08, 1.0, 0.88), 150, 0.65)
    cover = _path_cover(lawn_size)[..., None]
    world[lawn_top:] = lawn * (1 - cover) + path * cover
    blend = _ragged((26, full[1]))[..., None]
    joined = world[lawn_top : lawn_top + 26] * blend + hedge[lawn_top:] * (1 - blend)
    world[:lawn_top] = hedge[:lawn_top]
    world[lawn_top : lawn_top + 26] = joined
    _shadow_line(world, lawn_top + 14, 40, 0.4)
    return Place(
        name="garden",
        photos=("grass.png", "gravel.png", "china.jpg"),
        size=(height, width),
        world=_finished(world, 0.6),
        ground=((0.03, 0.55), (0.97, 0.55), (0.97, 0.98), (0.03, 0.98)),
        sways=(
            Sway((-0.03, -0.03, 0.33, 0.24), 1.8, 2.9),
            Sway((0.35, -0.03, 0.7, 0.24), 1.8, 2.4),
            Sway((0.72, -0.03, 1.03, 0.24), 1.8, 3.3),
        ),
        lamp=None,
        shade=0.2,
    )


_BUILDERS: dict[str, Callable[[], Place]] = {
    "garden": _garden,
    "terrace": _terrace,
    "workshop": _workshop,
    "yard": _yard,
}

_PAVING = (0.13, 0.82)
"""Where the vertical joints at the lower corners of brick.png meet its upper edge."""


def _floor(
    texture: Pixels,
    size: tuple[int, int],
    below_horizon: float,
    top: tuple[float, float],
    tiles: float,
) -> Floats:
    """Lay a texture on the ground.

    Args:
        texture: A picture seen from above, or nearly.
        size: (height, width) of the floor's part of the view.
        below_horizon: Rows from the horizon to the floor's far end.
        top: The part of the texture's upper edge that is as wide as its lower edge.
        tiles: How many textures lie beside each other at the far end.
    """
    side = 512
    flat = _flat(texture, top, side)
    flat = np.hstack([flat, flat[:, ::-1]])
    flat = np.hstack([flat] * (1 + int(tiles)))
    flat = np.vstack([flat, flat[::-1]] * 3)
    height, width = size
    nearer = (below_horizon + height) / below_horizon
    # On a plane, a row's scale grows with its distance below the horizon, so depth falls as 1/y.
    rows = below_horizon + np.arange(height, dtype=np.float32)
    per_px = side * tiles / width  # texture pixels a pixel at the far end
    depth = per_px * below_horizon * 3.2 * (1 - below_horizon / rows)
    xs = np.arange(width, dtype=np.float32) - width / 2
    map_x = flat.shape[1] / 2 + side / 2 + xs[None, :] * (per_px * below_horizon / rows)[:, None]
    map_y = np.repeat((flat.shape[0] - 1 - depth[::-1].max() + depth)[:, None], width, axis=1)
    # The far end shrinks the texture most: smooth it there, or it shimmers.
    near = cv2.remap(flat, map_x, map_y.astype(np.float32), cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(flat, (0, 0), max(0.5, 0.45 * per_px))
    far = cv2.remap(soft, map_x, map_y.astype(np.float32), cv2.INTER_LINEAR)
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** (1 / nearer)
    return (far * (1 - share) + near * share).astype(np.float32)


def _flat(texture: Pixels, top: tuple[float, float], side: int) -> Pixels:
    """The texture seen from straight above, [side, side, 3]."""
    corners = np.array([[top[0], 0], [top[1], 0], [1, 1], [0, 1]], np.float32)
    corners *= np.array([texture.shape[1] - 1, texture.shape[0] - 1], np.float32)
    last = side - 1
    to = np.array([[0, 0], [last, 0], [last, last], [0, last]], np.float32)
    turn = cv2.getPerspectiveTransform(corners, to)
    return cv2.warpPerspective(texture, turn, (side, side), flags=cv2.INTER_AREA).astype(np.uint8)


def _toned(
    picture: Floats, tint: tuple[float, float, float], mean: float, contrast: float
) -> Floats:
    """Give a grey texture a colour, a brightness, and the uneven light of a real ground."""
    rng = np.random.default_rng(7)
    height, width = picture.shape[:2]
    patches = rng.normal(1, 0.09, (max(2, height // 40), max(2, width // 60), 3))
    patches = patches * 0.12 + patches.mean(axis=2, keepdims=True) * 0.88
    uneven = cv2.resize(patches.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    grey = (picture - picture.mean()) * contrast + mean
    return (grey * np.array(tint, np.float32) * uneven).astype(np.float32)


def _parapet(size: tuple[int, int]) -> Floats:
    """A low stone wall, its upper side lit."""
    height, width = size
    stone = cv2.resize(photo("gravel.png")[:160], (width, 160), interpolation=cv2.INTER_AREA)
    stone = cv2.resize(cv2.GaussianBlur(stone, (0, 0), 2.5), (width, height))
    wall = _toned(stone.astype(np.float32), (1.04, 1.0, 0.93), 128, 0.35)
    light = np.full((height, 1, 1), 1.0, np.float32)
    light[: height // 3] = 1.45
    light[height // 3 : height // 3 + 2] = 0.72
    light[-6:] *= np.linspace(1, 0.7, 6, dtype=np.float32)[:, None, None]
    return wall * light


def _path_cover(size: tuple[int, int]) -> Floats:
    """Where the gravel lies: a path that narrows with the distance, its edge eaten by grass."""
    height, width = size
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    columns = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    middle = 0.66 - 0.2 * rows**1.6
    half = 0.05 + 0.2 * rows
    rng = np.random.default_rng(3)
    rough = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 2.2)
    distance = half - np.abs(columns - middle) + 0.05 * rough * (0.4 + rows)
    return np.clip(distance / 0.008 + 0.5, 0, 1).astype(np.float32)


def _bush_cover(size: tuple[int, int]) -> Floats:
    """Where leaves are: a round bush with an uneven outline."""
    height, width = size
    rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    rng = np.random.default_rng(4)
    rough = sum(
        reach * cv2.GaussianBlur(rng.normal(0, 1, size).astype(np.float32), (0, 0), reach)
        for reach in (2.0, 6.0, 14.0)
    )
    upper = 1 - (np.abs(columns) ** 2.5 + np.abs(np.minimum(rows + 0.1, 0) * 1.15) ** 2.5)
    lower = 1 - np.abs(columns) ** 2.5 - np.maximum(rows - 0.82, 0) * 6
    inside = np.minimum(upper, lower) + 0.16 * rough
    return np.clip(inside * 12, 0, 1).astype(np.float32)


def _ragged(size: tuple[int, int]) -> Floats:
    """An uneven edge between hedge and lawn, 0 above and 1 below."""
    height, width = size
    rng = np.random.default_rng(5)
    rough = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 2.0)
    rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return np.clip((rows + 2.5 * rough) * 2 + 0.5, 0, 1).astype(np.float32)


def _shadow_line(world: Floats, row: int, reach: int, strength: float) -> None:
    """Darken the ground at the foot of whatever stands behind it."""
    fade = np.linspace(strength, 0, reach, dtype=np.float32)[:, None, None]
    world[row : row + reach] *= 1 - fade


def _blot(world: Floats, centre: tuple[int, int], reach: tuple[int, int], strength: float) -> None:
    """Darken the ground under something round."""
    rows, columns = np.ogrid[: world.shape[0], : world.shape[1]]
    far = ((columns - centre[0]) / reach[0]) ** 2 + ((rows - centre[1]) / reach[1]) ** 2
    world *= (1 - strength * np.exp(-(far**2)))[..., None].astype(np.float32)


def _finished(world: Floats, blur: float) -> Pixels:
    """One lens for all parts: the same softness everywhere."""
    soft = cv2.GaussianBlur(world, (0, 0), blur)
    return np.clip(soft, 0, 255).astype(np.uint8)
