"""Patches of light, shadows and reflections: the learned picture shines through them.

Sun that falls in, headlights, or another picture in a window pane make a place lighter or darker
and leave its texture; a thing hides it. So what is found is compared with the learned picture in
what differs there: the correlation of the fine texture is .66 to .89 in patches of sun, .41 to .93
in reflections, and below .47 for things (four simulated scenes). A plain place tells nothing.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.watching.course import Since
from app.watching.faults import Fault
from detectors.learned import LearnedView
from detectors.tracks import TrackRule
from detectors.types import Box, Detection, Frame, Pixels

OPEN_SCORE = TrackRule().open_score
SHINES_THROUGH = 0.62
"""Correlation of the fine texture from which on the learned picture shines through."""
LONGEST_S = 60.0
"""A patch that stays is told no longer, and still is no thing."""
_DIFFERS = 0.12
"""Of the logarithm of the light, beside that of the whole picture, where something differs."""
_LEAST_DIFFERS = 0.15
"""Share of a box that must."""
_LEAST_PIXELS = 150
"""... and so many pixels: fewer may be alike by chance."""
_TEXTURE = 0.012
"""Least spread of the fine texture that was learned there, of the logarithm of the light."""
_DARK = 8.0
"""Grey levels added before logarithms, as noise is nearly all there is below."""
_FINE = 5
"""Pixels of the median that fine texture is what is beside of."""
_PART = 11
"""Pixels of a side over which a part is compared."""
_HIDDEN = 0.35
"""Correlation of a part below which something hides the texture, ..."""
_NOISE = 6.0
"""... if it is not just noise of so many grey levels."""
_THING_SHARE = 0.02
"""Share of the picture's longer side from which on what hides it is a thing in the light."""
_REMEMBERED_S = 5.0
"""How long it is remembered where light was, ..."""
_REACH = 9
"""... and so many pixels across around it."""
_LIT_SHARE = 0.7
"""Share of what differs that must have been in the light before, where texture tells nothing."""
_BEGINS_S, _BEGINS = 1.0, 3
"""It is told once it was seen in so many frames of so many seconds and would have been told as a
thing: light that nobody would have heard of is no news, ..."""
_OVER_S = 2.0
"""... and is over if it was not seen for so long."""

type _Floats = NDArray[np.float32]


class Light:
    """Tells light from things among what is found in the frames of one camera."""

    def __init__(self, view: LearnedView | None, open_score: float = OPEN_SCORE) -> None:
        """Begin.

        Args:
            view: What the camera usually shows; without it everything is a thing.
            open_score: What a thing must reach to be told.
        """
        self._view, self._open_score = view, open_score
        self._learned = None if view is None else _logs(view.picture)
        self._seen: deque[tuple[float, int, float]] = deque()
        """When light was seen (seconds, UTC microseconds), and its highest score."""
        self._since: Since | None = None
        size = (1, 1) if view is None else view.picture.shape[:2]
        self._lit = np.full(size, -np.inf)
        """When each pixel of the learned picture [h, w] was last in some light, seconds."""

    @property
    def since(self) -> Since | None:
        """Where the light that lasts began."""
        return self._since

    def places(self, now_s: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Cells of a map [h, w] that were in some light in the last seconds."""
        lit = (now_s - self._lit < _REMEMBERED_S).astype(np.uint8)
        return cv2.resize(lit, shape[::-1], interpolation=cv2.INTER_AREA) > 0

    def fault(self, now_s: float) -> Fault | None:
        """What is to be told of now: "lit", or None."""
        if self._since is None or now_s - self._since.at_s > LONGEST_S:
            return None
        return "lit"

    def see(self, frame: Frame, found: Sequence[Detection]) -> list[Detection]:
        """Take what was found in the next frame.

        Args:
            frame: RGB uint8 [H, W, 3], laid on the view.
            found: Boxes in its pixels.

        Returns:
            The things among it; of a thing in the light, only what it hides.
        """
        things = [*found]
        if found and self._view is not None and self._learned is not None:
            lit = frame.pts_s - self._lit < _REMEMBERED_S
            now = _Seen.of(frame.image, self._learned, lit)
            judged = [(one, now.thing(one)) for one in found]
            things = [thing for _, thing in judged if thing is not None]
            scores = [one.score for one, thing in judged if thing is None]
            if scores:
                self._seen.append((frame.pts_s, frame.time_us, max(scores)))
            self._lit[now.shines] = frame.pts_s
        self._follow(frame.pts_s)
        return things

    def _follow(self, now_s: float) -> None:
        """Note whether light lasts."""
        while self._seen and now_s - self._seen[0][0] > _OVER_S:
            self._seen.popleft()
        newest = [one for one in self._seen if now_s - one[0] <= _BEGINS_S]
        strong = any(score >= self._open_score for *_, score in self._seen)
        if self._since is None and len(newest) >= _BEGINS and strong:
            self._since = Since(*newest[0][:2], len(newest))
        elif not self._seen:
            self._since = None


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """One frame beside the learned picture, both as logarithms of their light [h, w]."""

    now: _Floats
    learned: _Floats
    lighter: float
    """How much lighter it is as a whole."""
    scale: tuple[float, float]
    """From pixels of the frame to theirs, (x, y)."""
    lit: NDArray[np.bool_]
    """What was in some light just before [h, w]."""
    shines: NDArray[np.bool_]
    """What is [h, w], by what was judged so far."""

    @classmethod
    def of(cls, image: Pixels, learned: _Floats, lit: NDArray[np.bool_]) -> "_Seen":
        height, width = image.shape[:2]
        size = learned.shape
        scale = (size[1] / width, size[0] / height)
        if image.shape[:2] != size:
            image = cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_AREA).astype(
                np.uint8
            )
        now = _logs(image)
        lighter = float(np.median((now - learned)[::4, ::4]))
        return cls(now, learned, lighter, scale, lit, np.zeros_like(lit))

    def thing(self, found: Detection) -> Detection | None:
        """What is a thing of something found: all, a part, or None if it is light alone."""
        height, width = self.now.shape
        x, y = self.scale
        box = found.box
        near = Box(box.x1 * x, box.y1 * y, box.x2 * x, box.y2 * y).grown(0.1, (height, width))
        part = np.s_[int(near.y1) : int(np.ceil(near.y2)), int(near.x1) : int(np.ceil(near.x2))]
        now, learned = self.now[part], self.learned[part]
        if min(now.shape) < 2 * _FINE:
            return found
        differs = np.abs(_smooth(now - learned) - self.lighter) > _DIFFERS
        fine, usual = now - _smooth(now), learned - _smooth(learned)
        if differs.mean() < _LEAST_DIFFERS:
            return found
        many = int(differs.sum()) >= _LEAST_PIXELS
        textured = many and float(usual[differs].std()) >= _TEXTURE
        shines = textured and _correlation(fine[differs], usual[differs]) >= SHINES_THROUGH
        # A plain place tells nothing by itself, but light that was seen there just before.
        if not shines and float(self.lit[part][differs].mean()) < _LIT_SHARE:
            return found
        hides = _hidden(fine, usual, np.exp(learned)) & differs
        thing = self._part(found, near, hides)
        if thing is None:
            reach = np.ones((_REACH, _REACH), np.uint8)
            self.shines[part] |= cv2.dilate(differs.astype(np.uint8), reach) > 0
        return thing

    def _part(self, found: Detection, near: Box, hides: NDArray[np.bool_]) -> Detection | None:
        """The largest part of a box that hides the texture, if it is large enough."""
        calm = cv2.morphologyEx(hides.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
        _, _, stats, _ = cv2.connectedComponentsWithStats(calm)
        if len(stats) < 2:
            return None
        left, top, wide, high = max(stats[1:].tolist(), key=lambda one: one[4])[:4]
        least = _THING_SHARE * max(self.now.shape)
        if max(wide, high) < least or min(wide, high) < least / 2:
            return None
        x, y = self.scale
        x1, y1 = int(near.x1) + left, int(near.y1) + top
        box = Box(x1 / x, y1 / y, (x1 + wide) / x, (y1 + high) / y)
        return replace(found, box=box)


def _logs(image: Pixels) -> _Floats:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.log(grey + np.float32(_DARK))


def _smooth(values: _Floats) -> _Floats:
    return cv2.medianBlur(values, _FINE).astype(np.float32)


def _correlation(one: _Floats, other: _Floats) -> float:
    return float((one * other).sum() / np.sqrt((one * one).sum() * (other * other).sum() + 1e-9))


def _hidden(fine: _Floats, usual: _Floats, light: _Floats) -> NDArray[np.bool_]:
    """Where something else than the learned texture is seen [h, w], more than noise."""

    def mean(values: _Floats) -> _Floats:
        return cv2.blur(values, (_PART, _PART)).astype(np.float32)

    spread = np.sqrt(mean(fine * fine) * mean(usual * usual) + 1e-7)
    other = mean((fine - usual) ** 2) > (_NOISE / light) ** 2
    return (mean(fine * usual) / spread < _HIDDEN) & other
