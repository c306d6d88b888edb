"""How a camera is watched, so that what is measured of it is measured in the same way."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.events.reading import snapshot
from app.events.schema import STORE
from calibration.promise import DEFAULT, Promise
from detectors.files import PROMISE
from detectors.tracks import TrackRule
from detectors.zones import Zones
from scenarios.belonging_rule import BelongingRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What decides what rings, besides the detector."""

    fps: float | None = 5.0
    """Frames a second that are looked at; None for every one."""
    zones: Zones = field(default_factory=Zones)
    rule: TrackRule = field(default_factory=TrackRule)
    promise: Promise = DEFAULT
    bar: float | None = None
    """What the detector's maps are divided by, whatever was promised; None to choose."""
    belonging: BelongingRule = field(default_factory=BelongingRule)
    """When a named thing belongs to the site."""
    evidence: Path | None = None
    """What a watch learned of its promise since; None where there is no such file."""
    run: Path | None = None
    """The run that is watched so; None where nobody said which."""

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        return {
            "fps": self.fps,
            "false_events": str(self.promise),
            "bar": self.bar,
            "run": None if self.run is None else str(self.run),
        }

    def but(self, **typed: Any) -> "Watched":  # noqa: ANN401
        """The same but for what was typed, None for nothing; a promise ends a bar that was set."""
        news = {key: value for key, value in typed.items() if value is not None}
        if not news:
            return self
        bar = None if "promise" in news else self.bar
        return replace(self, **{"bar": bar, "run": None, **news})


def watched_in(out: Path) -> Watched:
    """How the newest run of a folder watches.

    Args:
        out: Of an audit or a watch; where there is none, all is as by default.

    Raises:
        app.errors.StoreError: If its store cannot be read.
    """
    if not (out / STORE).is_file():
        return Watched()
    with snapshot(out) as store:
        run = store.last_run()
    if run is None:
        return Watched()
    said, usual = run.settings, Watched()
    zones, evidence = said.get("zones") or {}, out / PROMISE
    return Watched(
        fps=said.get("fps", usual.fps),
        zones=Zones(**{key: _polygons(value) for key, value in zones.items()}),
        rule=TrackRule.model_validate(said.get("rule") or {}),
        promise=Promise.parse(said.get("false_events") or str(DEFAULT)),
        bar=said.get("bar"),
        belonging=BelongingRule.model_validate(said.get("belonging") or {}),
        evidence=evidence if evidence.is_file() else None,
        run=out,
    )


def _polygons(said: list[list[list[float]]]) -> tuple[tuple[tuple[float, float], ...], ...]:
    return tuple(tuple((x, y) for x, y in polygon) for polygon in said)
