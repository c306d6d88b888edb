"""Whether a camera's pictures can be looked at at all, and what is told when they cannot.

Frames in which nothing can be seen are not followed, so that no object is found in them; their
time is a gap. What lasts is told as an event of the camera, without a noun.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from app.events.checkpoint import Trouble
from app.events.event import Lasting
from app.sources.base import Gap
from app.watching.aim import Aim, Placed
from app.watching.altered import ChangeCheck
from app.watching.course import Course, Told
from app.watching.faults import detail_of, fault_of, is_bare, sampled
from app.watching.light import OPEN_SCORE, Light
from app.watching.standing import FROZEN_S, Standing
from app.watching.weather import Weather
from detectors.learned import LearnedView
from detectors.types import Box, Detection, Frame, Pixels

_REMEMBERED = 25
"""Frames whose detail is the usual one."""
_ELSEWHERE = 0.5
"""Half of a map is as unusual as this where a camera looks elsewhere (usual: .26)."""
LIT = (
    "Light, a shadow or a reflection lies on the view; things are found as before, but where it "
    "lay within 5 seconds, after 1.5 seconds."
)
INSECTS = "Something flits before the lens, too near to be sharp; things are found as before."
ELSEWHERE = (
    "What it shows lies nowhere on the learned view: nothing can be found until it looks there "
    "again or learns the new view, with nomaly watch ADDRESS --learn 60 --out NEW_FOLDER."
)


class Health:
    """Looks at every frame of one camera before anything is looked for in it."""

    def __init__(
        self,
        size: tuple[int, int],
        view: LearnedView | None = None,
        video: str = "",
        open_score: float = OPEN_SCORE,
    ) -> None:
        """Begin with a camera that is well.

        Args:
            size: (height, width) of its frames in pixels.
            view: What it usually shows; None if that is not known.
            video: The file it was recorded in, if any.
            open_score: What a thing must reach to be told.
        """
        self.aim = Aim(view, size, video)
        """Where it looks."""
        self._standing = Standing()
        self._change, self._weather = ChangeCheck(view), Weather()
        self._details: deque[float] = deque(maxlen=_REMEMBERED)
        self._light = Light(view, open_score)
        self._blind, self._faded, self._air, self._lit = (Course(video) for _ in range(4))
        self._last_us = 0

    @property
    def gaps(self) -> list[Gap]:
        """When nothing could be seen in its pictures, in order."""
        return self._blind.gaps

    @property
    def well(self) -> bool:
        """Whether nothing is wrong, nor will soon turn out to be."""
        moves = self._standing.lasts_s < FROZEN_S / 2
        return all(course.now is None for course in self._courses) and moves

    @property
    def altered(self) -> bool:
        """Whether the picture as a whole is not as it was, so that no place can be judged by it."""
        return self._blind.now is not None or self._faded.now is not None

    @property
    def at_rest(self) -> bool:
        """Whether a frame that shows what the one before did tells nothing new.

        A change of the whole picture that has settled, as of a night without colour, is at rest.
        """
        others = (course.now is None for course in self._courses if course is not self._faded)
        moves = self._standing.lasts_s < FROZEN_S / 2
        return all(others) and moves and self._change.at_rest

    @property
    def troubles(self) -> list[Trouble | None]:
        """What is wrong at present, of each kind of fault."""
        return [copy(course.now) for course in self._courses]

    def resume(self, troubles: Sequence[Trouble | None]) -> None:
        """Go on with what was wrong at a checkpoint, once the frames before it were seen again."""
        for course, trouble in zip(self._courses, troubles, strict=False):
            course.resume(trouble)

    @property
    def lasting(self) -> list[Lasting]:
        """How far the events have come that were told and are still open."""
        return [lasting for course in self._courses for lasting in course.lasting]

    def see_again(self, frame: Frame) -> None:
        """Take a frame that shows what the one before did, of a camera that is at rest."""
        self._last_us = frame.time_us
        self._standing.see(frame)
        # It was told when it began; this only goes on.
        self._faded.take(self._change.fault, frame, self._change.since, self._change.said)

    def see(
        self,
        placed: Placed,
        heat: NDArray[np.float32],
        followed: Iterable[Box],
        factor: float = 1.0,
    ) -> tuple[NDArray[np.float32] | None, list[Told]]:
        """Take the next frame.

        Args:
            placed: RGB uint8 [H, W, 3], later than all before it, and how it lies on the view.
            heat: Its anomaly map [h, w] over the view, 1.0 where just unusual.
            followed: Where things are that were found before, pixels of the view.
            factor: What maps are divided by before things are looked for.

        Returns:
            The map to look for things in, divided; None if nothing can be seen; and what is to be
            told.
        """
        frame = placed.frame
        self._last_us = frame.time_us
        stands = self._standing.see(frame)
        usual = median(self._details) if self._details else 0.0
        fault = fault_of(frame.image, heat, usual)
        if fault is None and stands:
            return None, self._blind.take("frozen", frame, self._standing.began)
        if fault is None and placed.astray and np.median(heat) > _ELSEWHERE:
            if not is_bare(sampled(frame.image), usual):
                return None, self._blind.take("moved", frame, said=ELSEWHERE)
            fault = "covered"
        told = self._blind.take(fault, frame)
        if fault is not None:
            return None, told
        told = told + self.aim.see(placed)
        self._details.append(detail_of(sampled(frame.image)))
        seen = placed.pose.seen((heat.shape[0], heat.shape[1]), placed.size)
        judged = (heat * seen / factor).astype(np.float32)
        change, weather, followed = self._change, self._weather, [*followed]
        lit = self._light.places(frame.pts_s, seen.shape)
        changed = change.see(frame, judged, followed)
        clear = weather.see(frame, changed, followed, lit, shaken=self.aim.shakes)
        told += self._faded.take(change.fault, frame, change.since, change.said)
        return clear, told + self._air.take(weather.fault, frame, weather.since, weather.said)

    def things(
        self, placed: Placed, image: Pixels, found: Sequence[Detection], told: Sequence[Box]
    ) -> tuple[list[Detection], list[Told]]:
        """Tell things from light.

        Args:
            placed: A frame in which something can be seen.
            image: It, laid on the view.
            found: What was found in it, boxes in pixels of the view.
            told: Where things are that were told.

        Returns:
            The things among it, and what is to be told.
        """
        frame, altered = replace(placed.frame, image=image), self._change.fault is not None
        things = self._light.see(frame, found, told, altered=altered)
        # What falls lets the view through, too, and has a name of its own.
        falls = self._weather.fault is not None
        fault = None if falls else self._light.fault(placed.frame.pts_s)
        said = INSECTS if fault == "insects" else LIT
        return things, self._lit.take(fault, placed.frame, self._light.since, said)

    def finish(self, *, cut: bool) -> list[Told]:
        """End all that is wrong; `cut` if the run stops here although the source goes on."""
        return [told for course in self._courses for told in course.end(self._last_us, cut=cut)]

    @property
    def _courses(self) -> tuple[Course, ...]:
        return self._blind, self._faded, self._air, self._lit, self.aim.course
