import numpy as np
import pytest

from app.watching.gate import FORCED_S, MotionGate
from detectors.types import Frame, Pixels
from tests.detectors.views import normal_views

FPS = 5
PLACE = normal_views(1, seed=0)[0].astype(np.float32)


def a_frame(number: int, image: Pixels) -> Frame:
    return Frame("hall", number, number / FPS, round(number * 1e6 / FPS), image)


def noisy(seed: int, scene: np.ndarray = PLACE, gain: float = 1.0) -> Pixels:
    grain = np.random.default_rng(seed).normal(0, 2, scene.shape)
    return np.clip(scene * gain + grain, 0, 255).astype(np.uint8)


def settled() -> MotionGate:
    """A gate that has seen three seconds of nothing."""
    gate = MotionGate()
    for number in range(15):
        gate.closed(a_frame(number, noisy(number)), at_rest=True)
    return gate


def test_noise_alone_is_looked_at_only_so_often():
    gate = settled()
    closed = [gate.closed(a_frame(n, noisy(n)), at_rest=True) for n in range(15, 65)]
    # Ten seconds: every other one is forced.
    assert closed.count(False) == pytest.approx(10 / FORCED_S, abs=1)
    assert gate.passed >= 43


def test_the_first_frames_are_all_looked_at():
    gate = MotionGate()
    assert not any(gate.closed(a_frame(n, noisy(n)), at_rest=True) for n in range(8))


@pytest.mark.parametrize("contrast", [14, -14])
def test_a_small_faint_thing_opens_it_at_once(contrast: int):
    gate = settled()
    with_thing = PLACE.copy()
    with_thing[80:86, 90:96] += contrast  # 3% of the width
    assert gate.closed(a_frame(15, noisy(15)), at_rest=True)
    assert not gate.closed(a_frame(16, noisy(16, with_thing)), at_rest=True)


def test_nothing_is_left_out_while_something_is_followed():
    gate = settled()
    assert not any(gate.closed(a_frame(n, noisy(n)), at_rest=False) for n in range(15, 20))


def test_light_that_changes_as_a_whole_opens_nothing():
    gate = settled()
    assert gate.closed(a_frame(15, noisy(15)), at_rest=True)
    assert gate.closed(a_frame(16, noisy(16, PLACE + 4)), at_rest=True)


def test_a_camera_that_shakes_is_always_looked_at():
    gate = MotionGate()
    shaken = [noisy(n, np.roll(PLACE, n % 3, axis=1)) for n in range(40)]
    closed = [gate.closed(a_frame(n, image), at_rest=True) for n, image in enumerate(shaken)]
    assert not any(closed)


def test_pictures_of_another_size_are_looked_at():
    gate = settled()
    small = np.ascontiguousarray(noisy(15)[:96, :120])
    assert not gate.closed(a_frame(15, small), at_rest=True)


@pytest.mark.parametrize("scale", [2, 6, 9])
def test_a_small_thing_opens_it_in_large_pictures_too(scale: int):
    large = np.kron(PLACE, np.ones((scale, scale, 1), np.float32))
    gate = MotionGate()
    for number in range(15):
        gate.closed(a_frame(number, noisy(number, large)), at_rest=True)
    assert gate.closed(a_frame(15, noisy(15, large)), at_rest=True)
    large[80 * scale : 86 * scale, 90 * scale : 96 * scale] += 14
    assert not gate.closed(a_frame(16, noisy(16, large)), at_rest=True)


def test_the_same_picture_in_another_size_is_looked_at():
    gate = settled()
    assert not gate.closed(a_frame(15, noisy(15).repeat(2, 0).repeat(2, 1)), at_rest=True)


def test_after_what_was_none_of_the_view_it_is_open():
    gate = settled()
    assert gate.closed(a_frame(15, noisy(15)), at_rest=True)
    gate.forget()
    assert not gate.closed(a_frame(16, noisy(16)), at_rest=True)


def test_a_still_picture_without_noise_is_left_out_and_a_grey_level_is_no_change():
    gate = MotionGate()
    still = PLACE.clip(0, 250).astype(np.uint8)
    closed = [gate.closed(a_frame(n, still + (n % 2)), at_rest=True) for n in range(30)]
    assert sum(closed[8:]) >= 18
