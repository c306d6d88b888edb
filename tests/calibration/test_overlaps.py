"""Average precision of boxes, worked out by hand."""

import pytest

from calibration.overlaps import average_precision, mean_average_precision
from detectors.types import Box, Detection

HERE, THERE = Box(0, 0, 10, 10), Box(50, 50, 60, 60)


def found(box: Box, score: float) -> Detection:
    return Detection(box, score)


def test_two_of_two_found_is_one_and_none_is_nothing():
    assert average_precision([([found(HERE, 2), found(THERE, 1)], [HERE, THERE])], 0.5) == 1
    assert average_precision([([], [HERE])], 0.5) == 0
    assert average_precision([([found(HERE, 1)], [])], 0.5) is None


def test_a_false_box_between_two_right_ones_costs_what_coco_says():
    images = [([found(HERE, 3), found(Box(80, 0, 90, 10), 2), found(THERE, 1)], [HERE, THERE])]
    # Precision 1 up to recall .5 (51 of 101 places), 2/3 beyond.
    assert average_precision(images, 0.5) == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_a_second_box_on_the_same_thing_is_wrong():
    images = [([found(HERE, 2), found(HERE, 1)], [HERE]), ([found(THERE, 0.5)], [THERE])]
    assert average_precision(images, 0.5) == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_the_mean_falls_with_looser_boxes():
    # IoU .64: right up to .60, at 3 of 10 thresholds.
    images = [([found(Box(0, 0, 8, 8), 1)], [HERE])]
    assert average_precision(images, 0.6) == 1
    assert average_precision(images, 0.65) == 0
    assert mean_average_precision(images) == pytest.approx(0.3)
