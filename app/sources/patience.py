"""How long to wait for a camera, and how soon to ask again."""

import math
import random
from dataclasses import dataclass

_LEAST_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How patient to be with a camera."""

    stall_s: float = 2.0
    """Longest silence between frames."""
    open_s: float = 10.0
    """Longest wait for the first sign of life of a connection."""
    key_frame_s: float = 120.0
    """Longest wait for a picture while data arrives: some cameras send a key frame a minute."""
    first_delay_s: float = 0.5
    """Pause before the first attempt to reconnect; it doubles with every one that fails."""
    longest_delay_s: float = 30.0
    recent_s: float = 60.0
    """A camera that was seen so lately may be back any moment: pauses do not grow yet."""


class Backoff:
    """Pauses that double up to a limit, with a quarter of chance in them.

    Without the chance, all cameras behind one switch would reconnect at the same moment. A
    connection that delivered is no failed one, however short it was: after it there is hardly a
    pause, and none grows until the camera has been away for a while.
    """

    def __init__(self, settings: LiveSettings, seed: int | None = None) -> None:
        self._settings = settings
        self._random = random.Random(seed)  # noqa: S311 - spreads load, keeps no secret
        self._failures = 0

    def next_s(self, lived_s: float, away_s: float = math.inf) -> float:
        """The pause before the next attempt, seconds.

        Args:
            lived_s: For how long the connection that failed had delivered; 0 if it had not.
            away_s: How long ago a picture came; infinite if none ever has.
        """
        chance = self._random.uniform(0.75, 1.25)
        if lived_s > 0:
            self._failures = 0
            # A camera that ends each connection at once is not asked more than about once a second.
            return max(_LEAST_PAUSE_S, self._settings.first_delay_s - lived_s) * chance
        if away_s <= self._settings.recent_s:
            return self._settings.first_delay_s * chance
        # More doublings than this only overflow.
        pause_s = self._settings.first_delay_s * 2 ** min(self._failures, 20)
        self._failures += 1
        return min(pause_s, self._settings.longest_delay_s) * chance
