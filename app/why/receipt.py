"""What a receipt holds: the gates that were asked, and what would have flipped them."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Gate:
    """One thing that was asked."""

    name: Literal["bar", "thing", "feedback", "name", "place"]
    passed: bool
    value: float | None
    """What was measured; None where nothing is."""
    needed: float | None
    """What it takes."""
    said: str
    """The same in a few words."""

    @property
    def margin(self) -> float | None:
        """The value over what it takes: above 1 with room, below 1 short of it."""
        if self.value is None or not self.needed:
            return None
        return self.value / self.needed

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        margin = self.margin
        return asdict(self) | {"margin": None if margin is None else round(margin, 4)}


@dataclass(frozen=True, slots=True)
class Change:
    """What would have been otherwise with another setting, or after a command."""

    setting: str
    """An option or a command, as it is typed."""
    value: float | None
    outcome: str
    """What would have been told."""
    now: float | None = None
    per_hour: float | None = None
    """False events an hour that the normal footage shows for it; None if that is not known."""

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Why something rang, or did not."""

    outcome: Literal["rang", "silent", "unseen", "quiet"]
    """It was told; it was not; the camera could not see; nothing came near."""
    said: str
    """One sentence."""
    camera: str
    start_us: int
    """UTC in microseconds."""
    end_us: int
    start_s: float | None = None
    """The same in seconds from the start of the source; None where there is no source."""
    end_s: float | None = None
    event_id: str = ""
    headline: str = ""
    gates: tuple[Gate, ...] = ()
    """In the order in which they were asked."""
    flip: Change | None = None
    """The smallest change after which it would have been silent, or would have rung."""
    naming: Change | None = None
    """The smallest change after which its name is told otherwise, as a fact or as a guess."""
    belonging: Change | None = None
    """The smallest change after which it belongs otherwise."""
    usual: str = ""
    """How often its like comes to this place at this hour; empty where that is not known."""
    uncalibrated: str = ""
    """Why its verdict rests on no calibration although the camera had one; empty if it does."""

    def without_place(self) -> "Receipt":
        """The same where nothing is known of what is usual: nobody asked whether it belongs."""
        gates = tuple(gate for gate in self.gates if gate.name != "place")
        return replace(self, gates=gates, belonging=None)

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        told = {name: getattr(self, name) for name in ("flip", "naming", "belonging")}
        return {
            "outcome": self.outcome,
            "said": self.said,
            "camera": self.camera,
            "start_us": self.start_us,
            "end_us": self.end_us,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "event": self.event_id,
            "headline": self.headline,
            "usual": self.usual,
            "uncalibrated": self.uncalibrated,
            "gates": [gate.as_json() for gate in self.gates],
            **{name: change and change.as_json() for name, change in told.items()},
        }
