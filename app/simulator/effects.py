"""What a nuisance may change on the way from the view to the finished picture."""

from dataclasses import dataclass

import numpy as np

from app.simulator.places import Place
from app.simulator.scene import Aim, Floats
from detectors.types import Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The simulation in which a nuisance happens."""

    place: Place
    seed: int
    lasts_s: float
    """Seconds from its start to its end, or to that of the simulation."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the frame in pixels."""
        return self.place.size

    @property
    def unit(self) -> float:
        """Pixels of this frame for one of a frame 640 wide."""
        return self.place.size[1] / 640

    def rng(self, *more: int) -> np.random.Generator:
        """A source of chance, the same for the same simulation and numbers."""
        return np.random.default_rng((self.seed, 17, *more))


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame while a nuisance goes on."""

    time_s: float
    """Seconds since it began."""
    index: int
    """Number of the frame in the simulation."""


class Effect:
    """Changes nothing; a nuisance overrides what it changes."""

    stops: bool = False
    """Whether all pictures are the last one before it began."""

    def aimed(self, aim: Aim, at: Moment) -> Aim:
        """What moves the camera or the view."""
        return aim

    def lit(self, lit: Floats, at: Moment) -> Floats:
        """The light on the sensor: RGB [H, W, 3], 0 to 255 and above; may be changed in place."""
        return lit

    def coded(self, seen: Pixels, at: Moment) -> Pixels:
        """The finished picture, RGB uint8 [H, W, 3]."""
        return seen
