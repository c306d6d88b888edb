"""Nomaly for Python programs: name pictures, watch frames, audit videos. See docs/python.md.

These names are stable, those of the rooms below are not. Importing this loads nothing heavy: what a
name needs is imported when the name is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.events.event import Event
    from app.inspecting.judged import Inspection, Judged
    from app.watching.results import AuditResult
    from detectors.base import AnomalyMaps
    from detectors.types import Box, Detection, Frame, Pixels
    from nomaly.arrays import ArrayError
    from nomaly.auditing import audit
    from nomaly.detecting import ViewDetector, fit_detector, load_detector
    from nomaly.inspecting import fit_stills, inspect
    from nomaly.naming import Namer, load_namer
    from nomaly.video import read_frames
    from novic.errors import NomalyError
    from novic.vocabulary import Naming, NounScore

__all__ = [
    "AnomalyMaps",
    "ArrayError",
    "AuditResult",
    "Box",
    "Detection",
    "Event",
    "Frame",
    "Inspection",
    "Judged",
    "Namer",
    "Naming",
    "NomalyError",
    "NounScore",
    "Pixels",
    "ViewDetector",
    "audit",
    "fit_detector",
    "fit_stills",
    "inspect",
    "load_detector",
    "load_namer",
    "read_frames",
]

_HOMES = {
    "app.events.event": ("Event",),
    "app.inspecting.judged": ("Inspection", "Judged"),
    "app.watching.results": ("AuditResult",),
    "detectors.base": ("AnomalyMaps",),
    "detectors.types": ("Box", "Detection", "Frame", "Pixels"),
    "nomaly.arrays": ("ArrayError",),
    "nomaly.auditing": ("audit",),
    "nomaly.detecting": ("ViewDetector", "fit_detector", "load_detector"),
    "nomaly.inspecting": ("fit_stills", "inspect"),
    "nomaly.naming": ("Namer", "load_namer"),
    "nomaly.video": ("read_frames",),
    "novic.errors": ("NomalyError",),
    "novic.vocabulary": ("Naming", "NounScore"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import what a public name stands for (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'nomaly' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
