"""A small fitted detector, learned once for all tests of the room."""

import numpy as np
import pytest
import skimage.data
import torch

from detectors.configs import PadimConfig
from detectors.features.extractors import Extractors
from detectors.models.padim import PadimDetector
from detectors.types import Pixels
from tests.detectors.views import normal_views

QUICK = PadimConfig(passes=64, longer_side=320)


@pytest.fixture(scope="session")
def normal() -> list[Pixels]:
    """Twelve frames of 200 x 160 pixels of one place."""
    return normal_views(12, seed=1)


@pytest.fixture(scope="session")
def extractors() -> Extractors:
    """Networks that the detectors of all tests share: compiling one takes seconds."""
    return Extractors()


@pytest.fixture(scope="session")
def fitted(normal: list[Pixels], extractors: Extractors) -> PadimDetector:
    """While it lives, so does the network that all quick detectors look through."""
    detector = PadimDetector(QUICK, torch.device("cpu"), extractors)
    detector.fit(normal)
    return detector


@pytest.fixture(scope="session")
def intruder(normal: list[Pixels]) -> tuple[Pixels, tuple[slice, slice]]:
    """A frame of the place with the cat's face in it, and where it lies."""
    place = (slice(60, 100), slice(110, 150))
    frame = normal_views(1, seed=9)[0].copy()
    frame[place] = np.asarray(skimage.data.chelsea()[80:240:4, 140:300:4])
    return frame, place
