"""Frames whose size is not the one that the detector learned."""

import numpy as np
import pytest

from app.watching.sizes import SizeCheck, same_shape, scaled
from detectors.base import DetectorError
from detectors.types import Frame
from tests.app.builders import SIZE, a_frame

LARGE, TALL = (120, 160), (80, 60)


def of_size(pts_s: float, size: tuple[int, int]) -> Frame:
    return a_frame(pts_s, np.full((*size, 3), 90, np.uint8))


def play(check: SizeCheck, *sizes: tuple[int, int]) -> list[tuple[int, ...] | None]:
    """The sizes in which frames of these sizes, one a second, come out."""
    fitted = [check.fitted(of_size(second, size)) for second, size in enumerate(sizes)]
    return [frame.image.shape[:2] if frame is not None else None for frame in fitted]


def second(number: int) -> int:
    """UTC of a frame, as `a_frame` has it."""
    return 1_000_000 * (1 + number)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((1080, 1920), (360, 640), True),
        ((1080, 1920), (480, 854), True),
        ((1080, 1920), (240, 426), True),
        ((1080, 1920), (480, 640), False),
        ((1080, 1920), (1920, 1080), False),
        ((1080, 1920), (1080, 1440), False),
        ((576, 704), (288, 352), True),
    ],
)
def test_a_shape_is_the_same_but_for_a_pixel_of_rounding(
    one: tuple[int, int], other: tuple[int, int], same: bool
):
    assert same_shape(one, other) == same
    assert same_shape(other, one) == same


def test_frames_of_the_same_shape_are_scaled_told_once_and_leave_no_blind_time():
    said: list[str] = []
    check = SizeCheck(SIZE, said.append)
    assert play(check, SIZE, LARGE, LARGE, SIZE, LARGE) == [SIZE] * 5
    assert said == ["hall: pictures of 160x120 pixels are scaled to the 80x60 that were learned."]
    spans = [(gap.start_us, gap.end_us, gap.reason) for gap in check.gaps]
    assert spans == [(second(1), second(1), "size"), (second(4), second(4), "size")]


def test_frames_of_another_shape_are_a_gap_until_the_old_size_comes_back():
    said: list[str] = []
    check = SizeCheck(SIZE, said.append)
    assert play(check, SIZE, TALL, TALL, LARGE, SIZE) == [SIZE, None, None, SIZE, SIZE]
    assert [(gap.start_us, gap.end_us) for gap in check.gaps] == [
        (second(1), second(3)),
        (second(3), second(3)),
    ]
    assert "pictures of 60x80 pixels have another shape than the 80x60" in check.gaps[0].detail
    assert len(said) == 2
    assert "skipped until the old size comes back" in said[0]
    assert "let it learn" in said[0]


def test_a_gap_stays_open_while_the_shape_is_another_one():
    check = SizeCheck(SIZE)
    play(check, SIZE, TALL, (90, 60))
    assert [(gap.start_us, gap.end_us) for gap in check.gaps] == [(second(1), None)]
    check.end()
    assert [gap.end_us for gap in check.gaps] == [second(2)]


def test_a_clock_that_is_set_back_does_not_end_a_gap_before_it_begins():
    check = SizeCheck(SIZE)
    for pts_s, size in ((0, SIZE), (9, TALL), (3, SIZE)):
        check.fitted(of_size(pts_s, size))
    (gap,) = check.gaps
    assert gap.end_us == gap.start_us


def test_a_camera_that_begins_in_another_size_is_scaled_without_a_gap():
    said: list[str] = []
    check = SizeCheck(SIZE, said.append)
    assert play(check, LARGE, LARGE) == [SIZE] * 2
    assert (len(said), check.gaps) == (1, [])


def test_a_camera_that_begins_in_another_shape_is_refused():
    with pytest.raises(DetectorError, match=r"hall: .*60x80 .*80x60 .*fit it again"):
        SizeCheck(SIZE).fitted(of_size(0, TALL))


@pytest.mark.parametrize("size", [LARGE, (30, 40)])
def test_scaling_keeps_what_is_where(size: tuple[int, int]):
    image = np.zeros((*SIZE, 3), np.uint8)
    image[:, 40:] = 200
    larger = scaled(image, size)
    assert larger.shape == (*size, 3)
    assert larger.dtype == np.uint8
    middle = size[1] // 2
    assert (larger[:, : middle - 1].max(), larger[:, middle + 1 :].min()) == (0, 200)
