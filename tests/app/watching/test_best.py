"""Which pictures of a track are kept."""

import numpy as np

from app.watching.best import KEPT, BestPictures, settled
from detectors.types import Box
from tests.app.builders import a_detection, a_frame, a_map


def test_evidence_keeps_the_best_views_apart_in_time():
    evidence = BestPictures()
    for number in range(100):
        evidence.offer(a_frame(number / 25), a_detection(side=10 + number % 30), a_map())
    assert len(evidence.pictures) == KEPT
    assert len({picture.pts_s // 0.4 for picture in evidence.pictures}) == KEPT
    assert min(picture.box.width for picture in evidence.pictures) > 25


def test_a_thing_that_comes_nearer_is_kept_more_than_once():
    evidence = BestPictures()
    for number in range(20):
        evidence.offer(a_frame(number / 5), a_detection(side=10 + number), a_map())
    assert len(evidence.pictures) == KEPT


def test_a_view_cut_off_by_the_edge_loses_against_a_whole_one():
    evidence = BestPictures()
    evidence.offer(a_frame(0), a_detection(x=0, side=30), a_map())
    evidence.offer(a_frame(0.1), a_detection(x=20, side=20), a_map())
    (picture,) = evidence.pictures
    assert picture.box.x1 == 20


def test_a_view_at_rest_wins_over_a_more_striking_one_in_motion():
    evidence = BestPictures()
    evidence.offer(a_frame(0), a_detection(x=40, score=3), a_map(), before=Box(10, 10, 30, 30))
    evidence.offer(a_frame(0.1), a_detection(x=20, score=2), a_map(), before=Box(20, 10, 40, 30))
    (picture,) = evidence.pictures
    assert picture.box.x1 == 20


def test_the_most_typical_view_is_shown():
    evidence = BestPictures()
    for number, x in enumerate((5, 20, 21)):
        evidence.offer(a_frame(number), a_detection(x=x, side=20), a_map())
    assert evidence.best().box.x1 == 20


def test_what_lies_around_a_thing_is_kept_with_it():
    frame = a_frame(0, np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8))
    evidence = BestPictures()
    evidence.offer(frame, a_detection(x=30, y=20, side=20), a_map())
    (picture,) = evidence.pictures
    assert picture.around is not None
    np.testing.assert_array_equal(picture.around.square, frame.image[16:44, 26:54])
    np.testing.assert_allclose(picture.around.thing, [4 / 28, 4 / 28, 24 / 28, 24 / 28])
    assert picture.as_learned is picture


def test_huge_frames_are_kept_small():
    huge = np.zeros((3000, 4000, 3), np.uint8)
    evidence = BestPictures()
    evidence.offer(a_frame(0, huge), a_detection(side=2500), a_map())
    (picture,) = evidence.pictures
    assert max(picture.snapshot.shape) == 960
    assert max(picture.crops[0].shape) == 512
    assert picture.around is not None
    assert picture.around.square.shape == (512, 512, 3)
    assert picture.frame_size == (3000, 4000)


def test_where_a_thing_lies_is_the_median_of_what_was_seen_there():
    still = [(0.2 * n, Box(20, 20, 40 + n % 3, 41 - n % 2), 2.0) for n in range(9)]
    whole = (2.0, Box(0, 0, 200, 200), 2.0)
    elsewhere = (2.2, Box(60, 20, 80, 40), 2.0)
    assert settled([*still, whole, elsewhere], still[0][1]) == Box(20, 20, 41, 41)
    assert settled([*still, whole, elsewhere], elsewhere[1]) == elsewhere[1]
    assert settled([], whole[1]) == whole[1]
