"""Nuisances of light: exposure, dusk, mains flicker, sun, headlights."""

import math

import cv2
import numpy as np

from app.simulator.effects import Effect, Moment, Scope
from app.simulator.scene import Floats

_RAMP_S = 1.0
"""A camera needs so long for a new exposure."""


class Exposure(Effect):
    """A step of the exposure; what gets too bright is lost."""

    def __init__(self, gain: float) -> None:
        """Go to `gain` times the exposure within a second."""
        self._gain = gain

    def lit(self, lit: Floats, at: Moment) -> Floats:
        """See `Effect`."""
        share = min(1.0, at.time_s / _RAMP_S)
        lit *= np.float32(1 + share * (self._gain - 1))
        return lit


class Dusk(Effect):
    """It gets darker and bluer, within five minutes to 45% of the light, and noisier."""

    def lit(self, lit: Floats, at: Moment) -> Floats:
        """See `Effect`."""
        share = min(1.0, at.time_s / 300)
        gain = 1 - 0.55 * share
        lit *= np.array([gain * (1 - 0.06 * share), gain, gain * (1 + 0.08 * share)], np.float32)
        return lit


class Flicker(Effect):
    """Lamps at mains frequency against the frame rate: brightness beats by 15%."""

    def lit(self, lit: Floats, at: Moment) -> Floats:
        """See `Effect`."""
        lit *= np.float32(1 + 0.15 * math.sin(2 * math.pi * 1.73 * at.time_s))
        return lit


class Bands(Effect):
    """The same with a rolling shutter: dark bands of 12% wander over the picture."""

    def lit(self, lit: Floats, at: Moment) -> Floats:
        """See `Effect`."""
        rows = np.linspace(0, 1, lit.shape[0], dtype=np.float32)
        phase = 2 * math.pi * (2.5 * rows - 0.31 * at.time_s)
        lit *= (1 + np.float32(0.12) * np.sin(phase))[:, None, None]
        return lit


class SunPatch(Effect):
    """A patch of sun with hard edges, 1.6 times as bright, that wanders slowly."""

    def __init__(self, scope: Scope) -> None:
        """Draw where it falls."""
        rng = scope.rng(1)
        height, width = scope.size
        middle = np.array([rng.uniform(0.3, 0.7) * width, rng.uniform(0.35, 0.7) * height])
        angles = np.sort(rng.uniform(0, 2 * math.pi, 5))
        reach = rng.uniform(0.14, 0.24, 5) * width
        corners = middle + np.stack([np.cos(angles), 0.8 * np.sin(angles)], 1) * reach[:, None]
        self._corners = cv2.convexHull(corners.astype(np.float32))[:, 0]
        self._drift = rng.uniform(-0.06, 0.06, 2) * scope.unit

    def lit(self, lit: Floats, at: Moment) -> Floats:
        """See `Effect`."""
        mask = np.zeros(lit.shape[:2], np.float32)
        corners = self._corners + self._drift * at.time_s
        cv2.fillPoly(mask, [np.rint(corners * 8).astype(np.int32)], (1.0,), shift=3)
        mask = cv2.GaussianBlur(mask, (0, 0), 1.2)
        share = 0.6 * min(1.0, at.time_s / 2)
        lit *= 1 + mask[..., None] * np.array([share * 1.05, share, share * 0.9], np.float32)
        return lit


class Headlights(Effect):
    """A pair of headlights sweeps over the view every ten seconds, four seconds long."""

    def __init__(self, scope: Scope) -> None:
        """Draw from which side."""
        self._scope = scope

    def lit(self, lit: Floats, at: Moment) -> Floats:
        """See `Effect`."""
        passed, since = divmod(at.time_s, 10.0)
        if since > 4:
            return lit
        rng = self._scope.rng(2, int(passed))
        along = since / 4 if rng.random() < 0.5 else 1 - since / 4
        row = rng.uniform(0.45, 0.8)
        height, width = lit.shape[0] // 4, lit.shape[1] // 4
        ys = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        xs = np.linspace(0, 1, width, dtype=np.float32)[None, :]
        middle = -0.25 + 1.5 * along
        beam = np.zeros((height, width), np.float32)
        for side in (-0.07, 0.07):
            beam += np.exp(-(((xs - middle - side) / 0.12) ** 2 + ((ys - row) / 0.16) ** 2))
        gain = cv2.resize(beam, lit.shape[1::-1], interpolation=cv2.INTER_LINEAR)[..., None]
        lit *= 1 + gain * np.array([0.85, 0.8, 0.68], np.float32)
        lit += gain * np.float32(14)
        return lit
