"""Found, named and meant, worked out by hand and by scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve

from calibration.events import TrueThing
from calibration.named import (
    Matched,
    Recorded,
    ToldBox,
    any_name,
    average_precision,
    match,
    mean_steps,
    precision,
)
from calibration.overlaps import average_precision as in_frames
from detectors.types import Box, Detection

HERE, THERE = Box(0, 0, 10, 10), Box(50, 50, 60, 60)


def thing(noun: str, box: Box = HERE, start_s: float = 0.0, end_s: float = 9.0) -> TrueThing:
    return TrueThing(noun, (start_s, end_s), (box, box), 0.1)


def told(noun: str, box: Box = HERE, score: float = 1.0, at_s: float = 5.0) -> ToldBox:
    return ToldBox(at_s, box, score, noun)


def same(noun: str, there: TrueThing) -> bool:
    return noun == there.noun


def test_a_box_is_of_the_thing_that_it_covers_at_its_own_time():
    here = [thing("cat", HERE, 0, 4), thing("dog", HERE, 6, 9), thing("cup", THERE)]
    boxes = [told("x", HERE, at_s=7), told("x", THERE, at_s=5), told("x", HERE, at_s=5)]
    assert match(Recorded(here, boxes), any_name) == Matched({1: 0, 2: 1}, (2,))


def test_of_two_boxes_on_a_thing_the_higher_has_it_and_the_other_is_wrong():
    boxes = [told("cat", score=1), told("dog", score=2)]
    assert match(Recorded([thing("cat")], boxes), any_name) == Matched({0: 1}, (0,))
    # Where names count, the higher one is of nothing.
    assert match(Recorded([thing("cat")], boxes), same) == Matched({0: 0}, (1,))


def test_of_equal_scores_the_earlier_box_has_the_thing_in_whatever_order_they_come():
    early, late = told("a", at_s=2), told("b", at_s=3)
    assert match(Recorded([thing("cat")], [early, late]), any_name).box_of == {0: 0}
    assert match(Recorded([thing("cat")], [late, early]), any_name).box_of == {0: 1}


def test_a_loose_box_is_wrong_and_things_of_other_recordings_do_not_count():
    loose = Box(0, 0, 10, 4.9)
    assert match(Recorded([thing("cat")], [told("cat", loose)]), any_name).box_of == {}
    apart = [Recorded([thing("cat")], []), Recorded([], [told("cat")])]
    figures = precision(apart, any_name)
    assert figures is not None
    assert (figures.ap50.value, figures.hits, figures.wrong) == (0, 0, 1)
    assert precision([Recorded([], [told("cat")])], any_name) is None


def test_named_right_at_the_second_of_two_is_what_coco_says():
    # The best box has a wrong name, the second a right one; one thing of two is right.
    here = [thing("cat"), thing("cup", THERE)]
    boxes = [told("dog", HERE, 2), told("cup", THERE, 1)]
    figures = precision([Recorded(here, boxes)], same)
    assert figures is not None
    # Precision 1/2 up to recall 1/2, which are 51 of 101 places.
    assert figures.ap50.value == pytest.approx(51 / 101 / 2)
    assert figures.ap == pytest.approx(figures.ap50.value)
    assert (figures.hits, figures.wrong) == (1, 1)
    everything = precision([Recorded(here, boxes)], any_name)
    assert everything is not None
    assert everything.ap50.value == 1


def test_tighter_overlaps_count_in_the_mean_over_iou():
    # IoU .64: right at three of the ten.
    figures = precision([Recorded([thing("cat")], [told("cat", Box(0, 0, 8, 8))])], same)
    assert figures is not None
    assert (figures.ap50.value, figures.ap) == (1, pytest.approx(0.3))


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_that_of_boxes_in_frames(seed: int):
    rng = np.random.default_rng(seed)
    scores = rng.permutation(40).astype(float)
    found, missed, wrong = scores[:15], 6, scores[15:]
    images = [([Detection(HERE, score)], [HERE]) for score in found]
    images += [([], [HERE])] * missed + [([Detection(HERE, score)], []) for score in wrong]
    mine = average_precision([*found, *[-np.inf] * missed], wrong)
    assert mine == pytest.approx(in_frames(images, 0.5))


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_with_ties_is_that_of_the_curve_of_scikit_learn(seed: int):
    rng = np.random.default_rng(seed)
    found, wrong = rng.integers(0, 9, 30).astype(float), rng.integers(0, 7, 25).astype(float)
    labels = np.repeat([1, 0], [len(found), len(wrong)])
    curve, recalls, _ = precision_recall_curve(labels, np.concatenate([found, wrong]))
    # scikit-learn ends with precision 1 at recall 0, which no threshold gives.
    best = [curve[:-1][recalls[:-1] >= recall].max() for recall in np.linspace(0, 1, 101)]
    assert average_precision(found, wrong) == pytest.approx(np.mean(best))


def test_nothing_told_is_nothing_found():
    assert average_precision([-np.inf, -np.inf], []) == 0
    assert average_precision([1.0], []) == 1


def test_intervals_are_the_same_again_and_hold_the_figure():
    rng = np.random.default_rng(3)
    here = [thing(f"{n}", Box(20 * n, 0, 20 * n + 10, 10)) for n in range(12)]
    boxes = [told(f"{n}", one.boxes[0], rng.random()) for n, one in enumerate(here[:8])]
    boxes += [told("no", THERE, rng.random()) for _ in range(5)]
    first, again = (precision([Recorded(here, boxes)], same) for _ in range(2))
    assert first == again
    assert first is not None
    assert first.ap50.low < first.ap50.value < first.ap50.high
    assert first.ap50.images == 12
    other = precision([Recorded(here, boxes)], same, seed=1)
    assert other is not None
    assert other.ap50.low != first.ap50.low


def test_levels_are_averaged_over_right_names():
    steps = mean_steps([-2, 0, 0, -1])
    assert steps is not None
    assert (steps.value, steps.images) == (-0.75, 4)
    assert mean_steps([]) is None
