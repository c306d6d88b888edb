"""What the normal footage of a camera gives to calibrate on: pictures of its strangest places."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

FIT, CALIBRATE, TEST = 0, 1, 2
"""What a stretch of footage is for."""
_PATTERN = (FIT, FIT, CALIBRATE, FIT, TEST)
"""Of five stretches in a row: 60, 20 and 20 per cent."""
_ROUNDS = 4
"""So often the stretches come one after the other, so that each part has seen all of the day."""
_SHORTEST_S = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """Crops of normal footage, as events are cut and named; N of them in the order of time."""

    vectors: NDArray[np.float32]
    """Unit vectors of the embedder [N, F]."""
    top_p: Floats
    """Probability of the best noun [N]."""
    rest: Floats
    """Probability of all that is not among the candidates [N]; NaN where nothing is known of it."""
    at_s: Floats
    """Seconds from the start of the footage [N]; rising, whatever the clock said."""
    time_us: Ints
    """UTC in microseconds [N], as the clock said."""

    def __len__(self) -> int:
        return len(self.top_p)


def parts(at_s: ArrayLike, length_s: float) -> Ints:
    """What moments of footage are for: FIT, CALIBRATE or TEST [N].

    Whole stretches go to one part, as pictures of one minute are alike. They take turns, so that
    each part sees the morning and the night.

    Args:
        at_s: Seconds from the start of the footage [N].
        length_s: How much of it there is.
    """
    stretches = _ROUNDS * len(_PATTERN)
    if length_s < stretches * _SHORTEST_S:
        stretches = len(_PATTERN)
    step_s = max(length_s, 1e-9) / stretches
    numbers = np.clip(np.asarray(at_s, np.float64) // step_s, 0, stretches - 1).astype(np.int64)
    return np.array(_PATTERN, np.int64)[numbers % len(_PATTERN)]
