"""What is decided about a camera before it is watched."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.events.life import LifeRule
from app.watching.keeper import Keeper
from app.watching.namer import Words
from app.watching.tracing import Tracing
from calibration.levels import Finds
from detectors.tracks import TrackRule
from detectors.zones import Zones


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSettings:
    """What is decided about a camera before it is watched."""

    rule: TrackRule = field(default_factory=TrackRule)
    """When tracks open and close."""
    life: LifeRule = field(default_factory=LifeRule)
    """When a thing counts as standing."""
    zones: Zones = field(default_factory=Zones)
    """Which parts of the view are watched."""
    video: str = ""
    """The file that the frames come from, if any."""
    words: Words = field(default_factory=Words)
    """What is known of the nouns that things are named by."""
    keeper: Keeper | None = None
    """What keeps a promise of false events; None to look as the detector does by itself."""

    tracing: Callable[[Finds | None], Tracing] = Tracing
    """Makes, of what finds, what notes the frames."""

    @property
    def bar(self) -> float:
        """What the detector's maps are divided by now."""
        return self.keeper.factor if self.keeper is not None else 1.0
