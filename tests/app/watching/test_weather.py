"""What falls is told once, and only what stays is found meanwhile."""

from collections.abc import Callable

import numpy as np
import pytest

from app.watching.weather import Weather
from detectors.types import Box
from tests.app.builders import a_frame

FPS = 5
SHAPE = (60, 80)
CALM = np.full(SHAPE, 0.3, np.float32)
THING = np.s_[40:46, 16:22]

type Falls = Callable[[np.random.Generator, np.ndarray], None]


def drops(random: np.random.Generator, heat: np.ndarray) -> None:
    """Four small spots, anywhere."""
    for _ in range(4):
        row, column = random.integers(0, SHAPE[0] - 1), random.integers(0, SHAPE[1] - 1)
        heat[row : row + 2, column] = 1.8


def insect(random: np.random.Generator, heat: np.ndarray) -> None:
    """A large spot, anywhere: what a fast thing looks like, too."""
    row, column = random.integers(0, SHAPE[0] - 9), random.integers(0, SHAPE[1] - 9)
    heat[row : row + 8, column : column + 8] = 1.8


def play(
    seconds: float,
    falls: Falls,
    *,
    until_s: float = 1e9,
    thing_from_s: float = 1e9,
) -> tuple[list[np.ndarray], list[str | None]]:
    """The maps that are left of footage in which something falls from the third second on."""
    weather, random = Weather(), np.random.default_rng(3)
    left, told = [], []
    for number in range(round(seconds * FPS)):
        heat, at_s = CALM.copy(), number / FPS
        if 3 <= at_s < until_s:
            falls(random, heat)
        if at_s >= thing_from_s:
            heat[THING] = np.maximum(heat[THING], 2.0)
        followed = [Box(16, 40, 22, 46)] if at_s >= thing_from_s + 1.5 else []
        left.append(weather.see(a_frame(at_s), heat, followed))
        told.append(weather.fault)
    return left, told


def test_what_falls_is_named_and_hardly_found():
    left, told = play(40, drops)
    assert set(told) == {None, "falling"}
    since = told.index("falling")
    # Before three frames of them could open a track.
    assert since / FPS <= 3.6
    assert np.mean([heat.max() > 1 for heat in left[since:]]) < 0.05


def test_a_thing_that_stays_is_found_meanwhile():
    left, told = play(30, drops, thing_from_s=20)
    assert told[20 * FPS] is not None
    there = [heat[42, 18] > 1.5 for heat in left]
    assert not any(there[19 * FPS : 20 * FPS])
    assert sum(there[20 * FPS : 22 * FPS]) >= 5
    assert all(there[22 * FPS :])


def test_it_ends_some_time_after_the_last_drop():
    left, told = play(60, drops, until_s=20)
    assert told[30 * FPS] == "falling"
    assert told[-1] is None
    assert left[-1] == pytest.approx(CALM)


def ten_at_once(random: np.random.Generator, heat: np.ndarray) -> None:
    for number in range(10):
        heat[6 * number : 6 * number + 4, 8 * number : 8 * number + 4] = 2.0


def leaves(random: np.random.Generator, heat: np.ndarray) -> None:
    """Spots that come and go in one part of the view."""
    for _ in range(3):
        row, column = random.integers(2, 8), random.integers(2, 8)
        heat[row, column] = 1.6


def somebody(random: np.random.Generator, heat: np.ndarray) -> None:
    """A thing that is born anew every second frame where it walks."""
    if random.random() < 0.5:
        column = int(random.integers(0, 2)) + 18
        heat[15:20, column : column + 3] = 2.0


def test_things_that_lie_for_a_second_one_after_the_other_are_no_weather():
    weather, random = Weather(), np.random.default_rng(3)
    places = random.integers(0, 50, (50, 2))
    for number in range(300):
        row, column = places[number // 6]
        heat = CALM.copy()
        if number % 6 < 5:
            heat[row : row + 5, column : column + 5] = 2.0
        weather.see(a_frame(number / FPS), heat, [])
        assert weather.fault is None


def flood(random: np.random.Generator, heat: np.ndarray) -> None:
    """So much that spots run together."""
    fallen = random.random((SHAPE[0] // 4, SHAPE[1] // 4)) < 0.4
    heat[:] = np.where(np.kron(fallen, np.ones((4, 4))) > 0, 3.0, heat)


def flicker(random: np.random.Generator, heat: np.ndarray) -> None:
    """Cells all over the view that are nearly unusual, now a little below and now above."""
    heat[::6, ::6] = random.uniform(0.9, 1.2, heat[::6, ::6].shape)


def test_what_floods_the_view_is_named_though_nothing_is_born_by_itself():
    left, told = play(40, flood)
    since = told.index("falling")
    assert since / FPS <= 3.6
    assert set(told[since:]) == {"falling"}
    assert np.mean([heat.max() > 1.25 for heat in left[since:]]) < 0.05


def test_what_comes_and_goes_while_the_camera_shakes_is_told_as_that():
    weather, random = Weather(), np.random.default_rng(3)
    for number in range(10):
        heat = CALM.copy()
        drops(random, heat)
        weather.see(a_frame(number / FPS), heat, [], shaken=number > 1)
    assert weather.fault == "shaken"


@pytest.mark.parametrize("falls", [ten_at_once, leaves, somebody, insect, flicker])
def test_things_are_no_weather(falls: Falls):
    left, told = play(30, falls)
    assert set(told) == {None}
    assert left[-1].max() <= 2.0


def test_a_thing_that_runs_through_the_view_is_no_weather():
    weather = Weather()
    for number in range(60):
        heat = CALM.copy()
        column = 6 * (number - 20)
        if 0 <= column < SHAPE[1] - 4:
            heat[20:26, column : column + 4] = 2.0
        weather.see(a_frame(number / FPS), heat, [])
        assert weather.fault is None


def test_what_was_followed_before_is_found_wherever_it_goes():
    weather, random = Weather(), np.random.default_rng(3)
    for number in range(50):
        heat = CALM.copy()
        drops(random, heat)
        column = number // 2
        heat[10:13, column : column + 3] = 2.0
        # Frames of 60 x 80 pixels, cells of 1.
        box = Box(column, 10, column + 3, 13)
        left = weather.see(a_frame(number / FPS), heat, [box])
        assert left[11, column + 1] > 1.5
    assert weather.fault == "falling"


def test_frames_far_apart_say_nothing_of_each_other():
    weather, random = Weather(), np.random.default_rng(3)
    for number in range(60):
        heat = CALM.copy()
        drops(random, heat)
        assert weather.see(a_frame(number * 1.0), heat, []) is heat
    assert weather.fault is None
