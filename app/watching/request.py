"""What every run that looks for anomalies is told, recorded or live."""

from dataclasses import dataclass, field
from pathlib import Path

from detectors.configs import DetectorConfig, PadimConfig
from detectors.zones import Zones


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Where results go, and what looks."""

    out: Path
    detector: Path | None = None
    """A detector that was fitted before, instead of learning from normal footage."""
    detector_config: DetectorConfig = field(default_factory=PadimConfig)
    """What a detector that learns in this run is made of."""
    fps: float | None = 5.0
    """Frames a second that are looked at; None for every frame, live for as many as can be."""
    device: str = "auto"
    model: Path | None = None
    """Decoder bundle or checkpoint that names things; None for what Nomaly ships."""
    embedder: str | None = None
    """Spec of the model's embedder from elsewhere; None as the model names it."""
    camera: str = ""
    zones: Zones = field(default_factory=Zones)
    overwrite: bool = False
