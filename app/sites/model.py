"""What a run takes from the site that it is for: decoder, detector and zones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import UsageError
from detectors.configs import DetectorConfig
from detectors.tracks import TrackRule
from detectors.zones import Zones
from scenarios.belonging_rule import BelongingRule
from scenarios.site import Scenario, known_scenario


@dataclass(frozen=True, slots=True)
class OpenedSite:
    """What a run looks and names with."""

    bundle: Path | None
    """Folder of the decoder; None for the one that Nomaly ships."""
    detector: Path | None
    """Folder of the fitted detector; None if the run has to learn."""
    zones: Zones
    """What of the view is watched."""
    rule: TrackRule = field(default_factory=TrackRule)
    """When something counts as an event, and when it is over."""
    detector_config: DetectorConfig | None = None
    """What the site says that a detector which learns is made of; None if it says nothing."""
    belonging: BelongingRule = field(default_factory=BelongingRule)
    """When a named thing belongs to the site."""


def open_site(
    scenario: str | None,
    ft: int | None = None,
    root: Path | None = None,
    *,
    model: Path | None = None,
    detector: Path | None = None,
    exclude: Sequence[str] = (),
    taught: bool = False,
) -> OpenedSite:
    """Find what a run takes: what was named itself comes first, then what the site has.

    Args:
        scenario: Name of the site, if one is named.
        ft: Which of its decoders; None for the one that knows most nouns: what does not belong
            somewhere is often what is not expected there either.
        root: Folder of scenarios.
        model: A decoder that was named itself.
        detector: A detector that was named itself.
        exclude: Polygons that are not watched, as typed: "x,y x,y x,y".
        taught: Whether the run learns from normal footage, so that the site's detector is not
            asked for.

    Raises:
        UsageError: If a decoder and a site are named, options lack their scenario, or a polygon
            is none.
        ScenarioError: If there is no such scenario, or it has no such decoder.
    """
    zones = _zones(exclude)
    if scenario is None:
        if ft is not None or root is not None:
            raise UsageError("--ft and --root are for --scenario NAME")
        return OpenedSite(model, detector, zones)
    if model is not None:
        raise UsageError("--model and --scenario are given; a scenario brings its own model")
    site = known_scenario(scenario, root)
    if detector is None and not taught:
        detector = _fitted(site)
    zones = zones if exclude else site.settings.detector.zones
    looks = site.settings.detector
    belonging = site.settings.belonging
    return OpenedSite(site.bundle(ft), detector, zones, looks.tracks, looks.model, belonging)


def _fitted(site: Scenario) -> Path | None:
    """Folder of the site's own detector."""
    folder = site.settings.detector.folder
    return None if folder is None else site.folder / folder


def _zones(exclude: Sequence[str]) -> Zones:
    try:
        return Zones(exclude=tuple(map(corners, exclude)))
    except ValueError as error:
        raise UsageError(
            f"--exclude {' '.join(exclude)}: {error}; write corners as x,y x,y x,y"
        ) from error


def corners(text: str) -> tuple[tuple[float, float], ...]:
    """A polygon as it is typed: "x,y x,y x,y", shares of the frame's width and height.

    Raises:
        ValueError: If it is none.
    """
    polygon = tuple(map(_corner, text.split()))
    # Refuses what has no inside, or lies outside the frame.
    Zones(exclude=(polygon,))
    return polygon


def _corner(text: str) -> tuple[float, float]:
    try:
        x, y = map(float, text.split(","))
    except ValueError as error:
        raise ValueError(f"{text!r} is no corner x,y") from error
    return x, y
