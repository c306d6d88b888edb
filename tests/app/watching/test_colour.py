"""A camera that goes over to grey at night."""

import cv2
import numpy as np
import pytest

from app.watching.colour import ColourCheck, colour_of
from detectors.types import Box, Pixels
from tests.app.builders import a_frame
from tests.app.watching.test_faults import a_scene, with_noise

FPS = 5


def grey(image: Pixels, seed: int = 0) -> Pixels:
    """As an infrared camera shows it: no colour, and a lot of noise."""
    plain = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return with_noise(np.asarray(plain, np.uint8), 6, seed)


def a_heat(*spots: tuple[int, int, float]) -> np.ndarray:
    heat = np.full((12, 16), 0.3, np.float32)
    for row, column, peak in spots:
        heat[row : row + 3, column : column + 3] = peak
    return heat


def see(check: ColourCheck, number: int, image: Pixels, heat: np.ndarray, *boxes: Box):
    return check.see(a_frame(number / FPS, image), heat, boxes)


def test_colour_is_told_from_its_noise():
    assert colour_of(a_scene()) > 20
    assert colour_of(grey(a_scene())) < 3


def test_what_the_loss_of_colour_makes_unusual_is_not_found_but_what_comes_later_is():
    check, switched = ColourCheck(), a_heat((2, 2, 2.5))
    for number in range(10):
        assert see(check, number, a_scene(number), a_heat()) == pytest.approx(a_heat())
    assert not check.lost
    for number in range(10, 30):
        heat = see(check, number, grey(a_scene(), number), switched)
        assert check.lost
        assert heat.max() <= 1
    thing = a_heat((2, 2, 2.5), (8, 10, 3.0))
    heat = see(check, 30, grey(a_scene()), thing)
    assert heat[9, 11] == pytest.approx(3.0)
    assert heat[3, 3] <= 1
    # Colour is back: everything counts again.
    assert see(check, 31, a_scene(), switched) == pytest.approx(switched)
    assert not check.lost


def test_what_was_followed_before_goes_on_through_the_loss_of_colour():
    check, there = ColourCheck(), a_heat((8, 10, 3.0))
    box = Box(11 * 20, 9 * 20, 12 * 20, 10 * 20)  # cells of 20 pixels
    see(check, 0, a_scene(), there, box)
    for number in range(1, 12):
        heat = see(check, number, grey(a_scene(), number), there, box)
        assert heat[9, 11] == pytest.approx(3.0)


def test_a_camera_that_never_showed_colours_has_not_lost_them():
    check = ColourCheck()
    for number in range(10):
        see(check, number, grey(a_scene(), number), a_heat())
    assert not check.lost


def test_dusk_takes_colour_away_without_a_fault():
    check = ColourCheck()
    dim = cv2.cvtColor(cv2.cvtColor(a_scene(), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    for number, share in enumerate(np.linspace(1, 0, 900)):
        mixed = cv2.addWeighted(a_scene(), share, dim, 1 - share, 0).astype(np.uint8)
        see(check, number, mixed, a_heat())
    assert not check.lost
