"""Which parts of a view are out of focus."""

import cv2
import numpy as np
import pytest

from app.calibrating.seen_there import softest, softness
from app.simulator.places import MARGIN
from app.simulator.views import scene
from detectors.types import Box, Pixels

SHARP = scene("garden", (240, 320)).world[MARGIN:-MARGIN, MARGIN:-MARGIN].copy()
LEFT, RIGHT = Box(30, 100, 50, 140), Box(270, 100, 290, 140)


def blurred_right(picture: Pixels, sigma: float) -> Pixels:
    half = picture.shape[1] // 2
    picture = picture.copy()
    picture[:, half:] = cv2.GaussianBlur(picture, (0, 0), sigma)[:, half:]
    return picture


def test_a_sharp_picture_is_soft_hardly_anywhere():
    assert (softness(SHARP) > 0).mean() < 0.05


@pytest.mark.parametrize("sigma", [1.5, 2.0])
def test_the_part_that_is_out_of_focus_is_told_with_its_softness(sigma: float):
    found = softness(blurred_right(SHARP, sigma))
    assert softest(found, LEFT) == 0
    assert softest(found, RIGHT) == pytest.approx(sigma, abs=0.5)


def test_a_plain_wall_says_nothing():
    assert not softness(np.full((240, 320, 3), 120, np.uint8)).any()
    wall = SHARP.copy()
    wall[:, 160:] = 120
    assert softest(softness(wall), Box(250, 100, 310, 140)) == 0


def test_what_lies_at_the_rim_has_the_softness_of_the_rim():
    found = softness(blurred_right(SHARP, 2.0))
    assert softest(found, Box(310, 236, 330, 250)) == found[239, 319]
