"""Opening levels against the product's own tracker."""

import numpy as np
import pytest
from numpy.typing import NDArray

from calibration.levels import OpeningLevels, Seen
from detectors.finding import Finder
from detectors.tracks import Tracker, TrackRule
from detectors.types import Frame

RATE = 5.0
IMAGE = np.zeros((96, 128, 3), np.uint8)
PLACE = (slice(4, 7), slice(6, 9))


def frame(number: int, step_s: float = 1 / RATE, from_s: float = 0.0) -> Frame:
    pts_s = from_s + number * step_s
    return Frame("hall", number, pts_s, round(1e9 + pts_s * 1e6), IMAGE)


def heat(value: float, place: tuple[slice, slice] = PLACE) -> NDArray[np.float32]:
    one = np.full((12, 16), 0.1, np.float32)
    one[place] = value
    return one


def seen(values: list[float], lowest: float = 0.3) -> Seen:
    """What maps of these values at one place show."""
    levels = OpeningLevels(Finder(), TrackRule(), lowest)
    for number, value in enumerate(values):
        levels.see(frame(number), heat(value))
    levels.finish()
    return levels.take()


def opens(values: list[float], level: float) -> bool:
    """Whether the product opens an event on them when the maps are divided by a level."""
    finder, tracker, opened = Finder(), Tracker(TrackRule()), 0
    for number, value in enumerate(values):
        found = finder.find(heat(value) / np.float32(level), IMAGE)
        opened += len(tracker.update(frame(number), found).opened)
    return opened > 0


@pytest.mark.parametrize(
    "values",
    [
        [0.1, 0.9, 0.8, 0.7, 0.1],
        [0.5, 0.1, 0.5, 0.1, 0.6, 0.1, 0.7],
        [0.4, 0.4, 0.4, 1.6, 0.4],
        [0.35] * 30,
    ],
)
def test_the_product_opens_just_below_a_level_and_not_above(values: list[float]):
    values = [*values, *[0.1] * 15]
    (level,) = {one.value for one in seen(values).levels} or {0.3}
    assert opens(values, 0.999 * level) or level == 0.3
    assert not opens(values, 1.01 * level)


def test_frames_that_show_the_same_again_count_as_if_they_had_been_looked_at():
    usual, again = (OpeningLevels(Finder(), TrackRule(), 0.3) for _ in range(2))
    again.again(frame(0))
    for number in range(60):
        value = 0.7 if 20 <= number < 26 else 0.2
        usual.see(frame(number), heat(value))
        if number % 2:
            again.again(frame(number))
        else:
            again.see(frame(number), heat(value))
    for one in (usual, again):
        one.finish()
    assert again.take() == usual.take()


def test_two_hits_open_nothing_at_any_level():
    assert seen([0.9, 0.9, *[0.1] * 15]).levels == ()


def test_what_stirs_all_the_time_has_a_level_for_every_ten_seconds():
    values = [0.5] * 200
    values[105:110] = [0.8] * 5
    found = [one.value for one in seen(values).levels]
    assert len(found) >= 4
    assert max(found) == pytest.approx(0.64)
    assert sum(value > 0.5 for value in found) <= 2


def test_nothing_opens_above_the_bound_of_its_ten_seconds():
    values = [0.1] * 100
    values[60:64] = [0.9] * 4
    found = seen(values)
    assert [round(one.value, 2) for one in found.bounds] == [0.08, 0.72]
    assert max(one.value for one in found.levels) <= 0.72 + 1e-6


def test_times_are_utc_and_hours_are_those_watched():
    found = seen([0.1, 0.9, 0.9, 0.9, *[0.1] * 97])
    assert found.hours == pytest.approx(20 / 3600)
    assert found.levels[0].time_s == pytest.approx(1000.6)


def test_a_gap_ends_what_was_followed_and_is_not_watched():
    levels = OpeningLevels(Finder(), TrackRule(), 0.3)
    for number in range(2):
        levels.see(frame(number), heat(0.9))
    for number in range(2):
        levels.see(frame(number, from_s=60.0), heat(0.9))
    levels.finish()
    found = levels.take()
    assert found.levels == ()
    assert found.hours == pytest.approx(0.4 / 3600)


def test_a_clock_that_goes_back_begins_anew():
    levels = OpeningLevels(Finder(), TrackRule(), 0.3)
    for number in (5, 6, 1, 2, 3):
        levels.see(frame(number), heat(0.9))
    levels.finish()
    found = levels.take()
    assert len(found.levels) == 1
    assert found.hours == pytest.approx(0.6 / 3600)


def test_what_turned_out_to_be_an_event_is_forgotten():
    levels = OpeningLevels(Finder(), TrackRule(), 0.3)
    for number in range(5):
        levels.see(frame(number), heat(0.9))
    levels.forget()
    levels.finish()
    assert levels.take().levels == ()


def test_cells_that_are_no_numbers_or_not_watched_do_not_count():
    levels = OpeningLevels(Finder(), TrackRule(), 0.3)
    mask = np.ones((12, 16), np.bool_)
    mask[:, 8:] = False
    for number in range(5):
        broken = heat(0.9, (slice(4, 7), slice(10, 13)))
        broken[0, 0] = np.nan
        levels.see(frame(number), broken, mask)
    levels.finish()
    found = levels.take()
    assert found.levels == ()
    assert found.bounds[0].value == pytest.approx(0.08)
