"""Footage of a place with things, weather and nuisances, and the truth of every frame."""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from app.simulator.effects import Effect, Moment, Scope
from app.simulator.nuisances import Nuisance
from app.simulator.places import Place
from app.simulator.scene import STILL, Aim, Camera, Weather
from app.simulator.things import Stage, Thing, Truth
from detectors.types import Pixels

DAY = Weather(drift=1.0, jpeg=(78, 95))
"""An ordinary day of a camera that compresses its pictures itself."""


_SHAKEN = 3000
"""Frames after which a camera shakes as before."""


class Shot(NamedTuple):
    """One frame and what is true of it."""

    time_s: float
    """Seconds from the start of the day."""
    image: Pixels
    """RGB uint8 [H, W, 3]."""
    truth: tuple[Truth, ...]
    """What does not belong there or is missing."""


@dataclass(frozen=True)
class Simulation:
    """A day of a fixed camera, decided before a pixel is drawn; the same for the same values.

    Any frame can be drawn by itself, so that a day of many hours can be taken in parts.
    """

    place: Place
    seed: int
    duration_s: float
    things: tuple[Thing, ...] = ()
    nuisances: tuple[Nuisance, ...] = ()
    fps: float = 5.0
    weather: Weather = DAY

    @property
    def frames(self) -> int:
        """How many frames the day has."""
        return round(self.duration_s * self.fps)

    @property
    def key(self) -> str:
        """A name for its pixels: the same for equal simulations, for caches."""
        said = repr((self.place.name, self.place.size, self.seed, self.frames, self.things))
        said += repr((self.nuisances, self.fps, self.weather))
        return hashlib.sha256(said.encode()).hexdigest()[:24]

    def shots(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[Shot]:
        """Draw frames one after the other.

        Args:
            start: The first frame, from 0.
            stop: The frame to stop before; None for all.
            step: Take every so many.

        Raises:
            UsageError: If there is no nuisance of a name.
        """
        for index in range(*slice(start, stop, step).indices(self.frames)):
            yield self.shot(index)

    def learned(self, seconds: float) -> "Simulation":
        """The first seconds with what belongs there and nothing else; they look the same."""
        things = tuple(thing for thing in self.things if thing.role != "arrives")
        return replace(self, duration_s=seconds, things=things, nuisances=())

    def shot(self, index: int) -> Shot:
        """Draw one frame; `index` is from 0."""
        time_s, taken = index / self.fps, self._taken(index)
        if taken is None:
            return Shot(time_s, self._first, self.truth(index))
        acting = self._acting(taken)
        image = self._picture(taken, self._aim(acting), acting)
        return Shot(time_s, image, self.truth(index))

    def truth(self, index: int) -> tuple[Truth, ...]:
        """What does not belong in a frame or is missing there, without drawing it."""
        taken = self._taken(index)
        if taken is None:
            return self._stage.truth_at(0.0)
        return self._stage.truth_at(taken / self.fps, self._aim(self._acting(taken)).shift)

    def _taken(self, index: int) -> int | None:
        """The frame whose picture is shown, None if the camera has stopped before its first."""
        time_s = index / self.fps
        stopped = [
            nuisance.start_s
            for nuisance, effect in self._effects
            if effect.stops and nuisance.lasts(time_s)
        ]
        if not stopped:
            return index
        last = math.ceil(min(stopped) * self.fps - 1e-9) - 1
        return last if last >= 0 else None

    def _acting(self, index: int) -> list[tuple[Effect, Moment]]:
        time_s = index / self.fps
        return [
            (effect, Moment(time_s - nuisance.start_s, index))
            for nuisance, effect in self._effects
            if nuisance.lasts(time_s)
        ]

    def _aim(self, acting: list[tuple[Effect, Moment]]) -> Aim:
        aim = STILL
        for effect, at in acting:
            aim = effect.aimed(aim, at)
        return aim

    def _picture(self, index: int, aim: Aim, acting: list[tuple[Effect, Moment]]) -> Pixels:
        lit = self._camera.exposed(index, self._stage.world_at(index / self.fps), aim)
        for effect, at in acting:
            lit = effect.lit(lit, at)
        seen = self._camera.developed(lit, index)
        for effect, at in acting:
            seen = effect.coded(seen, at)
        return seen

    @cached_property
    def _first(self) -> Pixels:
        return replace(self, nuisances=()).shot(0).image

    @cached_property
    def _camera(self) -> Camera:
        # Days of any length begin alike: what was learned of one holds for all.
        return Camera(self.place, self.seed, _SHAKEN, self.fps, self.weather)

    @cached_property
    def _stage(self) -> Stage:
        return Stage(self.place, self.things, self.fps)

    @cached_property
    def _effects(self) -> list[tuple[Nuisance, Effect]]:
        effects = []
        for number, nuisance in enumerate(self.nuisances):
            lasts_s = min(nuisance.end_s, self.duration_s) - nuisance.start_s
            scope = Scope(self.place, self.seed * 100 + number, lasts_s)
            effects.append((nuisance, nuisance.effect(scope)))
        return effects
