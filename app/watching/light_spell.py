"""Since when light lasts in front of a camera, and whether it stays or flits."""

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.watching.course import Since
from detectors.types import Detection, Frame

_BEGINS_S, _BEGINS = 1.0, 3
"""It is told once it was seen in so many frames of so many seconds and would have been told as a
thing: light that nobody would have heard of is no news, ..."""
_OVER_S = 2.0
"""... and is over if it was not seen for so long."""
_KIND_S = 5.0
"""Of so many seconds it is told whether it stays or flits."""


@dataclass(frozen=True, slots=True)
class _Sight:
    """Light that was seen in one frame."""

    at_s: float
    at_us: int
    score: float
    flits: bool
    """Whether none was there in the frame before."""


class Spell:
    """Notes since when light lasts, and whether it flits."""

    def __init__(self, open_score: float) -> None:
        """Begin; `open_score` is what a thing must reach to be told."""
        self.since: Since | None = None
        """Where the light that lasts began; None while none does."""
        self.flits = False
        """Whether it turns up here and there."""
        self._open_score = open_score
        self._seen: deque[_Sight] = deque()
        self._around = np.zeros((1, 1), np.bool_)
        """Where and around the last it was lighter or darker [h, w]."""

    def see(self, frame: Frame, lit: Sequence[Detection], around: NDArray[np.bool_]) -> None:
        """Note what was light alone in a frame, and where it was lighter or darker around that."""
        if not lit:
            return
        flits = not self._seen or not (self._around & around).any()
        self._around, score = around, max(one.score for one in lit)
        self._seen.append(_Sight(frame.pts_s, frame.time_us, score, flits))

    def follow(self, now_s: float) -> None:
        """Note whether it lasts."""
        while self._seen and now_s - self._seen[0].at_s > _KIND_S:
            self._seen.popleft()
        if not self._seen or now_s - self._seen[-1].at_s > _OVER_S:
            self.since, self.flits = None, False
            return
        newest = [one for one in self._seen if now_s - one.at_s <= _BEGINS_S]
        strong = any(one.score >= self._open_score for one in self._seen)
        if self.since is None and len(newest) >= _BEGINS and strong:
            self._begin(newest, flits=_mostly_flit(newest))
        elif self.since is not None and not self.flits and _mostly_flit(self._seen):
            self._begin([*self._seen], flits=True)

    def _begin(self, seen: Sequence[_Sight], *, flits: bool) -> None:
        self.since, self.flits = Since(seen[0].at_s, seen[0].at_us, len(seen)), flits


def _mostly_flit(seen: Collection[_Sight]) -> bool:
    return sum(one.flits for one in seen) > len(seen) / 2
