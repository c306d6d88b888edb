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

    def shot(self, index: int) -> Shot:
        """Draw one frame; `index` is from 0."""
        time_s = index / self.fps
        lasting = [pair for pair in self._effects if pair[0].lasts(time_s)]
        stopped = [nuisance.start_s for nuisance, effect in lasting if effect.stops]
        if stopped:
            return self._stopped(index, min(stopped))
        acting = [
            (effect, Moment(time_s - nuisance.start_s, index)) for nuisance, effect in lasting
        ]
        aim = STILL
        for effect, at in acting:
            aim = effect.aimed(aim, at)
        image = self._picture(index, time_s, aim, acting)
        return Shot(time_s, image, self._stage.truth_at(time_s, aim.shift))

    def _picture(
        self, index: int, time_s: float, aim: Aim, acting: list[tuple[Effect, Moment]]
    ) -> Pixels:
        lit = self._camera.exposed(index, self._stage.world_at(time_s), aim)
        for effect, at in acting:
            lit = effect.lit(lit, at)
        seen = self._camera.developed(lit, index)
        for effect, at in acting:
            seen = effect.coded(seen, at)
        return seen

    def _stopped(self, index: int, since_s: float) -> Shot:
        """The last picture before a moment again; what came since cannot be seen."""
        last = math.ceil(since_s * self.fps - 1e-9) - 1
        before = self.shot(last) if last >= 0 else replace(self, nuisances=()).shot(0)
        return before._replace(time_s=index / self.fps)

    @cached_property
    def _camera(self) -> Camera:
        return Camera(self.place, self.seed, self.frames, self.fps, self.weather)

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
