"""What an inspection is told, and what suits stills; nothing here needs torch."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.errors import UsageError
from app.inspecting.layout import Layout, read_layout
from app.paths import shown_path
from detectors.configs import (
    DetectorConfig,
    DetectorConfigError,
    ViewConfig,
    parse_config,
    read_config,
)

KIND, ANYHOW = "padim", "bank"
"""Default kinds of detector, by measurement (benchmarks/stills.py): where images show one thing in
one place, and where what they show lies anyhow."""
SETTINGS = {
    "longer_side": 256,
    "passes": 1,
    "held_out_passes": 1,
    "held_out": 0.01,
    "largest_fit": 512,
}
"""What differs from a camera's detector: no shake, shadow or other light is made up, and the
threshold comes from images that are held out in turn, so a fit needs next to none for its own."""
SHARE = 0.01
"""Of good images that may be called defective."""


def stills_config(kind: str | None, settings: Mapping[str, str]) -> DetectorConfig:
    """Settings of a detector of stills.

    Args:
        kind: Which; None for the default.
        settings: What differs from what suits stills, as text.

    Raises:
        detectors.configs.DetectorConfigError: If there is no such kind or setting.
    """
    told = parse_config(kind or KIND, settings)
    suits = {name: value for name, value in SETTINGS.items() if name in type(told).model_fields}
    if type(told).model_fields["longer_side"].default != ViewConfig().longer_side:
        # What cannot look at a camera's pictures chose a size that suits it.
        del suits["longer_side"]
    said = told.model_dump(include=told.model_fields_set)
    return read_config({"kind": told.kind, **suits, **said})


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRequest:
    """What to learn from and how."""

    config: DetectorConfig
    anyhow: DetectorConfig | None = None
    """What learns instead where images do not show one thing in one place; None if `config` was
    asked for."""
    share: float
    """Of good images that may be called defective, above 0 and below 1."""
    device: str = "auto"


def fit_request(
    kind: str | None, settings: Mapping[str, str], share: float, device: str
) -> FitRequest:
    """What learns from stills; without a kind the images choose between KIND and ANYHOW.

    A setting that only KIND has chooses it.

    Raises:
        detectors.configs.DetectorConfigError: If there is no such kind or setting.
    """
    config, anyhow = stills_config(kind, settings), None
    if kind is None:
        with suppress(DetectorConfigError):
            anyhow = stills_config(ANYHOW, settings)
    return FitRequest(config=config, anyhow=anyhow, share=share, device=device)


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectRequest:
    """What to inspect and how."""

    folder: Path
    out: Path
    """Made if it is missing; what an earlier inspection wrote there is replaced."""
    detector: Path | None
    """A detector of stills; None learns from the folder's own train/good."""
    fit: FitRequest
    names: bool = True
    """Whether defects are named."""
    model: Path | None = None
    embedder: str | None = None
    device: str = "auto"

    def layout(self) -> Layout:
        """What lies in the folder.

        Raises:
            UsageError: If there is nothing to inspect, or nothing to learn from.
        """
        layout = read_layout(self.folder)
        if not layout.stills:
            raise UsageError(
                f"{shown_path(self.folder)}: holds good images to learn from and none to inspect; "
                f"for a detector alone: nomaly inspect fit {shown_path(self.folder)}"
            )
        if self.detector is None and not layout.good:
            raise UsageError(
                f"{shown_path(self.folder)}: holds no train/good to learn from; name a detector: "
                "--detector FOLDER (nomaly inspect fit GOOD_FOLDER makes one)"
            )
        return layout
