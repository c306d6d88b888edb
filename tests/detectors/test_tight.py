"""Patches in frames of a real place, and coarse boxes around them as a map would give them."""

import cv2
import numpy as np
import pytest

from detectors.finding import Finder
from detectors.learned import LearnedView
from detectors.tight import tightened
from detectors.types import Box, Detection, Pixels
from tests.detectors.views import normal_views

SIZE = (160, 200)
HOT = np.full((20, 25), 2, np.float32)


@pytest.fixture(scope="module")
def view() -> LearnedView:
    return LearnedView.of(normal_views(9, seed=1))


@pytest.fixture
def frame() -> Pixels:
    return normal_views(1, seed=5)[0].copy()


def put(frame: Pixels, box: Box, colour: tuple[int, int, int] = (40, 200, 60)) -> Box:
    frame[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)] = colour
    return box


def coarse(box: Box, by: float = 6) -> Detection:
    return Detection(Box(box.x1 - by, box.y1 - by, box.x2 + by + 2, box.y2 + by), 2.0)


@pytest.mark.parametrize("side", [5, 9, 16, 30])
def test_a_coarse_box_becomes_as_tight_as_the_thing(view: LearnedView, frame: Pixels, side: int):
    true = put(frame, Box(120, 60, 120 + side, 60 + side))
    (found,) = tightened(coarse(true), HOT, frame, view)
    assert found.box.iou(true) > 0.75 > coarse(true).box.iou(true)
    assert found.score == 2.0


def test_other_light_and_a_shake_do_not_widen_it(view: LearnedView, frame: Pixels):
    true = put(frame, Box(120, 60, 132, 72))
    shift = np.array([[1, 0, 0.4], [0, 1, -0.3]], np.float32)
    shaken = cv2.warpAffine(frame, shift, SIZE[::-1], borderMode=cv2.BORDER_REPLICATE)
    lit = np.clip(shaken * 0.7, 0, 255).astype(np.uint8)
    (found,) = tightened(coarse(true), HOT, lit, view)
    assert found.box.iou(true) > 0.65


def test_where_the_pixels_say_nothing_the_maps_box_stays(view: LearnedView, frame: Pixels):
    found = coarse(Box(120, 60, 132, 72))
    assert tightened(found, HOT, frame, view) == [found]


def test_a_wide_box_stays_the_maps(view: LearnedView, frame: Pixels):
    true = put(frame, Box(60, 30, 130, 110))
    assert tightened(coarse(true), HOT, frame, view) == [coarse(true)]


def test_a_flat_thing_is_not_as_high_as_its_halo(view: LearnedView, frame: Pixels):
    true = put(frame, Box(60, 60, 120, 68))
    halo = Detection(Box(58, 50, 122, 78), 2.0)
    assert true.iou(halo.box) < 0.3
    (found,) = tightened(halo, HOT, frame, view)
    assert found.box.iou(true) > 0.75


def test_two_things_in_one_box_are_told_apart_by_their_gap(view: LearnedView, frame: Pixels):
    left, right = put(frame, Box(90, 60, 120, 90)), put(frame, Box(125, 60, 155, 90))
    heat = HOT.copy()
    heat[:, :16] = 1.5  # the cells of the left one
    whole = Detection(left.union(right).grown(0.05, SIZE), 2.0)
    found = sorted(tightened(whole, heat, frame, view), key=lambda one: one.box.x1)
    assert [one.score for one in found] == [1.5, 2.0]
    assert found[0].box.iou(left) > 0.8
    assert found[1].box.iou(right) > 0.8


def test_parts_smaller_than_a_few_cells_are_parts_of_one_thing(view: LearnedView, frame: Pixels):
    left, right = put(frame, Box(110, 60, 122, 76)), put(frame, Box(126, 60, 138, 76))
    whole = Detection(left.union(right).grown(0.2, SIZE), 2.0)
    (found,) = tightened(whole, HOT, frame, view)
    assert found.box.iou(left.union(right)) > 0.7


def test_a_part_that_the_map_does_not_show_is_none(view: LearnedView, frame: Pixels):
    left, right = put(frame, Box(90, 60, 120, 90)), put(frame, Box(126, 60, 156, 90))
    heat = np.zeros((20, 25), np.float32)
    heat[:, 11:15] = 2
    whole = Detection(left.union(right).grown(0.05, SIZE), 2.0)
    (found,) = tightened(whole, heat, frame, view)
    assert found.box.iou(left) > 0.8


def test_frames_may_be_larger_than_the_learned_picture(frame: Pixels):
    true = put(frame, Box(120, 60, 132, 72))
    size = (2720, 3400)
    small = LearnedView.of(normal_views(9, seed=1))
    large = LearnedView(small.picture, small.noise, size)
    image = np.asarray(cv2.resize(frame, size[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
    seen = Detection(Box(114 * 17, 54 * 17, 138 * 17, 78 * 17), 2.0)
    (found,) = tightened(seen, HOT, image, large)
    assert found.box.iou(Box(*(17 * v for v in (true.x1, true.y1, true.x2, true.y2)))) > 0.7


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (160, 200)])
def test_tiny_black_and_torn_frames_are_looked_at_without_a_fault(size: tuple[int, int]):
    normal = [cv2.resize(one, size[::-1]).astype(np.uint8) for one in normal_views(3, seed=1)]
    finder = Finder(LearnedView.of(normal))
    torn = normal[0].copy()
    torn[size[0] // 2 :] = 0
    rows, columns = max(1, size[0] // 8), max(1, size[1] // 8)
    whole = np.full((rows, columns), 3, np.float32)
    for image in (normal[0], torn, np.zeros_like(torn)):
        assert finder.find(whole, image)
        for heat in (whole, np.eye(rows, columns) * 3):
            for one in finder.find(heat.astype(np.float32), image):
                assert one.box.overlap(Box(0, 0, size[1], size[0])) == pytest.approx(one.box.area)
        assert finder.find(np.full((rows, columns), np.nan, np.float32), image) == []


def test_two_peaks_of_a_map_that_are_one_thing_are_told_once(view: LearnedView, frame: Pixels):
    true = put(frame, Box(106, 64, 126, 96))
    heat = np.zeros((20, 25), np.float32)
    heat[8:12, 13], heat[8:12, 14], heat[8:12, 15] = 4, 1.2, 3
    (found,) = Finder(view).find(heat, frame)
    assert found.box.iou(true) > 0.8
    assert found.score == 4
    assert len(Finder().find(heat, frame)) == 2


def test_the_strongest_is_told_first(view: LearnedView, frame: Pixels):
    put(frame, Box(32, 32, 48, 48))
    put(frame, Box(120, 96, 136, 112))
    heat = np.zeros((20, 25), np.float32)
    heat[4:6, 4:6], heat[12:14, 15:17] = 2, 5
    assert [one.score for one in Finder(view).find(heat, frame)] == [5, 2]
