"""Where a camera looks: its frames laid on the learned view, and told when it was moved.

What is found is followed in pixels of the learned view: a thing stays the same thing when the
camera is nudged, and masks stay on what they cover. It is told, shown and kept in pixels of the
frame as the camera took it.
"""

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.watching.course import Course, Since, Told
from app.watching.pose import Pose
from app.watching.registration import ALIKE, Laid, Registration
from detectors.learned import LearnedView
from detectors.types import Box, Frame

MOVED_SHARE = 0.006
"""Share of the longer side by which a corner must go for the camera to have been moved: 4 pixels of
640. What is less, shaking and the sun on a mount, is made up for silently."""
_LOOK_S = 2.0
_OUTSHAKES = 3.0
"""... and so many times as far as a camera that shakes goes from one frame to the next, ..."""
_LOOK_FRAMES = 5
"""... in the median of so many seconds and of at least so many frames; ..."""
_SETTLED_S = 3.0
"""... it is over when nothing moved for so long."""
_USED = 0.02
"""Of every frame: how quickly one gets used to where the camera looks."""
_NUDGE = 0.005
"""Share of the longer side from which a shift is made up for at once, 3 pixels of 640: if it is
..."""
_SHAKES = 4.0
_SHAKE_FRAMES = 15
"""... so many times as far as the picture goes from one frame to the next, in the median of so
many, and seen alike in two frames (in three, as long as there were fewer), or ..."""
_PLAIN = 3.0
"""... so many times farther than needed."""
_SHAKEN, _SHAKEN_FRAMES = 0.002, 5
"""Share of the longer side by which the picture of a camera that shakes goes from one frame to the
next, in the median of so many: 1.3 pixels of 640. Rain and snow make none."""
_DRIFTED = 0.003
"""Share of the longer side from which a shift is made up for that lasts, in the median of ..."""
_DRIFT_S, _DRIFT_FRAMES = 6.0, 10
"""... so many seconds and frames."""
_CLEAR, _UNCLEAR_FRAMES = 0.7, 2
"""Likeness below which so many frames must be for it to be tried whether the camera was turned or
zoomed, ..."""
_RETRY_S = 2.0
"""... which takes as long as looking does, so not of every frame."""
_REMEMBERED = 20_000
"""Changes of where it looks that are remembered, to tell paths by."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A frame as it was taken, and how it lies on the learned view."""

    frame: Frame
    pose: Pose
    laid: Laid | None = None
    """None where nothing is known of where the camera looks."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the frame."""
        return self.frame.image.shape[0], self.frame.image.shape[1]

    def back(self, box: Box) -> Box:
        """A box of the view in pixels of the frame."""
        return self.pose.back(box, self.size)

    @property
    def astray(self) -> bool:
        """Whether hardly any part of the frame is like the view."""
        return self.laid is not None and self.laid.strange >= _STRANGE


_STRANGE = 0.8
"""Share of a view's textured parts that must be strange for the camera to look elsewhere."""


class Aim:
    """Lays every frame of one camera on the view that its detector learned."""

    def __init__(self, view: LearnedView | None, size: tuple[int, int], video: str = "") -> None:
        """Begin where the view was learned.

        Args:
            view: None if the detector keeps no picture: frames are then taken as they are.
            size: (height, width) of the frames.
            video: The file that they come from, if any.
        """
        self._size = size
        self._registration = None if view is None else _able(view, size)
        self._steps = Steps(size)
        self._unclear, self._turned_s = 0, -_RETRY_S
        self._waiting: dict[float, Placed] = {}
        self._poses: deque[tuple[float, Pose]] = deque([(-np.inf, Pose.still())], _REMEMBERED)
        self._moves = _Moves(size)
        self.course = Course(video)
        """The event that tells of a move, while it lasts."""

    def place(self, frame: Frame) -> Frame:
        """The frame laid on the learned view."""
        if self._registration is None:
            return frame
        laid = self._registration.nudged(frame.image, self._steps.pose)
        self._unclear = self._unclear + 1 if laid.likeness < _CLEAR else 0
        due = frame.pts_s - self._turned_s >= _RETRY_S
        if self._unclear >= _UNCLEAR_FRAMES and due:
            self._turned_s = frame.pts_s
            turned = self._registration.turned(frame.image)
            if turned is not None and turned.likeness > laid.likeness:
                laid = turned
                self._steps.turn(turned.pose)
        pose = self._laid(frame.pts_s, laid) if laid.likeness >= ALIKE else self._steps.pose
        if pose is not self._poses[-1][1]:
            self._poses.append((frame.pts_s, pose))
        self._waiting[frame.pts_s] = Placed(frame, pose, laid)
        image = pose.placed(frame.image, self._registration.learned)
        return frame if pose.same else replace(frame, image=image)

    def _laid(self, now_s: float, laid: Laid) -> Pose:
        """How a frame is to be laid that is like the view; while it shakes each by itself."""
        before = self._steps.pose
        pose = self._steps.see(now_s, laid)
        if not self._steps.shakes:
            return pose
        x, y = (round(gone) for gone in laid.off)
        return Pose(Pose.shifted(x, y).onto @ before.onto) if x or y else before

    @property
    def shakes(self) -> bool:
        """Whether the camera shakes now, or just did: even who shakes is still for moments."""
        return self._moves.shook > 0

    def taken(self, frame: Frame) -> Placed:
        """How a frame lies that was placed before; one that was not lies as it is."""
        return self._waiting.pop(frame.pts_s, Placed(frame, Pose.still()))

    def forget(self) -> None:
        """Forget the frames that were placed and never taken."""
        self._waiting.clear()

    def see(self, placed: Placed) -> list[Told]:
        """Tell whether the camera is being moved, of a frame in which something can be seen."""
        if placed.laid is None or placed.laid.likeness < ALIKE:
            return []
        corners = placed.laid.pose.corners(self._size)
        moving, since = self._moves.see(placed.frame, corners, self._steps.shaking)
        said = moved_sentence(self._moves.gone(), self._size) if moving else ""
        return self.course.take("shifted" if moving else None, placed.frame, since, said)

    def resume(self) -> None:
        """Go on where a run was stopped: where it looks now was told then."""
        self._moves.known = False

    def path(self, path: list[tuple[float, Box, float]]) -> tuple[tuple[float, Box, float], ...]:
        """A path over the learned view in pixels of the frames as they were taken."""
        if len(self._poses) == 1:
            return tuple(path)
        times = [at_s for at_s, _ in self._poses]
        poses = [pose for _, pose in self._poses]
        return tuple(
            (at_s, poses[max(0, bisect_right(times, at_s) - 1)].back(box, self._size), score)
            for at_s, box, score in path
        )


type _Off = tuple[float, float, float]
"""When a frame was off how far to the right and down, pixels."""


class Steps:
    """Decides when frames are laid anew: after a nudge at once, after a drift when it lasts.

    Little shaking is left alone: the detector bears it as it was learned, and pictures laid anew
    frame by frame would lose their edges for nothing. Of a camera that shakes more each is.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        """Begin where the view was learned; frames are of (height, width) pixels."""
        self.pose = Pose.still()
        """How frames are laid at present."""
        self._nudge, self._drift = _NUDGE * max(size), _DRIFTED * max(size)
        self._shaken = _SHAKEN * max(size)
        self._offs: deque[_Off] = deque()
        self._jerks: deque[float] = deque(maxlen=_SHAKE_FRAMES)
        """How far the picture went from frame to frame, pixels."""
        self._last: tuple[float, float] | None = None
        self._alike = 0
        """How many frames in a row were off alike."""

    @property
    def shakes(self) -> bool:
        """Whether the picture goes hither and thither."""
        return self.shaking > 0

    @property
    def shaking(self) -> float:
        """How far it goes from frame to frame, pixels; 0 of a camera that does not shake."""
        newest = [*self._jerks][-_SHAKEN_FRAMES:]
        jerk = float(np.median(newest)) if len(newest) == _SHAKEN_FRAMES else 0.0
        return jerk if jerk >= self._shaken else 0.0

    def turn(self, pose: Pose) -> None:
        """Lay frames quite differently from now on."""
        self.pose = pose
        self._offs.clear()
        self._last, self._alike = None, 0

    def see(self, now_s: float, laid: Laid) -> Pose:
        """Take how far a frame is off; returns how it is to be laid."""
        x, y = laid.off
        far, limit = max(abs(x), abs(y)), max(self._nudge, _SHAKES * self._shake())
        jerk = 0.0 if self._last is None else max(abs(x - self._last[0]), abs(y - self._last[1]))
        self._jerks.append(jerk)
        off = far >= limit and laid.before < ALIKE
        self._alike = (self._alike + 1 if jerk < limit / 2 else 1) if off else 0
        self._last = (x, y)
        self._offs.append((now_s, x, y))
        known = len(self._jerks) == _SHAKE_FRAMES
        plain = known and far >= _PLAIN * limit
        if off and (plain or self._alike >= (2 if known else 3)):
            self._step(round(x), round(y))
        else:
            self._follow(now_s)
        return self.pose

    def _follow(self, now_s: float) -> None:
        """Go after a drift that lasts."""
        while now_s - self._offs[0][0] > _DRIFT_S:
            self._offs.popleft()
        if len(self._offs) < _DRIFT_FRAMES or now_s - self._offs[0][0] < 0.8 * _DRIFT_S:
            return
        x, y = np.median([off[1:] for off in self._offs], axis=0)
        if max(abs(x), abs(y)) >= self._drift:
            self._step(round(float(x)), round(float(y)))

    def _step(self, x: int, y: int) -> None:
        self.pose = Pose(Pose.shifted(x, y).onto @ self.pose.onto)
        self._offs.clear()
        if self._last is not None:
            self._last = (self._last[0] - x, self._last[1] - y)

    def _shake(self) -> float:
        """How far the picture usually goes from frame to frame, pixels."""
        return float(np.median(self._jerks)) if self._jerks else 0.0


class _Moves:
    """Tells a camera that was moved from one that shakes or drifts."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._least = MOVED_SHARE * max(size)
        self._newest: deque[tuple[float, int, NDArray[np.float64]]] = deque()
        self._settled = np.zeros((4, 2))
        """Where the corners of the view are in frames, from where they were learned, pixels."""
        self._moved_s: float | None = None
        self._shook: deque[float] = deque(maxlen=_SHAKE_FRAMES)
        """How far the newest frames shook."""
        self.known = True
        """Whether people know where it looked before, so that a move is news."""

    def see(
        self, frame: Frame, corners: NDArray[np.float64], shaking: float
    ) -> tuple[bool, Since | None]:
        """Take where the corners are [4, 2] and how far it shakes, in pixels.

        Returns:
            Whether the camera is being moved, and since when.
        """
        self._newest.append((frame.pts_s, frame.time_us, corners))
        if not self.known:
            self._settled, self.known = self._now(), True
        while len(self._newest) > _LOOK_FRAMES and (frame.pts_s - self._newest[0][0] > _LOOK_S):
            self._newest.popleft()
        now = self._now()
        off = float(np.abs(now - self._settled).max())
        self._shook.append(shaking)
        least = max(self._least, _OUTSHAKES * self.shook)
        if len(self._newest) >= _LOOK_FRAMES and off >= least:
            since = self._since()
            self._settled, self._moved_s = now, frame.pts_s
            return True, since
        self._settled = self._settled + _USED * (now - self._settled)
        if self._moved_s is not None and frame.pts_s - self._moved_s >= _SETTLED_S:
            self._moved_s = None
        return self._moved_s is not None, None

    @property
    def shook(self) -> float:
        """How far any of the newest frames shook, pixels."""
        return max(self._shook, default=0.0)

    def gone(self) -> tuple[float, float]:
        """How far the middle of the view has gone from where it was learned: right, down."""
        x, y = self._now().mean(axis=0)
        return float(x), float(y)

    def _now(self) -> NDArray[np.float64]:
        return np.median([corners for *_, corners in self._newest], axis=0)

    def _since(self) -> Since:
        """The first of the newest frames that shows the move."""
        off = [np.abs(corners - self._settled).max() for *_, corners in self._newest]
        still = [number for number, far in enumerate(off) if far < self._least / 2]
        first = min(still[-1] + 1, len(off) - 1) if still else 0
        at_s, at_us, _ = self._newest[first]
        return Since(at_s, at_us, len(self._newest) - first)


def moved_sentence(gone: tuple[float, float], size: tuple[int, int]) -> str:
    """What is said of a camera whose view has gone (right, down) in frames of (height, width)."""
    right, down = (round(value) for value in gone)
    if max(abs(right), abs(down)) < MOVED_SHARE * max(size) / 2:
        return "It looks where it looked while its view was learned."
    ways = [
        f"{abs(pixels)} pixels {name}"
        for pixels, name in (
            (right, "to the right" if right > 0 else "to the left"),
            (down, "down" if down > 0 else "up"),
        )
        if pixels
    ]
    lost = 1 - (1 - abs(right) / size[1]) * (1 - abs(down) / size[0])
    return (
        f"Its picture has gone {' and '.join(ways)}; it is laid on the learned view again, "
        f"and things are found as before but in the {max(1, round(100 * lost))}% of the view that "
        "it shows no more."
    )


def _able(view: LearnedView, size: tuple[int, int]) -> Registration | None:
    registration = Registration(view.scaled(size).picture)
    return registration if registration.able else None
