"""A detector that is learned once for all tests of the room."""

import pytest
import torch

from detectors.base import Detector
from detectors.build import build_detector
from detectors.configs import DiagonalConfig
from tests.app.watching.road import LEARN, PASSING, day, frames


@pytest.fixture(scope="session")
def learned() -> Detector:
    """A detector of a view through which something passes, of a frame a second."""
    detector = build_detector(DiagonalConfig(passes=64, longer_side=320), torch.device("cpu"))
    detector.fit([frame.image for frame in frames(day(PASSING), 0, LEARN)][::5])
    return detector
