"""Where a camera looks, found by its picture alone."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from app.simulator.photos import photo
from app.watching.pose import Pose
from app.watching.registration import ALIKE, Registration
from detectors.types import Pixels
from tests.app.watching.test_faults import with_noise

HEIGHT, WIDTH = 240, 320


def wide() -> Pixels:
    """A photograph with more around it than a camera sees."""
    return cv2.resize(photo("motorcycle_left.png"), (480, 324)).astype(np.uint8)


def seen(
    right: int = 0, down: int = 0, degrees: float = 0, zoom: float = 1, seed: int = 1
) -> Pixels:
    """What a camera sees of it whose picture has gone so far, with new noise."""
    turn = cv2.getRotationMatrix2D((240, 162), degrees, zoom)
    world = cv2.warpAffine(wide(), turn, (480, 324)).astype(np.uint8)
    left, top = 80 - right, 42 - down
    return with_noise(world[top : top + HEIGHT, left : left + WIDTH], 3, seed)


@pytest.fixture(scope="module")
def registration() -> Registration:
    return Registration(seen(seed=0))


def dark(image: Pixels) -> Pixels:
    return with_noise((image * 0.3).astype(np.uint8), 3)


def without_colour(image: Pixels) -> Pixels:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def crowded(image: Pixels) -> Pixels:
    """Something as large as a third of the view stands before it."""
    there = image.copy()
    there[60:200, 100:280] = cv2.resize(photo("flower.jpg"), (180, 140))
    return there


@pytest.mark.parametrize("change", [lambda image: image, dark, without_colour, crowded])
@pytest.mark.parametrize(("right", "down"), [(0, 0), (4, -2), (20, 10), (-60, 30)])
def test_a_shift_is_found_in_any_light(
    registration: Registration, change: Callable[[Pixels], Pixels], right: int, down: int
):
    laid = registration.nudged(change(seen(right, down)), Pose.still())
    gone = laid.pose.corners((HEIGHT, WIDTH)).mean(axis=0)
    assert gone == pytest.approx((right, down), abs=1)
    assert laid.likeness >= ALIKE


def test_a_shift_is_found_from_where_the_camera_looked_before(registration: Registration):
    laid = registration.nudged(seen(25, 5), Pose.shifted(20, 10))
    assert laid.pose.corners((HEIGHT, WIDTH))[0] == pytest.approx((25, 5), abs=1)


def test_noise_alone_leaves_a_frame_where_it_lies(registration: Registration):
    still = Pose.still()
    assert all(registration.nudged(seen(seed=seed), still).pose is still for seed in range(5))


def test_a_camera_that_was_turned_and_zoomed_is_laid_back(registration: Registration):
    image = seen(15, 5, degrees=5, zoom=1.08)
    assert registration.nudged(image, Pose.still()).likeness < ALIKE
    laid = registration.turned(image)
    assert laid is not None
    assert laid.likeness > 0.85
    assert laid.strange < 0.2


def test_another_place_is_alike_nowhere(registration: Registration):
    elsewhere = cv2.resize(photo("flower.jpg"), (WIDTH, HEIGHT)).astype(np.uint8)
    laid = registration.nudged(elsewhere, Pose.still())
    assert laid.likeness < ALIKE
    assert laid.strange > 0.8
    assert registration.turned(elsewhere) is None


def test_a_plain_wall_tells_nothing_of_where_the_camera_looks():
    assert not Registration(with_noise(np.full((HEIGHT, WIDTH, 3), 150, np.uint8), 2)).able
