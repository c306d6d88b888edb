"""One rising clock for a live source, through reconnects and cameras whose clocks are wrong."""

import math

_CALM_S = 1.5
"""A camera's clock may be so far from ours: the first frames often arrive late and all at once."""
_PULL = 0.005
"""Share of the distance beyond that made up by every frame: drift is followed, jitter is not."""
_JUMP_S = 5.0
"""A camera's clock that is further from ours has jumped."""
_MOST_JUMPS = 3
"""After so many in one connection the camera's clock is not used any more."""
_LEAST_STEP_S = 0.001


class Timeline:
    """Seconds since the first frame: as smooth as the camera's clock, as true as ours."""

    def __init__(self) -> None:
        self._origin_s: float | None = None
        self._last_s: float | None = None
        self._offset_s: float | None = None
        self._jumps = 0

    def reconnect(self) -> None:
        """Forget the camera's clock: a new connection counts anew."""
        self._offset_s = None
        self._jumps = 0

    def at(self, pts_s: float | None, arrived_s: float) -> float:
        """The time of a frame.

        Args:
            pts_s: On the camera's clock, from any origin; None if the camera has none.
            arrived_s: When it arrived, on our monotonic clock.

        Returns:
            Seconds since the first frame, above those of every earlier frame.
        """
        if self._origin_s is None:
            self._origin_s = arrived_s
        now_s = arrived_s - self._origin_s
        time_s = now_s if pts_s is None else self._disciplined(pts_s, now_s)
        if self._last_s is not None:
            time_s = max(time_s, self._last_s + _LEAST_STEP_S)
        self._last_s = time_s
        return time_s

    def _disciplined(self, pts_s: float, now_s: float) -> float:
        if self._jumps >= _MOST_JUMPS:
            return now_s
        if self._offset_s is None:
            self._offset_s = now_s - pts_s
        behind_s = now_s - (pts_s + self._offset_s)
        if abs(behind_s) > _JUMP_S:
            self._jumps += 1
            self._offset_s += behind_s
        elif abs(behind_s) > _CALM_S:
            self._offset_s += _PULL * (behind_s - math.copysign(_CALM_S, behind_s))
        return pts_s + self._offset_s
