"""Small maps; one cell is 10 x 10 pixels, and the map is read at three points a cell."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detectors.boxes import MOST, find_boxes
from detectors.types import Box, Detection

THIRD = 10 / 3


def boxes_of(rows: Sequence[Sequence[float]], **options: object) -> list[Detection]:
    values = np.array(rows, np.float32)
    size = (values.shape[0] * 10, values.shape[1] * 10)
    return find_boxes(values, size, **options)  # pyright: ignore[reportArgumentType]


def sides(box: Box) -> tuple[float, float, float, float]:
    return box.x1, box.y1, box.x2, box.y2


def in_view(rows: Sequence[Sequence[float]], cells: int = 40) -> list[Detection]:
    """The same rows with their corner at cell (10, 10) of a view so many cells wide and high."""
    values = np.zeros((cells, cells), np.float32)
    values[10 : 10 + len(rows), 10 : 10 + len(rows[0])] = rows
    return find_boxes(values, (cells * 10, cells * 10))


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        pytest.param([[0, 1.0], [0.9, 0]], [], id="1.0 is not yet above the threshold"),
        pytest.param([[np.nan, np.nan]], [], id="not a number is nothing"),
        pytest.param(
            [[np.nan, 2, np.inf]],
            [Detection(Box(20, 0, 30, 10), 1e6)],
            id="infinite is very much",
        ),
        pytest.param(
            [[0, 0, 0], [0, 1.5, 1.2], [0, 0, 0]],
            [Detection(Box(10, 10, 30, 20), 1.5)],
            id="one region",
        ),
        pytest.param(
            [[2, 5, 2.4], [0, 5, 2]],
            [Detection(Box(2 * THIRD, 0, 7 * THIRD, 20), 5)],
            id="cut at half of its own peak, between the cells",
        ),
        pytest.param(
            [[1.5, 0, 0, 0, 8]],
            [Detection(Box(40, 0, 50, 10), 8), Detection(Box(0, 0, 2 * THIRD, 10), 1.5)],
            id="each region is cut at its own peak, strongest first",
        ),
    ],
)
def test_boxes(rows: list[list[float]], found: list[Detection]):
    got = boxes_of(rows)
    assert [one.score for one in got] == [one.score for one in found]
    for one, wanted in zip(got, found, strict=True):
        assert sides(one.box) == pytest.approx(sides(wanted.box))


def test_a_single_cell_counts_however_large_the_view():
    assert [found.score for found in in_view([[1.05]], cells=200)] == [pytest.approx(1.05)]
    (strong,) = in_view([[1.4, 1.4, 1.4], [1.4, 3, 1.4], [1.4, 1.4, 1.4]], cells=200)
    assert strong.score == 3
    assert strong.box.overlap(Box(110, 110, 120, 120)) == pytest.approx(100)


def test_the_halo_of_a_small_thing_is_cut_higher_than_that_of_a_wide_one():
    (small,) = in_view([[2.6, 4, 4, 2.6]], cells=100)
    (wide,) = in_view([[2.6, *[4] * 20, 2.6]], cells=100)
    assert small.box.width < 30
    assert wide.box.width > 210


def test_a_valley_parts_two_things_and_a_dent_does_not():
    parted = in_view([[4, 4, 2.4, 4, 4]])
    assert [found.score for found in parted] == [4, 4]
    assert parted[0].box.overlap(parted[1].box) == 0
    (whole,) = in_view([[4, 4, 3, 4, 4]])
    assert whole.box.width == pytest.approx(50, abs=2 * THIRD)


def test_the_weaker_of_two_things_that_touch_is_kept():
    strong, weak = in_view([[8, 8, 1.2, 2, 2]])
    assert (strong.score, weak.score) == (8, 2)


def test_the_many_peaks_of_one_wide_thing_are_one():
    (whole,) = in_view([[4, 2.4] * 8], cells=40)
    assert whole.box.width > 140


def test_of_too_many_only_the_strongest_are_told():
    values = np.zeros((50, 50), np.float32)
    values[::4, ::4] = np.arange(169).reshape(13, 13) + 2
    found = find_boxes(values, (500, 500))
    assert [one.score for one in found] == list(range(170, 170 - MOST, -1))


def test_the_strongest_are_the_same_however_many_are_asked_for():
    rng = np.random.default_rng(3)
    noise = rng.uniform(-2, 3, (60, 80)).astype(np.float32)
    heat = np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.0), np.float32)
    every = find_boxes(heat, (480, 640))
    assert len(every) > 20
    assert find_boxes(heat, (480, 640), most=6) == every[:6]


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
    found = find_boxes(values, (height, width))
    frame = Box(0, 0, width, height)
    for detection in found:
        assert detection.score > 1
        assert detection.box.area > 0
        assert detection.box.overlap(frame) == pytest.approx(detection.box.area)
    if values.max() > 1:
        assert found[0].score == pytest.approx(values.max())
    else:
        assert not found
