"""What happens to a camera's picture besides things: light, weather, the lens, somebody's hand.

Every nuisance has a name, a start and an end, and is the same for the same seed. Pixels are meant
for a frame 640 wide and scaled to others.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from app.errors import UsageError
from app.simulator import air, lens, light
from app.simulator.effects import Effect, Scope


@dataclass(frozen=True, slots=True)
class Nuisance:
    """One nuisance from a moment on."""

    name: str
    """One of `nuisance_names`."""
    start_s: float = 0.0
    end_s: float = math.inf

    def lasts(self, time_s: float) -> bool:
        """Whether it is going on at a time."""
        return self.start_s <= time_s < self.end_s

    def effect(self, scope: Scope) -> Effect:
        """What it does in a simulation.

        Raises:
            UsageError: If there is no such nuisance.
        """
        if self.name not in _EFFECTS:
            known = ", ".join(nuisance_names())
            raise UsageError(f"there is no nuisance '{self.name}'; there are {known}")
        return _EFFECTS[self.name](scope)


_EFFECTS: dict[str, Callable[[Scope], Effect]] = {
    "brighter 20%": lambda _: light.Exposure(1.2),
    "darker 20%": lambda _: light.Exposure(0.8),
    "brighter 40%": lambda _: light.Exposure(1.4),
    "darker 40%": lambda _: light.Exposure(0.6),
    "dusk": lambda _: light.Dusk(),
    "flicker": lambda _: light.Flicker(),
    "rolling bands": lambda _: light.Bands(),
    "patch of sun": light.SunPatch,
    "headlights": light.Headlights,
    "infrared": lambda _: lens.Infrared(),
    "over-exposed": lambda _: light.Exposure(3.4),
    "under-exposed": lambda _: light.Exposure(0.1),
    "shake": lambda _: lens.Shake(6.7),
    "vegetation": lambda _: lens.Wind(3.5),
    "nudge 5 px": lambda scope: lens.Nudge(scope, 5),
    "nudge 20 px": lambda scope: lens.Nudge(scope, 20),
    "nudge 40 px": lambda scope: lens.Nudge(scope, 40),
    "nudge 60 px": lambda scope: lens.Nudge(scope, 60),
    "compression": lambda _: lens.Compression(15),
    "frozen": lambda _: lens.Frozen(),
    "covered": lens.Covered,
    "out of focus": lambda scope: lens.OutOfFocus(scope, 7),
    "reflection": lens.Reflection,
    "rain": air.Rain,
    "snow": air.Snow,
    "insects": air.Insects,
}


def nuisance_names() -> list[str]:
    """The nuisances there are, in a fixed order."""
    return list(_EFFECTS)
