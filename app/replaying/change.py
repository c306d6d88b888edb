"""What somebody thinks of changing."""

from dataclasses import dataclass
from pathlib import Path

from calibration.promise import Promise
from detectors.tracks import TrackRule
from detectors.zones import Zones
from novic.kind_rules import KindRule
from scenarios.belonging_rule import BelongingRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What would be otherwise; None of what stays as it is."""

    bar: float | None = None
    """What the detector's maps are divided by."""
    promise: Promise | None = None
    """How many false events the camera may tell; chooses the bar."""
    zones: Zones | None = None
    """What of the view is watched."""
    rule: TrackRule | None = None
    """When something counts as an event, and when it is over."""
    tell: tuple[KindRule, ...] | None = None
    """Which things are told; empty for all."""
    belonging: BelongingRule | None = None
    """When a named thing belongs to the site."""
    renames: bool = False
    """Whether another decoder names things, or the same one otherwise."""
    model: Path | None = None
    """That decoder; None for the one that Nomaly ships."""
    wrong_names: float | None = None
    """The share of its names that may be wrong; see `novic.model.ModelOptions`."""
    said: str = ""
    """The same in words, as it was typed."""

    @property
    def follows(self) -> bool:
        """Whether other things may be followed."""
        return any(one is not None for one in (self.bar, self.promise, self.zones, self.rule))

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        told = self.tell is not None or self.belonging is not None
        return not (self.follows or told or self.renames)
