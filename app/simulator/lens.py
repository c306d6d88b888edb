"""Nuisances at the camera: moved, shaken, covered, out of focus, dirty glass, its electronics."""

import math
from dataclasses import replace

import cv2
import numpy as np

from app.simulator.effects import Effect, Moment, Scope
from app.simulator.photos import photo
from app.simulator.scene import Aim, Floats, compressed
from detectors.types import Pixels


class Shake(Effect):
    """A pole in the wind."""

    def __init__(self, times: float) -> None:
        """Shake so many times as on an ordinary day (6.7: 3 px)."""
        self._times = times

    def aimed(self, aim: Aim, at: Moment) -> Aim:
        """See `Effect`."""
        return replace(aim, shake=aim.shake * self._times)


class Wind(Effect):
    """Leaves sway farther than while it was learned."""

    def __init__(self, times: float) -> None:
        """Sway so many times as far (3.5: 4 to 7 px)."""
        self._times = times

    def aimed(self, aim: Aim, at: Moment) -> Aim:
        """See `Effect`."""
        return replace(aim, sway=aim.sway * self._times)


class Nudge(Effect):
    """Somebody touches the camera: it looks elsewhere from one frame to the next."""

    def __init__(self, scope: Scope, reach_px: float) -> None:
        """Move the picture by `reach_px` in a direction that is drawn, rather across than down."""
        rng = scope.rng(3)
        angle = rng.choice([0, math.pi]) + rng.uniform(-0.6, 0.6)
        reach = reach_px * scope.unit
        self._shift = (reach * math.cos(angle), reach * math.sin(angle))

    def aimed(self, aim: Aim, at: Moment) -> Aim:
        """See `Effect`."""
        x, y = aim.shift
        return replace(aim, shift=(x + self._shift[0], y + self._shift[1]))


class Infrared(Effect):
    """Night mode: grey, lit by the camera's own lamp, brighter leaves, more noise."""

    def lit(self, lit: Floats, at: Moment) -> Floats:
        """See `Effect`."""
        height, width = lit.shape[:2]
        grey = cv2.transform(lit, np.array([[0.45, 0.4, 0.15]], np.float32))
        ys = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        xs = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
        lamp = 1.12 - 0.28 * (0.7 * xs**2 + 0.5 * ys**2)
        return np.asarray(np.repeat((grey * lamp)[..., None], 3, axis=2), np.float32)

    def coded(self, seen: Pixels, at: Moment) -> Pixels:
        """See `Effect`."""
        grey = cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY)
        return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)


class Compression(Effect):
    """The recorder saves bandwidth."""

    def __init__(self, quality: int) -> None:
        """Pack as JPEG of this quality, 1 to 100."""
        self._quality = quality

    def coded(self, seen: Pixels, at: Moment) -> Pixels:
        """See `Effect`."""
        return compressed(seen, self._quality)


class Frozen(Effect):
    """The last picture is sent again and again."""

    stops = True


class Covered(Effect):
    """Something dark and out of focus is pushed before the lens within a second and stays there."""

    def __init__(self, scope: Scope) -> None:
        """Draw its colour and from which side it comes."""
        rng = scope.rng(4)
        height, width = scope.size
        colour = rng.uniform(25, 70) * np.array([1.1, 0.95, 0.85])
        coarse = rng.normal(1, 0.12, (4, 5)).astype(np.float32)
        tone = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        self._cloth = (tone[..., None] * colour).astype(np.float32)
        self._side = float(rng.choice([-1, 1]))

    def lit(self, lit: Floats, at: Moment) -> Floats:
        """See `Effect`."""
        xs = np.linspace(-1, 1, lit.shape[1], dtype=np.float32)[None, :, None]
        edge = -1.4 + 2.8 * min(1.0, at.time_s)
        cover = np.clip((edge - self._side * xs) / 0.4 + 0.5, 0, 1)
        return np.asarray(lit * (1 - cover) + self._cloth * cover, np.float32)


class OutOfFocus(Effect):
    """The lens loses its focus within two seconds."""

    def __init__(self, scope: Scope, radius_px: float) -> None:
        """Spread every point over a disc of this radius."""
        self._radius = radius_px * scope.unit

    def lit(self, lit: Floats, at: Moment) -> Floats:
        """See `Effect`."""
        kernel = disc(self._radius * min(1.0, 0.3 + at.time_s / 2))
        return np.asarray(cv2.filter2D(lit, -1, kernel, borderType=cv2.BORDER_REFLECT), np.float32)


class Reflection(Effect):
    """Behind a window pane: a third of another photograph in an ellipse that wanders."""

    def __init__(self, scope: Scope) -> None:
        """Draw what is mirrored, and where."""
        rng = scope.rng(5)
        others = [name for name in ("china.jpg", "flower.jpg") if name not in scope.place.photos]
        other = photo(others[0] if others else "rocket.jpg")
        height, width = scope.size
        mirrored = cv2.resize(other[:, ::-1], (width, height), interpolation=cv2.INTER_AREA)
        self._other = cv2.GaussianBlur(mirrored.astype(np.float32), (0, 0), 1.5 * scope.unit)
        self._phases = rng.uniform(0, 2 * math.pi, 2)

    def lit(self, lit: Floats, at: Moment) -> Floats:
        """See `Effect`."""
        height, width = lit.shape[:2]
        x = 0.5 + 0.3 * math.sin(2 * math.pi * at.time_s / 29 + self._phases[0])
        y = 0.45 + 0.2 * math.sin(2 * math.pi * at.time_s / 41 + self._phases[1])
        xs = np.linspace(0, 1, width, dtype=np.float32)[None, :]
        ys = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        far = np.sqrt(((xs - x) / 0.16) ** 2 + ((ys - y) / 0.24) ** 2)
        share = 0.35 * np.clip((1 - far) / 0.25, 0, 1)[..., None]
        moved = np.roll(self._other, round(10 * at.time_s * width / 640), axis=1)
        return np.asarray(lit * (1 - share) + moved * share, np.float32)


def disc(radius: float) -> Floats:
    """What a point becomes out of focus: a disc of this radius with a soft rim, sum 1."""
    reach = math.ceil(radius)
    ys, xs = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(xs, ys), 0, 1).astype(np.float32)
    return kernel / kernel.sum()
