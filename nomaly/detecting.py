"""What does not belong in a fixed view."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.progress import Reporter
from app.watching import fitting
from detectors import build
from detectors.base import AnomalyMaps, Detector
from detectors.configs import PadimConfig, read_config
from detectors.finding import Finder
from detectors.types import Detection, Pixels
from nomaly.arrays import checked
from novic.device import resolve_device


class ViewDetector:
    """Knows what one camera normally sees. `fit_detector` and `load_detector` make one.

    It looks at single frames. That something stays for a while, and what it is called, is told by
    `nomaly.audit`.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._finder = Finder(detector.view)

    def detect(self, frames: Sequence[Pixels]) -> list[list[Detection]]:
        """Box what does not belong.

        Args:
            frames: B arrays, RGB uint8 [H, W, 3], of the size it was fitted on.

        Returns:
            For each frame its boxes with their scores, 1.0 is just unusual; often none.

        Raises:
            ArrayError: If a frame is no such array.
            NomalyError: If the frames have another size.
        """
        maps = self.maps(frames).maps
        return [self._finder.find(heat, frame) for heat, frame in zip(maps, frames, strict=True)]

    def maps(self, frames: Sequence[Pixels]) -> AnomalyMaps:
        """How unusual every part of each frame is, float32 [B, h, w], 1.0 is just unusual.

        Takes and raises what `detect` does.
        """
        return self._detector.detect(checked(frames))

    def save(self, folder: str | Path) -> None:
        """Write it into a new folder, for `load_detector` and every `--detector`.

        Raises:
            NomalyError: If the folder holds something or cannot be written.
        """
        self._detector.save(Path(folder))


def fit_detector(
    frames: Sequence[Pixels], *, settings: Mapping[str, Any] | None = None, device: str = "auto"
) -> ViewDetector:
    """Learn a view from frames that show nothing unusual.

    Args:
        frames: N arrays, RGB uint8 [H, W, 3], of one size, in the order they were taken. A minute
            and 64 of them, spread over it, are enough; fewer than 8 are refused.
        settings: What the detector is made of, as `--detector-setting` and scenario.yaml take it:
            `kind` (padim if it is missing) and whatever differs from the kind's own settings.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        ArrayError: If a frame is no such array.
        NomalyError: If there are too few frames, their sizes differ, weights are missing, or there
            is no such setting.
    """
    quiet = Reporter(quiet=True)
    normal, where = checked(frames), resolve_device(device)
    config = read_config({"kind": PadimConfig().kind, **(settings or {})})
    fitted = fitting.fit_detector(config, normal, where, quiet, lambda: None)
    return ViewDetector(fitted)


def load_detector(folder: str | Path, *, device: str = "auto") -> ViewDetector:
    """A detector that was fitted before.

    Args:
        folder: Written by `ViewDetector.save`, `nomaly fit` or an audit (`detector/`).
        device: `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        NomalyError: If the folder holds no whole detector of this version.
    """
    return ViewDetector(build.load_detector(Path(folder), resolve_device(device)))
