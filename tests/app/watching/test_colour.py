"""A camera that goes over to grey at night."""

import cv2
import numpy as np

from app.watching.colour import ColourCheck, colour_of
from detectors.learned import LearnedView
from detectors.types import Pixels
from tests.app.builders import a_frame
from tests.app.watching.test_faults import a_scene, with_noise

FPS = 5


def grey(image: Pixels, seed: int = 0) -> Pixels:
    """As an infrared camera shows it: no colour, and a lot of noise."""
    plain = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return with_noise(np.asarray(plain, np.uint8), 6, seed)


def test_colour_is_told_from_its_noise():
    assert colour_of(a_scene()) > 20
    assert colour_of(grey(a_scene())) < 3


def test_colour_is_lost_and_comes_back():
    check = ColourCheck()
    shows = [a_scene(0), a_scene(1), grey(a_scene(2)), grey(a_scene(3)), a_scene(4)]
    lost = [check.lost_in(a_frame(number / FPS, image)) for number, image in enumerate(shows)]
    assert lost == [False, False, True, True, False]


def test_a_watch_that_begins_at_night_knows_the_colours_that_were_learned():
    view = LearnedView.of([a_scene(seed) for seed in range(3)])
    assert ColourCheck(view).lost_in(a_frame(0, grey(a_scene())))


def test_a_camera_that_never_showed_colours_has_not_lost_them():
    check = ColourCheck()
    assert not any(
        check.lost_in(a_frame(number / FPS, grey(a_scene(), number))) for number in range(10)
    )


def test_dusk_takes_colour_away_without_a_fault():
    check = ColourCheck()
    dim = cv2.cvtColor(cv2.cvtColor(a_scene(), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    for number, share in enumerate(np.linspace(1, 0, 900)):
        mixed = cv2.addWeighted(a_scene(), share, dim, 1 - share, 0).astype(np.uint8)
        assert not check.lost_in(a_frame(number / FPS, mixed))
