"""Nuisances in the air: rain, snow, insects. Everything is drawn as it moves past a shutter."""

import math

import cv2
import numpy as np

from app.simulator.effects import Effect, Moment, Scope
from app.simulator.scene import Floats

_FINE = 8
"""Lines and discs are drawn at eighths of a pixel."""


class Rain(Effect):
    """Streaks of falling drops, near ones long and faint, and a veil over what is far."""

    def __init__(self, scope: Scope) -> None:
        """Draw how hard and how slanted it falls."""
        rng = scope.rng(6)
        self._scope = scope
        self._drops = round(rng.uniform(150, 260))
        self._slant = rng.uniform(-0.25, 0.25)

    def lit(self, lit: Floats, at: Moment) -> Floats:
        """See `Effect`."""
        rng = self._scope.rng(6, at.index)
        height, width = lit.shape[:2]
        unit, growing = self._scope.unit, min(1.0, 0.2 + at.time_s / 5)
        streaks = np.zeros((height, width), np.float32)
        for _ in range(round(self._drops * growing)):
            near = float(rng.beta(1.2, 3))
            long = (9 + 60 * near) * unit
            x, y = rng.uniform(-0.1, 1.1) * width, rng.uniform(-0.1, 1) * height
            end = (x + (self._slant + rng.normal(0, 0.02)) * long, y + long)
            strong = (0.30 - 0.14 * near) * rng.uniform(0.5, 1)
            _stroke(streaks, (x, y), end, strong, (1 + 2 * near) * unit)
        cover = np.clip(cv2.GaussianBlur(streaks, (0, 0), max(0.4, 0.7 * unit)), 0, 0.6)
        cover += np.float32(0.05 * growing)
        # A drop shows the bright sky, upside down.
        sky = np.float32(min(250.0, 60 + 1.1 * float(lit[::16, ::16].mean())))
        lit += cover[..., None] * (sky - lit)
        return lit


class Snow(Effect):
    """Flakes of several sizes, coherent from frame to frame where they are far and slow."""

    def __init__(self, scope: Scope) -> None:
        """Draw the flakes."""
        rng = scope.rng(7)
        flakes = round(rng.uniform(170, 280))
        self._scope = scope
        self._near = rng.beta(1.0, 4.0, flakes)
        self._from = rng.uniform(0, 1, (flakes, 2))
        self._fall = (60 + 420 * self._near) * rng.uniform(0.8, 1.2, flakes)
        self._wind = rng.normal(0, 40) * (0.4 + self._near) + rng.normal(0, 12, flakes)
        self._turn = rng.uniform(0, 2 * math.pi, flakes)

    def lit(self, lit: Floats, at: Moment) -> Floats:
        """See `Effect`."""
        height, width = lit.shape[:2]
        unit, growing = self._scope.unit, min(1.0, 0.2 + at.time_s / 5)
        flakes = np.zeros((height, width), np.float32)
        sway = 6 * np.sin(2.1 * at.time_s + self._turn)
        rim = 30 * unit
        xs = (self._from[:, 0] * width + unit * (self._wind * at.time_s + sway)) % (width + 2 * rim)
        ys = (self._from[:, 1] * height + unit * self._fall * at.time_s) % (height + 2 * rim)
        for number in range(round(len(xs) * growing)):
            near = float(self._near[number])
            x, y = xs[number] - rim, ys[number] - rim
            # The shutter is open for a hundredth of a second.
            to = (x + 0.01 * unit * self._wind[number], y + 0.01 * unit * self._fall[number])
            _stroke(flakes, (x, y), to, 0.95 - 0.5 * near, (1.6 + 9 * near) * unit)
        cover = np.clip(cv2.GaussianBlur(flakes, (0, 0), max(0.4, 0.8 * unit)), 0, 0.95)
        lit += cover[..., None] * (np.float32(232) - lit)
        return lit


class Insects(Effect):
    """Insects before the lens, large and out of focus, for some frames each, one a second."""

    _EVERY_S = 1.0

    def __init__(self, scope: Scope) -> None:
        """Nothing is drawn beforehand."""
        self._scope = scope

    def lit(self, lit: Floats, at: Moment) -> Floats:
        """See `Effect`."""
        latest = int(at.time_s // self._EVERY_S)
        for number in range(max(0, latest - 1), latest + 1):
            self._fly(lit, number, at.time_s - number * self._EVERY_S)
        return lit

    def _fly(self, lit: Floats, number: int, since_s: float) -> None:
        rng = self._scope.rng(8, number)
        lasts_s = rng.uniform(0.3, 1.6)
        if since_s > lasts_s:
            return
        height, width = lit.shape[:2]
        start, way = rng.uniform(0.1, 0.9, 2), rng.normal(0, 0.5, 2)
        curve = rng.normal(0, 0.25, 2)
        radius = rng.uniform(0.01, 0.04) * width
        tone, strong = float(rng.choice([30.0, 225.0])), rng.uniform(0.45, 0.8)

        def point(time_s: float) -> tuple[float, float]:
            x, y = start + way * time_s + curve * np.sin(5 * time_s)
            return float(x) * width, float(y) * height

        blob = np.zeros((height, width), np.float32)
        _stroke(blob, point(since_s), point(since_s + 0.025), 1.0, 2 * radius)
        blob = cv2.GaussianBlur(blob, (0, 0), 0.45 * radius)
        lit += (np.float32(strong) * blob)[..., None] * (np.float32(tone) - lit)


def _stroke(
    over: Floats, start: tuple[float, float], end: tuple[float, float], value: float, thick: float
) -> None:
    """Draw a line with round ends, at least a pixel thick."""
    (x1, y1), (x2, y2) = start, end
    first = round(x1 * _FINE), round(y1 * _FINE)
    last = round(x2 * _FINE), round(y2 * _FINE)
    cv2.line(over, first, last, (value,), max(1, round(thick)), cv2.LINE_AA, 3)
