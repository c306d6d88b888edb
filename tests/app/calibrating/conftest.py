"""A small view, what learned it, and its footage."""

from pathlib import Path

import pytest
import torch

from app.calibrating.planting import Pace, Window
from detectors.base import Detector
from detectors.build import build_detector
from detectors.configs import DiagonalConfig
from tests.app.watching.road import day, frames
from tests.peers.pattern import write_video

LEARNED = 100
"""Frames that are learned, of 36 seconds at 5 a second."""


@pytest.fixture(scope="session")
def knows() -> Detector:
    """A detector of the view."""
    detector = build_detector(DiagonalConfig(passes=16, longer_side=320), torch.device("cpu"))
    detector.fit([frame.image for frame in frames(day(), 0, LEARNED)][::10])
    return detector


@pytest.fixture(scope="session")
def moment() -> Window:
    """A moment that was not learned."""
    pace = Pace.of(0.2)
    return Window(tuple(frames(day(), LEARNED + 20, LEARNED + 20 + pace.frames)), 9, pace.before)


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds that were not learned."""
    path = tmp_path_factory.mktemp("footage") / "normal.mp4"
    return write_video(path, [one.image for one in frames(day(), LEARNED, LEARNED + 30)], fps=5)


@pytest.fixture(scope="session")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute, of a picture each second."""
    path = tmp_path_factory.mktemp("minute") / "minute.mp4"
    pictures = [one.image for one in frames(day(), LEARNED, LEARNED + 6)]
    return write_video(path, pictures * 10, fps=1)
