"""Small folders of stills, made once for all tests."""

from pathlib import Path

from app.inspecting.request import FitRequest, InspectRequest, stills_config
from app.simulator.stills import StillsPlan, write_stills

QUICK = {"longer_side": "192"}
"""A detector that learns in a second."""


def cup(folder: Path, learned: int = 16) -> Path:
    """A cup, good and with each defect twice."""
    write_stills(StillsPlan("cup", seed=3, learned=learned, good=6, each=2), folder)
    return folder


def request(folder: Path, out: Path, detector: Path | None = None) -> InspectRequest:
    """An inspection without names, quick to do."""
    return InspectRequest(
        folder=folder,
        out=out,
        detector=detector,
        fit=quick(),
        names=False,
        device="cpu",
    )


def quick(share: float = 0.05) -> FitRequest:
    """Learning with a detector that needs neither anomalib nor time."""
    return FitRequest(config=stills_config("diagonal", QUICK), share=share, device="cpu")
