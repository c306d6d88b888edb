"""Frames laid on the view that was learned, and boxes taken back to where they were seen."""

import cv2
import numpy as np
import pytest

from app.watching.pose import Pose
from detectors.types import Box, Pixels
from tests.app.watching.test_faults import SIZE, a_scene

TURNED = Pose(np.vstack([cv2.getRotationMatrix2D((160, 120), 4, 1.03), (0, 0, 1)]))


def seen_from(pose: Pose, view: Pixels) -> Pixels:
    """What a camera sees of a view that lies so."""
    size = (view.shape[1], view.shape[0])
    return cv2.warpPerspective(view, np.linalg.inv(pose.onto), size).astype(np.uint8)


def test_a_frame_that_is_shifted_by_whole_pixels_lies_on_the_view_to_the_bit():
    view, pose = a_scene(), Pose.shifted(12, -7)
    frame = np.zeros_like(view)
    frame[:-7, 12:] = view[7:, :-12]
    laid = pose.placed(frame, view)
    assert (laid[7:, :-12] == view[7:, :-12]).all()
    # What the camera sees no more is filled in with what was learned, ...
    filled = np.abs(laid.astype(int) - view)
    assert max(filled[:7].mean(), filled[:, -12:].mean()) < 2
    # ... in the light of now.
    dim = pose.placed(frame // 2, view)
    assert dim[:7].mean() == pytest.approx(view[:7].mean() / 2, rel=0.1)


def test_a_camera_that_stands_still_changes_nothing():
    view, still = a_scene(), Pose.still()
    heat = np.ones((12, 16), np.float32)
    assert still.placed(view, view) is view
    assert still.back(Box(1, 2, 3, 4), SIZE) == Box(1, 2, 3, 4)
    assert still.back_map(heat, SIZE) is heat
    assert still.seen((12, 16), SIZE).all()


@pytest.mark.parametrize("pose", [Pose.shifted(24, -10), TURNED])
def test_a_box_found_on_the_view_is_told_where_the_frame_shows_it(pose: Pose):
    view = np.full((*SIZE, 3), 90, np.uint8)
    view[100:140, 120:180] = 250
    rows, columns = np.nonzero(seen_from(pose, view)[..., 0] > 170)
    edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    there = Box(*(float(edge) for edge in edges))
    assert pose.back(Box(120, 100, 180, 140), SIZE).iou(there) > 0.9


def test_a_box_is_cut_where_the_frame_ends():
    assert Pose.shifted(50, 0).back(Box(250, 10, 300, 20), SIZE) == Box(300, 10, 320, 20)


def test_cells_that_the_camera_sees_no_more_are_not_judged():
    seen = Pose.shifted(24, 0).seen((12, 16), SIZE)
    # 24 pixels are a cell and a part of the next; two beside them look over the edge.
    assert seen[:, :12].all()
    assert not seen[:, 12:].any()


def test_a_map_of_the_view_is_shown_over_the_frame():
    heat = np.zeros((12, 16), np.float32)
    heat[5, 4] = 3
    shown = Pose.shifted(40, 20).back_map(heat, SIZE)
    assert np.unravel_index(int(shown.argmax()), shown.shape) == (6, 6)
