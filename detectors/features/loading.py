"""Backbones by name.

Packaged ones need no model hub and no network: `lite0`, `lite2`, `dinov2-s`. `timm:NAME` is fetched
from timm's hub, `local-dir:FOLDER` lies in a folder as timm saves it.
"""

from detectors.base import DetectorError
from detectors.features.backbones import Backbone

KNOWN = ("lite0", "lite2", "dinov2-s", "timm:NAME", "local-dir:FOLDER")
"""The names that a backbone can have."""


def load_backbone(name: str) -> Backbone:
    """The backbone of that name.

    Raises:
        DetectorError: If there is none.
        BackboneError: If its weights are missing or not those that we know; the text says which
            file is needed and where it has to lie.
    """
    kind, _, which = name.partition(":")
    match kind, which:  # each needs libraries of its own
        case (("lite0" | "lite2"), ""):
            from detectors.features.lite import load_lite  # noqa: PLC0415

            return load_lite(name)
        case "dinov2-s", "":
            from detectors.features.dinov2 import load_dinov2  # noqa: PLC0415

            return load_dinov2()
        case (("timm" | "local-dir"), which) if which:
            from detectors.features.timm_backbones import load_timm  # noqa: PLC0415

            return load_timm(name)
    raise DetectorError(f"unknown backbone '{name}'; there are {', '.join(KNOWN)}")
