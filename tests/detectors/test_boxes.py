"""Maps small enough to work out by hand; one cell is 10 x 10 pixels."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detectors.boxes import find_boxes
from detectors.types import Box, Detection


def boxes_of(rows: Sequence[Sequence[float]], **options: object) -> list[Detection]:
    values = np.array(rows, np.float32)
    size = (values.shape[0] * 10, values.shape[1] * 10)
    return find_boxes(values, size, **{"join_share": 0.0, "min_side_share": 0.0} | options)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        pytest.param([[0, 1.0], [0.9, 0]], [], id="1.0 is not yet above the threshold"),
        pytest.param(
            [[0, 0, 0], [0, 1.5, 1.2], [0, 0, 0]],
            [Detection(Box(10, 10, 30, 20), 1.5)],
            id="one region",
        ),
        pytest.param(
            [[2, 5, 2.4], [0, 5, 2]],
            [Detection(Box(10, 0, 20, 20), 5)],
            id="cut at half of its own peak",
        ),
        pytest.param(
            [[4, 1.5, 1.5, 1.5, 3]],
            [Detection(Box(0, 0, 10, 10), 4), Detection(Box(40, 0, 50, 10), 3)],
            id="a saddle below half parts two peaks",
        ),
        pytest.param(
            [[1.5, 0, 0, 0, 8]],
            [Detection(Box(40, 0, 50, 10), 8), Detection(Box(0, 0, 10, 10), 1.5)],
            id="each region is cut at its own peak, strongest first",
        ),
        pytest.param(
            [[1.5, 0], [0, 1.5]],
            [Detection(Box(0, 0, 20, 20), 1.5)],
            id="diagonal neighbours belong together",
        ),
        pytest.param(
            [[np.nan, 2, np.inf]],
            [Detection(Box(20, 0, 30, 10), 1e6)],
            id="not a number is nothing",
        ),
    ],
)
def test_boxes(rows: list[list[float]], found: list[Detection]):
    assert boxes_of(rows) == found


def test_near_regions_join_and_far_ones_do_not():
    rows = [[2, 0, 3, 0, 0, 0, 0, 0, 0, 2]]
    joined = boxes_of(rows, join_share=0.1)
    assert joined == [Detection(Box(0, 0, 30, 10), 3), Detection(Box(90, 0, 100, 10), 2)]


def test_joining_goes_on_through_a_chain():
    assert boxes_of([[2, 0, 2, 0, 2]], join_share=0.2) == [Detection(Box(0, 0, 50, 10), 2)]


def test_regions_smaller_than_the_minimum_are_dropped():
    rows = [[2, 0, 0, 2, 2], [0, 0, 0, 2, 0]]
    assert boxes_of(rows, min_side_share=0.3) == [Detection(Box(30, 0, 50, 20), 2)]


def test_the_mask_acts_before_the_threshold():
    rows = [[9, 9, 2, 2]]
    mask = np.array([[False, False, True, True]])
    assert boxes_of(rows, mask=mask) == [Detection(Box(20, 0, 40, 10), 2)]


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"the mask is \(1, 3\) and the map \(1, 2\)"):
        boxes_of([[2, 2]], mask=np.ones((1, 3), np.bool_))


@given(
    arrays(np.float32, (6, 9), elements=st.floats(0, 50, width=32)),
    st.integers(1, 3000),
    st.integers(1, 3000),
)
def test_boxes_lie_in_the_frame_and_hold_every_strong_peak(
    values: np.ndarray, height: int, width: int
):
    found = find_boxes(values, (height, width), min_side_share=0.0)
    frame = Box(0, 0, width, height)
    for detection in found:
        assert detection.score > 1
        assert detection.box.overlap(frame) == pytest.approx(detection.box.area)
    if values.max() > 1:
        assert found[0].score == pytest.approx(values.max())
    else:
        assert not found
