"""How long the clips of events are."""

from dataclasses import dataclass

_LATE_S = 120.0
"""So late may an event be told while a watch learns; bytes bound it before (app.sources.ring)."""
_MARGIN_S = 15.0
"""The same once it has learned."""


@dataclass(frozen=True, slots=True)
class ClipRule:
    """How long clips are."""

    before_s: float = 5.0
    """So much is shown before the event, from the key frame before that on, ..."""
    after_s: float = 5.0
    """... after it, ..."""
    longest_s: float = 60.0
    """... and at most so much in all."""

    @property
    def ring_s(self) -> float:
        """So much must be kept of what comes while a watch learns and catches up."""
        return self.before_s + _LATE_S

    @property
    def calm_ring_s(self) -> float:
        """The same once events are told as they happen."""
        return self.before_s + _MARGIN_S
