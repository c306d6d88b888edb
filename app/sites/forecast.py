"""How long building decoders will take, told before it and again once the pace is known."""

import time
from collections.abc import Callable, Mapping

MEASURED_STEPS = 20
"""Steps whose time stands for all others."""

MINUTE_S = 60


class Forecast:
    """Tells what is going to be built, and, once some steps are done, for how long.

    Args:
        sizes: Nouns of each decoder that is to be built, by its name, in that order; the largest
            first, so that the pace of the first is a bound for the others.
        steps: Steps of each, by its name.
        say: Told both sentences.
    """

    def __init__(
        self, sizes: Mapping[str, int], steps: Mapping[str, int], say: Callable[[str], None]
    ) -> None:
        self._left = sum(steps.values())
        self._say = say
        self._began: tuple[int, float] | None = None
        self._told = False
        listed = ", ".join(f"{n} of {sizes[n]:,} nouns in {steps[n]:,} steps" for n in sizes)
        if listed:
            say(f"To be built: {listed}.")

    def heard(self, done: int) -> None:
        """Take note of a step of the first decoder.

        Args:
            done: Steps that it has done; a run that goes on does not begin at 0.
        """
        if self._told:
            return
        if self._began is None:
            self._began = done, time.monotonic()
        elif done - self._began[0] >= MEASURED_STEPS:
            first, began = self._began
            left = (time.monotonic() - began) / (done - first) * (self._left - done)
            self._told = True
            if left > MINUTE_S:
                self._say(
                    f"At this pace all of it takes at most about {_length(left)}. Ctrl-C saves, "
                    "and the same command goes on."
                )


def _length(seconds: float) -> str:
    minutes = round(seconds / MINUTE_S)
    return f"{minutes} min" if minutes < 100 else f"{minutes / 60:.1f} h"
