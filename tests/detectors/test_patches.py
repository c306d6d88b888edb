"""What a map calls unusual and the pixels do not show, in frames of a real place."""

import cv2
import numpy as np
import pytest

from detectors.finding import Finder
from detectors.learned import LearnedView
from detectors.types import Box, Pixels
from tests.detectors.views import normal_views

CELLS = np.s_[4:6, 9:12]
"""Of the map: rows 32 to 48, columns 72 to 96 of the frame."""
PLACE = Box(72, 32, 96, 48)


def skies(count: int, seed: int, light: float) -> list[Pixels]:
    """The place with a plain sky of so many grey levels over its upper half."""
    views = normal_views(count, seed)
    rng = np.random.default_rng(seed)
    for view in views:
        sky = light * rng.uniform(0.95, 1.05) + rng.normal(0, 2, (80, 200, 1))
        view[:80] = sky.clip(0, 255).astype(np.uint8)
    return views


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder(LearnedView.of(skies(9, 1, 236)))


@pytest.fixture
def heat() -> np.ndarray:
    heat = np.zeros((20, 25), np.float32)
    heat[CELLS] = 1.5
    return heat


def blown_out(step: int) -> Pixels:
    """A sky that is too bright, as a codec keeps it: white, with a block a few levels darker."""
    frame = skies(1, 5, 236)[0]
    frame[:80] = 253
    frame[32:48, 80:96] -= np.uint8(step)
    return frame


def test_steps_that_a_codec_leaves_in_a_blown_out_sky_are_nothing(finder: Finder, heat: np.ndarray):
    assert Finder().find(heat, blown_out(2))  # by the map alone
    assert finder.find(heat, blown_out(2)) == []


def test_a_faint_thing_in_a_blown_out_sky_is_found(finder: Finder, heat: np.ndarray):
    (found,) = finder.find(heat, blown_out(24))
    assert found.box.overlap(PLACE) > 0


@pytest.mark.parametrize("light", [0.7, 1.0])
def test_what_light_and_noise_explain_is_nothing_where_there_is_texture(light: float):
    finder = Finder(LearnedView.of(normal_views(9, 1)))
    heat = np.full((20, 25), 0.5, np.float32)
    heat[13:16, 9:12] = 1.5
    frame = (normal_views(1, 5)[0] * light).astype(np.uint8)
    assert finder.find(heat, frame) == []
    cv2.circle(frame, (84, 116), 3, (90, 160, 90), -1)
    assert len(finder.find(heat, frame)) == 1


def test_a_thing_is_found_beside_the_cells_that_see_it(finder: Finder, heat: np.ndarray):
    frame = skies(1, 5, 236)[0]
    frame[40:44, 98:102] = 120
    assert finder.find(heat, frame)


def test_a_view_smaller_than_its_margins_is_left_to_the_map(heat: np.ndarray):
    tiny = [frame[:6, :6].copy() for frame in normal_views(9, 1)]
    found = Finder(LearnedView.of(tiny)).find(np.full((1, 1), 2, np.float32), tiny[0])
    assert len(found) == 1
