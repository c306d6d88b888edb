"""Figures of events, worked out by hand."""

import pytest

from calibration.events import TrueThing, event_figures, poisson_rate
from detectors.types import Box

LEFT, RIGHT = Box(0, 0, 40, 40), Box(500, 300, 540, 340)


def thing(box: Box, start_s: float, end_s: float, width: float = 0.06) -> TrueThing:
    return TrueThing("ball", (start_s, end_s), (box, box), width)


def event(box: Box, *times_s: float) -> list[tuple[float, Box, float]]:
    return [(at_s, box, 2.0) for at_s in times_s]


def test_found_missed_and_false_are_told_apart():
    things = [thing(LEFT, 10, 20), thing(RIGHT, 10, 20, 0.021)]
    half = Box(0, 0, 40, 20)
    events = [event(half, 10.4, 10.6, 10.8, 11), event(Box(200, 0, 240, 40), 5, 6, 7)]
    found = event_figures(things, events, [float(at) for at in range(60)], 0.5)
    assert [(one.events, one.iou) for one in found.found] == [(1, 0.5), (0, 0.0)]
    assert found.found[0].delay_s == pytest.approx(0.8)
    assert (found.false_events, found.false_per_hour[0]) == (1, 2.0)
    assert {size: share.value for size, share in found.recall.items()} == {
        0.02: 0.0,
        0.06: 1.0,
        0.0: 0.5,
    }
    assert found.tight == {0.3: {0.02: 0, 0.06: 1, 0.0: 0.5}, 0.5: {0.02: 0, 0.06: 1, 0.0: 0.5}}


def test_an_event_on_a_thing_long_gone_is_false_and_a_ghost_is_not():
    things = [thing(LEFT, 10, 20)]
    assert event_figures(things, [event(LEFT, 21, 21.2, 21.4)], [], 1).false_events == 0
    assert event_figures(things, [event(LEFT, 23, 23.2, 23.4)], [], 1).false_events == 1


def test_boxes_of_every_frame_count():
    things = [thing(LEFT, 10, 13)]
    frames = [10.0, 11.0, 12.0, 13.0, 14.0]
    # Right in two of the four frames with the thing, with nothing wrong: recall .5.
    half = event_figures(things, [event(LEFT, 11.0, 12.0)], frames, 1)
    assert (half.ap50, half.ap) == (pytest.approx(51 / 101), pytest.approx(51 / 101))
    # A box where nothing is comes before both: precision 1/2 and 2/3.
    wrong = [(14.0, LEFT, 9.0)]
    more = event_figures(things, [event(LEFT, 11.0, 12.0) + wrong], frames, 1)
    assert more.ap50 == pytest.approx(51 * (2 / 3) / 101)


def test_seconds_with_a_thing_are_parted_from_those_without():
    things = [thing(LEFT, 10.2, 12.5)]
    peaks = [(float(second), 3.0 if 10 <= second <= 12 else 1.0) for second in range(30)]
    found = event_figures(things, [], [], 1, peaks)
    assert found.seconds_auroc is not None
    assert (found.seconds_auroc.value, found.seconds_auroc.images) == (1, 30)


def test_a_thing_that_moves_is_where_it_was_nearest_in_time():
    moving = TrueThing("cat", (1.0, 2.0, 3.0), (LEFT, RIGHT, LEFT), 0.06)
    assert [moving.box_at(at_s) for at_s in (0.9, 1.4, 1.6, 3.0, 3.1)] == [
        None,
        LEFT,
        RIGHT,
        LEFT,
        None,
    ]


def test_a_rate_has_the_interval_of_poisson_s_tables():
    # Garwood's limits for 0 and 5 counted: 0 to 3.689, 1.623 to 11.668.
    assert poisson_rate(0, 1) == (0, 0, pytest.approx(3.689, abs=1e-3))
    rate, low, high = poisson_rate(5, 2)
    assert (rate, low, high) == (
        2.5,
        pytest.approx(0.8117, abs=1e-3),
        pytest.approx(5.834, abs=1e-3),
    )


def test_without_things_there_is_only_a_rate():
    found = event_figures([], [event(LEFT, 1, 2, 3)], [1.0, 2.0, 3.0], 0.25)
    assert (found.false_events, found.ap50, found.delay_s, found.recall) == (1, None, None, {})
