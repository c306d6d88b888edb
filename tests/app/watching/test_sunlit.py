"""Light with hard edges, told from things on places that have no texture themselves."""

import cv2
import numpy as np
import pytest

from app.watching.sunlit import Sunlit
from detectors.types import Pixels

HEIGHT, WIDTH = 240, 320
PLAIN_EDGE = (slice(60, 110), slice(180, 240))
"""A part of the plain wall in which the patch of sun of `sunny` ends."""


def the_view() -> Pixels:
    """Gravel to the left, a plain wall to the right."""
    noise = np.random.default_rng(3).normal(0, 40, (HEIGHT, WIDTH))
    texture = cv2.GaussianBlur(noise, (0, 0), 1.2) * 1.6
    texture[:, 160:] = 0
    view = np.clip(110 + texture, 0, 255)[..., None] * np.array([1.0, 0.95, 0.85])
    return np.clip(view, 0, 255).astype(np.uint8)


def sunny(view: Pixels, gain: tuple[float, float, float] = (1.6, 1.55, 1.45)) -> Pixels:
    """A patch of sun over both."""
    lit = view.astype(np.float32)
    lit[80:170, 90:210] *= np.array(gain, np.float32)
    return np.clip(lit, 0, 255).astype(np.uint8)


def test_sun_on_a_plain_place_is_the_sun_on_the_texture_beside_it():
    view = the_view()
    assert Sunlit(sunny(view), view).explains(PLAIN_EDGE)
    assert not Sunlit(view, view).explains(PLAIN_EDGE)


@pytest.mark.parametrize("sun", [False, True])
@pytest.mark.parametrize("colour", [(235, 235, 235), (160, 170, 160), (40, 40, 40)])
def test_a_sheet_of_paper_on_a_plain_place_is_none(sun: bool, colour: tuple[int, int, int]):
    view = the_view()
    image = sunny(view) if sun else view.copy()
    image[70:105, 195:235] = colour
    assert not Sunlit(image, view).explains((slice(65, 110), slice(190, 240)))


def test_what_hides_the_texture_in_the_sun_is_none_though_it_is_as_bright():
    view = the_view()
    image = sunny(view)
    image[100:130, 110:150] = (176, 162, 136)
    assert not Sunlit(image, view).explains((slice(95, 135), slice(105, 155)))


def test_something_far_away_that_is_as_much_lighter_is_none():
    view = the_view()
    image = sunny(view)
    image[190:220, 280:310] = (176, 162, 136)
    assert not Sunlit(image, view).explains((slice(185, 225), slice(275, 315)))


def test_light_is_known_for_the_next_frame_that_is_too_blurred_to_show_it():
    view = the_view()
    clear, blurred = Sunlit(sunny(view), view), cv2.blur(sunny(view), (7, 7)).astype(np.uint8)
    part = (slice(90, 110), slice(190, 230))
    assert not Sunlit(blurred, view).explains(part)
    assert Sunlit(blurred, view, clear.suns).explains(part)
