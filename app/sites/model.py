"""Which decoder and detector a run takes when a scenario is named."""

from pathlib import Path

from app.errors import UsageError
from detectors.zones import Zones
from scenarios.site import find_scenario


def site_bundle(
    scenario: str | None, ft: int | None, root: Path | None, model: Path | None
) -> Path | None:
    """The decoder that a run names things with.

    Args:
        scenario: Name of the site, if one is named.
        ft: Which of its decoders; None for the one that knows most nouns: what does not belong
            somewhere is often what is not expected there either.
        root: Folder of scenarios.
        model: A decoder that was named itself.

    Returns:
        Its folder; None for the one that Nomaly ships.

    Raises:
        UsageError: If both are named, or options lack their scenario.
        ScenarioError: If there is no such scenario, or it has no such decoder.
    """
    if scenario is None:
        if ft is not None or root is not None:
            raise UsageError("--ft and --root are for --scenario NAME")
        return model
    if model is not None:
        raise UsageError("--model and --scenario are given; a scenario brings its own model")
    return find_scenario(scenario, root, lambda _: None).bundle(ft)


def site_detector(
    scenario: str | None, root: Path | None, detector: Path | None, *, taught: bool
) -> Path | None:
    """The detector that a run looks with.

    Args:
        scenario: Name of the site, if one is named.
        root: Folder of scenarios.
        detector: A detector that was named itself, which comes first.
        taught: Whether the run learns from normal footage, which comes first too.

    Returns:
        Its folder; None if the run has to learn.

    Raises:
        ScenarioError: If there is no such scenario.
    """
    if scenario is None or detector is not None or taught:
        return detector
    site = find_scenario(scenario, root, lambda _: None)
    folder = site.settings.detector.folder
    return None if folder is None else site.folder / folder


def site_zones(scenario: str, root: Path | None) -> Zones:
    """What of the view a site does not watch.

    Raises:
        ScenarioError: If there is no such scenario.
    """
    return find_scenario(scenario, root, lambda _: None).settings.detector.zones
