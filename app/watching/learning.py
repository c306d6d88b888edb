"""What a run learns before it looks: a detector of the normal view, and the view's picture."""

from collections.abc import Callable, Sequence
from pathlib import Path

from app.progress import Reporter
from app.watching.blurring import People
from app.watching.calm import normal_view_of
from detectors.base import Detector
from detectors.types import Pixels


def learned(
    frames: Sequence[Pixels],
    fit: Callable[[], Detector],
    tolerating: Callable[[Detector], Detector],
    out: Path,
    reporter: Reporter,
    people: People | None,
) -> Detector:
    """A detector of what was seen; says what moved in it, and keeps `normal.jpg`.

    Args:
        frames: What is normal, RGB uint8 [H, W, 3].
        fit: Fits the detector to it.
        tolerating: Makes it bear what stirs in the whole of the normal footage.
        out: Folder of the run.
        reporter: Told what moved.
        people: Hides people in the picture; None where they may be seen.

    Raises:
        KeyboardInterrupt: If it is stopped.
        detectors.base.DetectorError: If it cannot be fitted.
    """
    view = normal_view_of(frames, people and people.hidden) if frames else None
    if view is not None:
        view.save(out, reporter)
        view.tell(out, reporter)
    detector = fit()
    if view is None or detector.frame_size is None:
        return detector
    detector = tolerating(detector)
    view = view.borne(detector.tolerance)
    view.save(out, reporter)
    view.tell_borne(out, reporter)
    return detector
