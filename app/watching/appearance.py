"""How a whole picture looks beside the learned one: its light, sharpness, blocks and colour.

Measured on seven simulated scenes, of ordinary frames / of the fault: fine detail over light .96 to
1.1 / .15 to .2 out of focus; steps at the edges of 8 x 8 blocks 1.04 to 1.2 / 2.1 to 2.3 at JPEG
quality 15; bright pixels beside the learned share 0 to .06 / .2 to .85 over-exposed.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from detectors.learned import LearnedView
from detectors.types import Pixels

type Look = Literal["overexposed", "underexposed", "blurred", "compressed"]

_BRIGHT, _DARK = 250, 12
"""Grey levels from which on, and up to which, a pixel shows nothing."""
_MORE_BRIGHT = 0.12
"""Share of the picture that became bright, and ..."""
_LIGHTER = 1.4
"""... how much lighter it is as a whole, of one that is over-exposed."""
_DARKER = 0.25
"""Dusk is darker than what was learned, too: under-exposed is what is darker than this share of it
..."""
_MORE_DARK = 0.25
"""... and has become dark over so much of the picture."""
_SOFT = 0.5
"""Share of the learned picture's fine detail, at its light, below which one is out of focus."""
_BLOCKY = 1.35
"""Steps at the edges of blocks, over what the learned picture has."""
_LEAST_BLOCKY = 1.15
_MORE_STEP = 1.4
"""Grey levels by which they must be larger: in the dark any compression is coarse."""
_FINE = 1.2
"""Spread of the blur that takes fine detail away, pixels."""
_BLOCK = 8


@dataclass(frozen=True, slots=True)
class _Measured:
    light: float
    """Mean grey level."""
    fine: float
    """Spread of the fine detail, grey levels."""
    bright: float
    dark: float
    """Shares of the picture."""


class Appearance:
    """Names what is wrong with a picture as a whole, beside the learned one."""

    def __init__(self, view: LearnedView) -> None:
        """Take what the camera usually shows."""
        self._size = view.picture.shape[:2]
        self._usual = _measured(_grey(view.picture))
        whole = self._size == view.frame_size
        self._blocks = max(_LEAST_BLOCKY, _blocks(_grey(view.picture))[0] if whole else 0.0)

    def of(self, image: Pixels) -> Look | None:
        """What is wrong with an image [H, W, 3] of the view; None if nothing that has a name."""
        grey = _grey(image)
        now, usual = _measured(_scaled(grey, self._size)), self._usual
        gain = max(now.light, 1.0) / max(usual.light, 1.0)
        if now.bright - usual.bright > _MORE_BRIGHT and gain > _LIGHTER:
            return "overexposed"
        if gain < _DARKER and now.dark - usual.dark > _MORE_DARK:
            return "underexposed"
        if now.fine < _SOFT * gain * usual.fine:
            return "blurred"
        over, more = _blocks(grey)
        blocky = over > _BLOCKY * self._blocks and more > _MORE_STEP
        return "compressed" if blocky else None


def _grey(image: Pixels) -> Pixels:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def _scaled(grey: Pixels, size: tuple[int, ...]) -> Pixels:
    if grey.shape == size:
        return grey
    return cv2.resize(grey, (size[1], size[0]), interpolation=cv2.INTER_AREA).astype(np.uint8)


def _measured(grey: Pixels) -> _Measured:
    floats = grey.astype(np.float32)
    fine = floats - cv2.GaussianBlur(floats, (0, 0), _FINE)
    return _Measured(
        float(floats.mean()),
        float(fine.std()),
        float((grey >= _BRIGHT).mean()),
        float((grey <= _DARK).mean()),
    )


def _blocks(grey: Pixels) -> tuple[float, float]:
    """Steps at the edges of blocks of 8 pixels: over those inside, and how many levels more."""
    edge, inside = np.mean([_steps(grey[::2].T), _steps(grey[:, ::2])], axis=0)
    return float(edge / max(inside, 1e-3)), float(edge - inside)


def _steps(lines: Pixels) -> tuple[float, float]:
    """Mean steps from line to line [N, W] at the edges of blocks and inside them, grey levels."""
    steps = np.abs(np.diff(lines.astype(np.int16), axis=0)).mean(axis=1)
    whole = len(steps) // _BLOCK * _BLOCK
    if not whole:
        return 0.0, 0.0
    by_place = steps[:whole].reshape(-1, _BLOCK).mean(axis=0)
    return float(by_place[-1]), float(np.median(by_place[:-1]))
