"""What was found out about a place is not worked out again while the place shows the same."""

import numpy as np
import pytest

from detectors.settled import MOST, Settled
from detectors.types import Box, Pixels

RNG = np.random.default_rng(7)
VIEW = RNG.integers(40, 200, (12, 16, 3)).repeat(20, 0).repeat(20, 1).astype(np.uint8)
BOX = Box(60, 60, 120, 110)


def seen(noise: float = 3.0) -> Pixels:
    """The view in a frame of a noisy camera."""
    return (VIEW + RNG.normal(0, noise, VIEW.shape)).clip(0, 255).astype(np.uint8)


def with_thing(side: int) -> Pixels:
    image = seen()
    part = image[80 : 80 + side, 80 : 80 + side]
    part[:] = np.where(part > 127, part - 60, part + 60)
    return image


def told(answer: bool) -> Settled:
    settled = Settled()
    assert settled.answer(BOX, VIEW) is None
    settled.settle(BOX, seen(), answer)
    return settled


@pytest.mark.parametrize("answer", [True, False])
def test_it_holds_while_the_place_shows_the_same(answer: bool):
    settled = told(answer)
    assert settled.answer(BOX, seen()) is answer
    assert settled.answer(Box(61, 58, 121, 109), seen()) is answer


@pytest.mark.parametrize("side", [4, 8, 30])
def test_even_a_small_thing_that_comes_there_is_looked_at(side: int):
    assert told(True).answer(BOX, with_thing(side)) is None


def test_what_moves_by_and_by_is_looked_at_again():
    """Each frame is compared with the one in which it was found out, not with the last one."""
    settled = told(True)
    fading = [(VIEW * (1 - 0.01 * step)).astype(np.uint8) for step in range(10)]
    assert [settled.answer(BOX, image) for image in (fading[0], fading[-1])] == [True, None]


def test_another_place_is_another_question():
    settled = told(True)
    assert settled.answer(Box(60, 60, 120, 140), seen()) is None
    assert settled.answer(Box(160, 60, 220, 110), seen()) is None


def test_the_newest_answer_counts_and_old_ones_go():
    settled = told(True)
    settled.settle(BOX, seen(), False)
    assert settled.answer(BOX, seen()) is False
    for number in range(MOST):
        settled.settle(Box(200, 2 * number, 240, 2 * number + 60), VIEW, True)
    assert settled.answer(BOX, seen()) is None


def test_it_can_be_forgotten():
    settled = told(True)
    settled.forget()
    assert settled.answer(BOX, seen()) is None
