"""Leaves in the wind, and things in them."""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest

from detectors.finding import Finder
from detectors.learned import LearnedView
from detectors.swaying import CERTAIN_S, EVERY_S, Swaying, _flow, _of_thread
from detectors.types import Box, Detection, Frame, Pixels

RNG = np.random.default_rng(4)
THING = Box(88, 72, 116, 100)


def foliage(cell: int) -> np.ndarray:
    coarse = RNG.uniform(115, 155, (216 // cell, 264 // cell, 3)).astype(np.float32)
    leaves = cv2.resize(coarse, (264, 216), interpolation=cv2.INTER_CUBIC)
    return cv2.GaussianBlur(leaves, (0, 0), 1).clip(0, 255).astype(np.float32)


LEAVES = foliage(8)


def blown(far: float) -> Pixels:
    """A frame of leaves that the wind has bent by so many pixels."""
    rows, columns = np.indices((200, 250), np.float32) + 8
    bend = (far * np.sin(rows / 30 + 1)).astype(np.float32)
    frame = cv2.remap(LEAVES, columns + bend, rows, cv2.INTER_LINEAR)
    return (frame + RNG.normal(0, 1, (200, 250, 1))).clip(0, 255).astype(np.uint8)


def with_thing(frame: Pixels) -> Pixels:
    frame[72:100, 88:116] = (40, 160, 220)
    return frame


@pytest.fixture
def heat() -> np.ndarray:
    heat = np.zeros((25, 31), np.float32)
    heat[9:12, 11:14] = 1.5
    return heat


def finds(finder: Finder, heat: np.ndarray, frame: Pixels) -> bool:
    """Whether a thing is found; what is found must be it."""
    found = finder.find(heat, frame)
    assert all(one.box.iou(THING) > 0.6 for one in found)
    return bool(found)


def remember(finder: Finder, times: Sequence[float], *followed: Box) -> None:
    """Let it see the wind at these times, seconds."""
    for at_s in times:
        finder.remember(Frame("yard", 0, at_s, round(1e6 * at_s), blown(6)), followed)


def test_what_the_wind_bends_is_nothing_and_a_thing_in_it_is_found(heat: np.ndarray):
    finder = Finder(LearnedView.of([blown(0) for _ in range(9)]))
    assert Finder().find(heat, blown(2.5))  # by the map alone
    assert finder.find(heat, blown(2.5)) == []
    assert finds(finder, heat, with_thing(blown(2.5)))


def strong(frame: Pixels) -> Pixels:
    """The same with three times the contrast."""
    return cv2.convertScaleAbs(frame, alpha=3, beta=-270).astype(np.uint8)


def test_however_much_bent_leaves_stand_out_they_are_nothing(heat: np.ndarray):
    finder = Finder(LearnedView.of([strong(blown(0)) for _ in range(9)]))
    assert finder.find(heat, strong(blown(3))) == []
    assert finds(finder, heat, with_thing(strong(blown(3))))


def test_what_swayed_while_it_was_learned_is_known_sharply(heat: np.ndarray):
    view = LearnedView.of([blown(far) for far in np.linspace(-5, 5, 9)])
    assert Finder(replace(view, samples=())).find(heat, blown(-7))
    assert Finder(view).find(heat, blown(-7)) == []
    assert finds(Finder(view), heat, with_thing(blown(-7)))


def test_a_small_thing_is_found_in_a_large_box_of_leaves(heat: np.ndarray):
    view = LearnedView.of([blown(far) for far in np.linspace(-5, 5, 9)])
    heat[3:22, 3:28] = 1.5
    assert Finder(view).find(heat, blown(-6)) == []
    frame = blown(-6)
    frame[80:90, 100:112] = np.clip(frame[80:90, 100:112] * 0.6, 0, 255)
    assert Finder(view).find(heat, frame)


def test_frames_of_the_last_minutes_tell_what_sways_too(heat: np.ndarray):
    finder = Finder(LearnedView.of([blown(0) for _ in range(9)]))
    assert finder.find(heat, blown(7))
    remember(finder, (0.0, CERTAIN_S - 0.1))
    assert finder.find(heat, blown(7))  # not certain yet
    remember(finder, (CERTAIN_S, EVERY_S, EVERY_S + CERTAIN_S))
    assert finder.find(heat, blown(7)) == []
    assert finds(finder, heat, with_thing(blown(7)))


@pytest.mark.parametrize("told_after_s", [0.0, 1.0])
def test_where_something_was_followed_they_tell_nothing(heat: np.ndarray, told_after_s: float):
    finder = Finder(LearnedView.of([blown(0) for _ in range(9)]))
    remember(finder, (0.0,), *([THING] if told_after_s == 0 else []))
    remember(finder, (told_after_s, CERTAIN_S + 0.1), THING)
    assert finder.find(heat, blown(7))


def look_at_long_low_boxes() -> None:
    """Look at boxes of which OpenCV's flow, left alone, ends the process."""
    view = LearnedView.of([blown(0) for _ in range(9)])
    for height in range(1, 20):
        box = Box(0, 200 - height, 250, 200)
        # What is beside a picture in memory must not be readable each time.
        _of_thread.__dict__.clear()
        Swaying(view).without([Detection(box, 2.0)], blown(3))


def test_no_box_is_too_low_to_be_looked_at():
    process = multiprocessing.get_context("spawn").Process(target=look_at_long_low_boxes)
    process.start()
    process.join(60)
    assert process.exitcode == 0


def flows(number: int) -> bool:
    """Whether a thread of its own sees the same flow again and again."""
    before, after = (np.ascontiguousarray(blown(far)[..., 1]) for far in (0, number))
    first = _flow(before, after)
    return all(np.array_equal(_flow(before, after), first) for _ in range(30))


def test_what_was_looked_at_before_does_not_change_the_flow():
    """OpenCV's keeps the finer scale that a small picture asked for."""
    before, after = (np.ascontiguousarray(blown(far)[..., 1]) for far in (0, 4))
    first = _flow(before, after)
    _flow(before[:32, :32].copy(), after[:32, :32].copy())
    assert np.array_equal(_flow(before, after), first)


def test_threads_do_not_destroy_each_others_flow():
    """Two that shared one brought the whole process down."""
    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(flows, range(1, 5)))
