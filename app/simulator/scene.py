"""A fixed camera's picture of a place: shake, light, noise, and things standing in it."""

import math
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.simulator.cutouts import Sticker
from app.simulator.places import MARGIN, Lamp, Place, Sway
from detectors.types import Pixels

type Floats = NDArray[np.float32]

COARSE = 8
"""Light changes slowly over the picture: it is worked out on every 8th pixel."""

SHADOW_STRENGTH = 0.48


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """An object ready to be laid over a place."""

    colour: Floats
    """RGB times coverage, [H, W, 3]."""
    through: Floats
    """How much of what is behind shows through, shadow included, 0 to 1, [H, W, 1]."""
    corner: tuple[int, int]
    """x, y of the upper left pixel at rest, in pixels of the place's world."""

    def over(self, world: Pixels, shift: tuple[int, int] = (0, 0)) -> None:
        """Lay the object over `world`, `shift` pixels from where it rests, cut at its edges."""
        height, width = self.through.shape[:2]
        x, y = self.corner[0] + shift[0], self.corner[1] + shift[1]
        x1, y1 = max(x, 0), max(y, 0)
        x2, y2 = min(x + width, world.shape[1]), min(y + height, world.shape[0])
        if x1 >= x2 or y1 >= y2:
            return
        part = np.s_[y1 - y : y2 - y, x1 - x : x2 - x]
        behind = world[y1:y2, x1:x2]
        world[y1:y2, x1:x2] = (behind * self.through[part] + self.colour[part] + 0.5).astype(
            np.uint8
        )

    def smeared(self, reach: tuple[int, int]) -> Self:
        """The same object blurred by its motion over `reach` pixels while the shutter is open."""
        size = (max(1, abs(reach[0])), max(1, abs(reach[1])))
        if size == (1, 1):
            return self
        colour = cv2.blur(self.colour, size, borderType=cv2.BORDER_CONSTANT)
        lost = cv2.blur(1 - self.through, size, borderType=cv2.BORDER_CONSTANT)
        return type(self)(_floats(colour), _floats(1 - lost)[..., None], self.corner)

    def faded(self, contrast: float) -> Self:
        """The same object with this share, 0 to 1, of its difference from what lies behind."""
        if contrast == 1:
            return self
        share = np.float32(contrast)
        return type(self)(self.colour * share, 1 - (1 - self.through) * share, self.corner)


def lay(sticker: Sticker, corner: tuple[int, int], place: Place, shadow: bool) -> Layer:
    """Match an object to the light of the place and give it a shadow.

    Args:
        sticker: The object at its size.
        corner: x, y of its upper left pixel in pixels of the place's world.
        place: Where it stands.
        shadow: Whether it stands on the ground and throws a shadow there.
    """
    height, width = sticker.size
    pad = max(12, round(0.3 * width))
    colour = _matched(sticker, _around(place, corner, sticker.size), place)
    alpha = cv2.copyMakeBorder(sticker.alpha, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0.0)
    colour = cv2.copyMakeBorder(colour, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0.0)
    # A lens of the same softness as the place's, so that the edge is not sharper than the rest.
    mixed = cv2.GaussianBlur(colour * alpha[..., None], (0, 0), 0.6)
    alpha = _floats(cv2.GaussianBlur(alpha, (0, 0), 0.6))
    through = 1 - alpha
    if shadow:
        through = through * (1 - _shadow(alpha, pad, (height, width)))
    return Layer(_floats(mixed), _floats(through)[..., None], (corner[0] - pad, corner[1] - pad))


def _around(place: Place, corner: tuple[int, int], size: tuple[int, int]) -> Floats:
    """What the place looks like where the object will stand, and a little around it."""
    rim = max(8, size[1] // 4)
    x, y = corner
    world = place.world
    rows = slice(max(0, y - rim), min(world.shape[0], y + size[0] + rim))
    columns = slice(max(0, x - rim), min(world.shape[1], x + size[1] + rim))
    return world[rows, columns].astype(np.float32)


def _matched(sticker: Sticker, around: Floats, place: Place) -> Floats:
    """Bring brightness, contrast and colour of the light part of the way to the place's."""
    inside = sticker.alpha > 0.5 * sticker.alpha.max()  # of a hair nothing is opaque
    own = sticker.colour[inside]  # [N, 3]
    own_mean, own_std = float(own.mean()), float(own.mean(axis=1).std()) + 1
    goal = own_mean + 0.35 * (float(around.mean()) - own_mean)
    contrast = float(np.clip((around.mean(axis=2).std() / own_std) ** 0.25, 0.8, 1.12))
    means = place.world.reshape(-1, 3).mean(axis=0)
    cast = np.clip((means / means.mean()) ** 0.4, 0.9, 1.1)
    lit = ((sticker.colour - own_mean) * contrast + goal) * cast
    # Light comes from above: the foot of a thing is a little darker than its head.
    fall = np.linspace(1.04, 0.88, lit.shape[0])[:, None, None]
    return np.clip(lit * fall, 4, 250).astype(np.float32)


def _shadow(alpha: Floats, pad: int, size: tuple[int, int]) -> Floats:
    """A dark line where the object touches the ground and a soft shadow leaning to the right."""
    height, width = size
    foot = pad + height
    low = max(3, round(0.12 * height))
    base = alpha[foot - low : foot].max(axis=0)
    depth = min(max(4.0, 0.09 * width), 16.0)
    rows = np.arange(alpha.shape[0], dtype=np.float32)[:, None]
    touch = np.exp(-(((rows - foot + 0.2 * depth) / (0.5 * depth)) ** 2)) * base[None, :]
    touch = cv2.GaussianBlur(touch, (0, 0), depth / 3)
    # The cast shadow is the outline laid down on the ground: squashed and sheared.
    lean, squash = 0.35, 0.28
    turn = np.array(
        [[1, -lean * squash, lean * squash * foot], [0, squash, foot - squash * foot]], np.float32
    )
    cast = cv2.warpAffine(alpha, turn, alpha.shape[::-1])
    cast = cv2.GaussianBlur(cast, (0, 0), max(1.5, 0.03 * width))
    return _floats(np.clip(SHADOW_STRENGTH * (1.1 * touch + 0.55 * cast), 0, 0.75))


@dataclass(frozen=True, slots=True)
class Weather:
    """How hard a day is; the defaults are the demo's."""

    exposure: float = 1.0
    """How far the exposure wanders, over the 7% of an ordinary day."""
    warmth: float = 1.0
    """How far the colour of the light wanders, over the 1.2% of an ordinary day."""
    shade: float = 1.0
    """How dark passing shadows are, over what is usual at the place."""
    jpeg: tuple[int, int] | None = None
    """Lowest and highest quality of the camera's own compression, 1 to 100; None for none."""
    drift: float = 0.0
    """How far the light wanders over the hours, over 12%; if at all, no two shadows pass alike."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What moves a camera or the view besides an ordinary day."""

    shift: tuple[float, float] = (0.0, 0.0)
    """How far the picture has moved right and down, in pixels of the frame."""
    shake: float = 1.0
    """How much the camera shakes, over an ordinary day."""
    sway: float = 1.0
    """How far leaves move, over an ordinary day."""


STILL = Aim()
"""An ordinary day."""


class Camera:
    """Looks at one place and gives the picture of any moment, the same for the same seed."""

    def __init__(
        self, place: Place, seed: int, frames: int, fps: float, weather: Weather | None = None
    ) -> None:
        """Draw the day: how the camera shakes and how the light wanders.

        Args:
            place: What it looks at.
            seed: Another seed is another day.
            frames: How many frames will be asked for; it shakes as before after them.
            fps: Frames a second.
            weather: How hard the day is; by default as in the demo.
        """
        rng = np.random.default_rng((seed, 11))
        self._weather = weather or Weather()
        self._place, self._seed, self._fps = place, seed, fps
        pixel = place.size[1] / 640
        reach = np.array([0.45 * pixel, 0.4 * pixel, 0.0005, 0.0004])
        self._shake = _wander(rng, frames, 0.65) * reach
        self._phases = rng.uniform(0, 2 * math.pi, 12)
        height, width = place.size
        self._noise = [
            cv2.GaussianBlur(
                rng.normal(0, 1.25, (height + 64, width + 64, 3)).astype(np.float32), (0, 0), 0.45
            )
            for _ in range(2)
        ]
        self._leaves = [_Leaves(sway, place, rng) for sway in place.sways]

    def picture(self, index: int, world: Pixels) -> Pixels:
        """Take frame `index` of `world` (the place with whatever stands in it).

        Returns:
            RGB, uint8 [H, W, 3], of the place's size.
        """
        return self.developed(self.exposed(index, world), index)

    def exposed(self, index: int, world: Pixels, aim: Aim = STILL) -> Floats:
        """The light that falls on the sensor in frame `index`.

        Args:
            index: Number of the frame, from 0.
            world: The place with whatever stands in it.
            aim: What moves the camera besides an ordinary day.

        Returns:
            RGB from 0 to 255 and, where it is too bright, above, [H, W, 3].
        """
        time_s = index / self._fps
        moving = world.copy()
        for leaves in self._leaves:
            leaves.blow(moving, time_s, aim.sway)
        if self._place.lamp is not None:
            _shine(moving, self._place.lamp, self._place.size, time_s)
        seen = self._view(moving, index, aim)
        return _floats(cv2.multiply(seen, self._light(time_s), dtype=cv2.CV_32F))

    def developed(self, lit: Floats, index: int) -> Pixels:
        """What sensor and codec make of the light of frame `index`.

        Args:
            lit: RGB [H, W, 3].
            index: Number of the frame, from 0.

        Returns:
            RGB, uint8 [H, W, 3].
        """
        return self._grainy(lit, index)

    def _view(self, world: Pixels, index: int, aim: Aim) -> Pixels:
        dx, dy, zoom, turn = self._shake[index % len(self._shake)] * aim.shake
        dx, dy = dx - aim.shift[0], dy - aim.shift[1]
        height, width = self._place.size
        cos, sin = (1 + zoom) * math.cos(turn), (1 + zoom) * math.sin(turn)
        cx, cy = width / 2, height / 2
        # Maps a pixel of the frame to the world: around the middle, then the margin.
        matrix = np.array(
            [
                [cos, -sin, cx - cos * cx + sin * cy + dx + MARGIN],
                [sin, cos, cy - sin * cx - cos * cy + dy + MARGIN],
            ]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        # Who turns the camera farther than the world goes sees more of the same.
        return cv2.warpAffine(
            world, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101
        ).astype(np.uint8)

    def _light(self, time_s: float) -> Floats:
        """Gain of every pixel and colour [H, W, 3]: exposure, colour and passing shadows."""
        phase = self._phases
        weather = self._weather
        exposure = (
            1
            + weather.exposure * 0.03 * math.sin(2 * math.pi * time_s / 31 + phase[0])
            + weather.exposure * 0.02 * math.sin(2 * math.pi * time_s / 13 + phase[1])
            + weather.exposure * 0.02 * math.sin(2 * math.pi * time_s / 170 + phase[2])
        )
        warmth = weather.warmth * 0.012 * math.sin(2 * math.pi * time_s / 37 + phase[3])
        exposure += weather.drift * 0.12 * math.sin(2 * math.pi * time_s / 2900 + phase[8])
        warmth += weather.drift * 0.015 * math.sin(2 * math.pi * time_s / 2300 + phase[9])
        height, width = self._place.size
        rows = np.linspace(0, 1, height // COARSE, dtype=np.float32)[:, None]
        columns = np.linspace(0, 1, width // COARSE, dtype=np.float32)[None, :]
        shade = np.ones((height // COARSE, width // COARSE), np.float32)
        for number, (period_s, reach) in enumerate(((24.0, 0.3), (35.0, 0.45))):
            passed, along = divmod(time_s / period_s + phase[4 + number] / (2 * math.pi), 1)
            along = along * 2.4 - 0.7
            turns = 2.4 * passed if weather.drift else 0.0
            across = 0.5 + 0.35 * math.sin(phase[6 + number] + turns)
            far = ((columns - along) ** 2 + 0.5 * (rows - across) ** 2) / reach**2
            shade *= 1 - weather.shade * self._place.shade * np.exp(-(far**2))
        gains = _floats([exposure * (1 + warmth), exposure, exposure * (1 - warmth)])
        coarse = shade[..., None] * gains
        return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).astype(
            np.float32
        )

    def _grainy(self, lit: Floats, index: int) -> Pixels:
        """Sensor noise that grows with the light, as photons arrive."""
        rng = np.random.default_rng((self._seed, 13, index))
        x, y, bank = rng.integers(0, 64), rng.integers(0, 64), rng.integers(0, len(self._noise))
        height, width = lit.shape[:2]
        noise = self._noise[bank][y : y + height, x : x + width]
        spread = cv2.sqrt(cv2.addWeighted(lit, 0.03, lit, 0.0, 2.0))
        grainy = cv2.add(lit, cv2.multiply(noise, spread))
        seen = cv2.convertScaleAbs(np.maximum(grainy, 0)).astype(np.uint8)
        if self._weather.jpeg is None:
            return seen
        low, high = self._weather.jpeg
        return compressed(seen, int(rng.integers(low, high + 1)))


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, np.float32)


def compressed(seen: Pixels, quality: int) -> Pixels:
    """What JPEG leaves of a picture."""
    _, packed = cv2.imencode(".jpg", seen[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])


class _Leaves:
    """A patch of the view that the wind moves; it stays still along its rim."""

    def __init__(self, sway: Sway, place: Place, rng: np.random.Generator) -> None:
        height, width = place.size
        x1, y1, x2, y2 = sway.area
        limit_y, limit_x = place.world.shape[:2]
        self._rows = slice(
            max(0, round(y1 * height) + MARGIN), min(limit_y, round(y2 * height) + MARGIN)
        )
        self._columns = slice(
            max(0, round(x1 * width) + MARGIN), min(limit_x, round(x2 * width) + MARGIN)
        )
        size = (self._rows.stop - self._rows.start, self._columns.stop - self._columns.start)
        self._period_s = sway.period_s
        rim = np.outer(np.hanning(size[0] + 2)[1:-1], np.hanning(size[1] + 2)[1:-1]) ** 0.5
        self._x, self._y = np.meshgrid(
            np.arange(size[1], dtype=np.float32), np.arange(size[0], dtype=np.float32)
        )
        self._phase = _smooth(rng, size, 24) * math.pi
        self._reach = (rim * sway.reach_px).astype(np.float32)

    def blow(self, world: Pixels, time_s: float, sway: float) -> None:
        angle = 2 * math.pi * time_s / self._period_s
        gust = 0.65 + 0.35 * math.sin(2 * math.pi * time_s / 17)
        bend = self._reach * np.sin(self._phase + np.float32(angle)) * np.float32(gust * sway)
        patch = world[self._rows, self._columns]
        moved = cv2.remap(
            patch, self._x + bend, self._y + 0.4 * bend, cv2.INTER_LINEAR, None, cv2.BORDER_REFLECT
        )
        world[self._rows, self._columns] = moved


def _smooth(rng: np.random.Generator, size: tuple[int, int], cell: int) -> Floats:
    """Random values that change over about `cell` pixels."""
    coarse = rng.normal(0, 1, (2 + size[0] // cell, 2 + size[1] // cell)).astype(np.float32)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC).astype(np.float32)


def _shine(world: Pixels, lamp: Lamp, size: tuple[int, int], time_s: float) -> None:
    """Add the glow of a blinking lamp while it is on."""
    if (time_s / lamp.period_s) % 1 > 0.5:
        return
    height, width = size
    reach = max(3, round(lamp.radius * width))
    x = round(lamp.centre[0] * width) + MARGIN
    y = round(lamp.centre[1] * height) + MARGIN
    rows, columns = np.ogrid[-2 * reach : 2 * reach + 1, -2 * reach : 2 * reach + 1]
    glow = np.exp(-((rows**2 + columns**2) / (0.8 * reach) ** 2))[..., None]
    part = np.s_[y - 2 * reach : y + 2 * reach + 1, x - 2 * reach : x + 2 * reach + 1]
    bright = world[part] + 0.6 * glow * (np.array(lamp.colour) - world[part])
    world[part] = np.clip(bright, 0, 255).astype(np.uint8)


def _wander(rng: np.random.Generator, frames: int, memory: float) -> Floats:
    """Four random walks that are pulled back to 0, of unit spread, [frames, 4]."""
    steps = rng.normal(0, math.sqrt(1 - memory**2), (frames, 4))
    walk = np.zeros((frames, 4))
    state = rng.normal(0, 1, 4)
    for index in range(frames):
        state = memory * state + steps[index]
        walk[index] = state
    return np.clip(walk, -3, 3).astype(np.float32)
