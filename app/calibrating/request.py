"""What `nomaly calibrate` is asked, and what it answers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.calibrating.answers import Answers
from app.calibrating.drift import Drift
from app.calibrating.footage import Looked
from app.calibrating.keeping import LOOKED
from app.calibrating.measuring import Measured
from app.calibrating.planting import Planting
from app.calibrating.watched import Watched
from calibration.site.calibrated import HeldOut, SiteCalibration
from calibration.site.confirmed import Refit


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateRequest:
    """What is calibrated, on what."""

    site: Path
    """Folder of a fitted detector."""
    normal: tuple[Path, ...] = ()
    """Footage that holds nothing unusual; none to learn of `events` alone, beside what was measured
    before."""
    events: Path | None = None
    """What people confirmed of events."""
    model: Path | None = None
    embedder: str | None = None
    device: str = "auto"
    watched: Watched = field(default_factory=Watched)
    """How the camera is watched: the footage is looked at so, too."""
    blind: bool = True
    """Whether things are put into the footage."""
    repeats: int | None = None
    """Moments of each hour into which they are put; None for what suits."""
    planting: Planting = field(default_factory=Planting)
    """What is put there; how the camera is watched is decided here."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """What was done, for tables, JSON and the page."""

    request: CalibrateRequest
    done: SiteCalibration
    looked: Looked
    held_out: HeldOut
    names: Refit
    answers: Answers
    drift: Drift | None
    figures: Measured
    stopped: bool
    """Whether the user stopped it before all was done."""
    kept: tuple[str, ...] = ()
    """Parts that stay of an earlier calibration, by name."""

    @property
    def looked_before(self) -> bool:
        """Whether what comes from looking at footage is of an earlier calibration."""
        return not LOOKED.isdisjoint(self.kept)

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        blind = self.done.blind
        return {
            "calibration": str(self.request.site),
            "hours": round(self.looked.hours, 4),
            "crops": len(self.looked.top_p),
            "parts": dict(self.done.said),
            "measured": dict(self.done.measured),
            "blind_map": None if blind is None else blind.as_json(),
            "stopped": self.stopped,
            "kept": list(self.kept),
            "watched": self.request.watched.as_json(),
        }
