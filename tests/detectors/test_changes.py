"""Whether a thing has come or gone, in pictures of a real wall with a real thing before it."""

import cv2
import numpy as np
import pytest
import skimage.data

from detectors.changes import Comparison, Place, compare, judged
from detectors.types import Box, Pixels

BOX = Box(100, 60, 140, 100)


def a_place(seed: int, *, cat: bool = False, light: float = 1.0) -> Pixels:
    """The wall at another moment, perhaps with the cat's face before it."""
    rng = np.random.default_rng(seed)
    wall = cv2.resize(skimage.data.brick()[:320, :400], (200, 160), interpolation=cv2.INTER_AREA)
    frame = cv2.merge([wall] * 3) + rng.normal(0, 2, (160, 200, 3))
    if cat:
        face = cv2.resize(skimage.data.chelsea()[20:280, 90:350], (36, 36))
        outline = np.zeros((36, 36), np.uint8)
        cv2.circle(outline, (18, 18), 17, 1, cv2.FILLED)
        part = frame[62:98, 102:138]
        part[outline > 0] = np.asarray(face)[outline > 0]
    return (frame * light).clip(0, 255).astype(np.uint8)


def compared(learned: Pixels, seen: Pixels) -> Comparison:
    place = Place.of(learned, seen, BOX)
    assert place is not None
    found = compare(place)
    assert found is not None
    return found


@pytest.mark.parametrize("light", [0.7, 1.0, 1.25])
def test_a_thing_that_came_is_told_from_one_that_went(light: float):
    came = compared(a_place(1), a_place(2, cat=True, light=light))
    went = compared(a_place(3, cat=True), a_place(4, light=light))
    assert judged(came.before, came.now) == "arrived"
    assert judged(went.before, went.now) == "missing"


def test_pictures_of_another_size_are_compared_at_one():
    full, empty = a_place(1, cat=True), a_place(2)
    large = cv2.resize(full, None, fx=2, fy=2).astype(np.uint8)
    went = compared(large, empty)
    assert judged(went.before, went.now) == "missing"


def test_where_nothing_differs_there_is_nothing_to_tell():
    assert Place.of(a_place(1), a_place(1), BOX) is None
    tiny = np.zeros((1, 1, 3), np.uint8)
    assert Place.of(tiny, tiny + 200, Box(0, 0, 1, 1)) is None


def test_what_is_in_both_pictures_has_changed_and_what_is_in_doubt_has_arrived():
    assert judged(4.0, 3.0) == "changed"
    assert judged(9.0, 3.0) == "missing"
    assert judged(3.0, 9.0) == "arrived"
    assert judged(0.5, 0.0) == "arrived"
    assert judged(0.0, -2.0) == "missing"
