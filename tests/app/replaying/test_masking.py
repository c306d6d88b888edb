"""What a zone leaves of a thing lies in the zone."""

import numpy as np
import pytest

from app.events.trace import Patch, SeenFrame, SeenThing
from app.replaying.masking import Masked
from detectors.types import Box, Detection
from detectors.zones import Zones

SIZE, SHAPE = (96, 128), (12, 16)


def seen(drawn: Box) -> SeenFrame:
    """A thing of 4 x 3 cells from x 16 to 48, of which pixels drew a part."""
    values = np.zeros((5, 6), np.float32)
    values[1:4, 1:5] = 2.0
    patch = Patch(1, 3, values, SHAPE)
    return SeenFrame(1.0, (SeenThing(Detection(drawn, 2.0), None, patch),), 1.0)


def left_of(drawn: Box, from_x: float) -> Box:
    zones = Zones(exclude=(((0.0, 0.0), (from_x, 0.0), (from_x, 1.0), (0.0, 1.0)),))
    ((found, _),) = Masked(zones, SIZE).found([seen(drawn)], 1.0)
    return found.box


def test_what_pixels_drew_beside_the_zone_is_not_told_to_be_there():
    box = left_of(Box(16, 34, 36, 54), 40 / 128)
    assert (box.x1, box.x2) == (pytest.approx(40, abs=2), pytest.approx(48, abs=2))


def test_where_most_is_watched_the_box_is_as_pixels_drew_it():
    drawn = Box(22, 34, 46, 54)
    assert left_of(drawn, 24 / 128) == drawn
