"""Pictures that changed as a whole: by name, and things still found in them."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from app.simulator.effects import Moment, Scope
from app.simulator.nuisances import Nuisance
from app.simulator.views import scene
from app.watching.altered import ChangeCheck, found_sentence
from app.watching.appearance import Appearance
from detectors.learned import LearnedView
from detectors.types import Box, Pixels
from tests.app.builders import a_frame
from tests.app.watching.test_colour import grey
from tests.app.watching.test_faults import a_scene, with_noise
from tests.app.watching.test_registration import seen

FPS = 5
VIEW = LearnedView.of([seen(seed=seed) for seed in range(5)])

type Disturb = Callable[[Pixels], Pixels]


def lighter(image: Pixels) -> Pixels:
    return np.clip(image * 3.2, 0, 255).astype(np.uint8)


def darker(image: Pixels) -> Pixels:
    return (image * 0.08).astype(np.uint8)


def soft(image: Pixels) -> Pixels:
    return with_noise(cv2.blur(image, (7, 7)).astype(np.uint8), 1)


def packed(image: Pixels) -> Pixels:
    _, file = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 12])
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8)


def brighter_day(image: Pixels) -> Pixels:
    return np.clip(image * 1.4, 0, 255).astype(np.uint8)


def dusk(image: Pixels) -> Pixels:
    return (image * 0.4).astype(np.uint8)


@pytest.mark.parametrize(
    ("disturb", "look"),
    [
        (lighter, "overexposed"),
        (darker, "underexposed"),
        (soft, "blurred"),
        (packed, "compressed"),
        (brighter_day, None),
        (dusk, None),
        (lambda image: image, None),
    ],
)
def test_what_is_wrong_with_a_picture_has_a_name(disturb: Disturb, look: str | None):
    appearance = Appearance(VIEW)
    assert [appearance.of(disturb(seen(seed=seed))) for seed in (20, 21)] == [look, look]


@pytest.mark.parametrize(
    ("nuisance", "look"),
    [("out of focus", "blurred"), ("compression", "compressed"), ("over-exposed", "overexposed")],
)
def test_names_hold_for_a_place_and_faults_that_others_made(nuisance: str, look: str):
    place = scene("yard", (240, 320))
    usual = place.world[24:264, 24:344]
    effect = Nuisance(nuisance).effect(Scope(place, 3, 60.0))
    lit = effect.lit(with_noise(usual, 2).astype(np.float32), Moment(4.0, 20))
    image = effect.coded(np.clip(lit, 0, 255).astype(np.uint8), Moment(4.0, 20))
    view = LearnedView.of([with_noise(usual, 2, seed) for seed in range(5)])
    assert Appearance(view).of(image) == look


def a_heat(level: float, *spots: tuple[int, int, float]) -> np.ndarray:
    heat = np.full((12, 16), level, np.float32)
    for row, column, peak in spots:
        heat[row : row + 3, column : column + 3] = peak
    return heat


def see(check: ChangeCheck, number: int, image: Pixels, heat: np.ndarray, *boxes: Box):
    noisy = heat + np.random.default_rng(number).normal(0, 0.02, heat.shape).astype(np.float32)
    return check.see(a_frame(number / FPS, image), noisy, boxes)


def test_what_a_change_alone_makes_unusual_is_not_found_but_what_comes_later_is():
    check = ChangeCheck(VIEW)
    for number in range(10):
        assert see(check, number, seen(seed=number), a_heat(0.25)).max() < 0.5
    # Compressed, half of it more than the rest.
    told = []
    for number in range(10, 30):
        changed = a_heat(0.9, (2, 2, 1.6), (2, 5, 1.8))
        assert see(check, number, packed(seen(seed=number)), changed).max() < 1
        told.append(check.fault)
    assert set(told[:5]) == {None}  # it is not known yet
    assert set(told[7:]) == {"compressed"}
    assert check.said.startswith("Things are found as before.")
    thing = a_heat(0.9, (2, 2, 1.6), (2, 5, 1.8), (8, 10, 2.0))
    heat = see(check, 30, packed(seen(seed=30)), thing)
    # In squares: what is there beside the change.
    assert heat[9, 11] == pytest.approx((2.0**2 - 0.9**2) ** 0.5, abs=0.15)
    assert heat[3, 3] < 1
    # It is over: everything counts again.
    for number in range(31, 37):
        see(check, number, seen(seed=number), a_heat(0.25))
    assert check.fault is None
    assert see(check, 37, seen(), a_heat(0.25, (8, 10, 2.0)))[9, 11] == pytest.approx(2, abs=0.1)


def test_a_change_that_lasts_may_wander_and_things_are_still_found():
    check, image = ChangeCheck(VIEW), packed(seen(seed=3))
    box = Box(11 * 20, 9 * 20, 12 * 20, 10 * 20)
    for number in range(5):
        see(check, number, seen(seed=number), a_heat(0.25))
    for number in range(5, 305):
        # A shadow wanders in within a quarter of an hour; at its end something comes and stays.
        wandering = (2, 2, 0.9 + max(0, number - 20) / 300)
        thing = [(8, 10, 2.0)] if number >= 150 else []
        heat = a_heat(0.9, wandering, *thing)
        at_s = number / FPS if number < 20 else 4 + 3 * (number - 20)
        found = check.see(a_frame(at_s, image), heat, [box] if number >= 152 else [])
        assert found[2:5, 2:5].max() < 1
        assert (found[9, 11] > 1.5) == (number >= 150)


@pytest.mark.parametrize(("peak", "again"), [(1.5, False), (3.0, True)])
def test_what_comes_and_goes_faintly_at_one_place_is_part_of_the_change(peak: float, again: bool):
    check, image = ChangeCheck(VIEW), packed(seen(seed=3))
    box = Box(11 * 20, 9 * 20, 12 * 20, 10 * 20)
    found = []
    for number in range(81):
        heat = a_heat(0.25 if number < 5 else 0.9)
        comes = number >= 30 and number % 15 < 6
        if comes:
            heat = a_heat(0.9, (8, 10, peak))
        seen_now = see(check, number, image, heat, *([box] if comes else []))
        found += [float(seen_now[9, 11]) > 1] if comes else []
    visits = np.array(found).reshape(-1, 6)
    assert visits[:2].all()
    assert visits[2:].all() == again
    assert visits[2:].any() == again
    # A thing that stands out more is found there all the same.
    thing = a_heat(0.9, (8, 10, 3.0))
    assert see(check, 81, image, thing)[9, 11] > 1


def test_what_was_followed_before_goes_on_through_a_change():
    check, box = ChangeCheck(VIEW), Box(11 * 20, 9 * 20, 12 * 20, 10 * 20)  # cells of 20 pixels
    for number in range(5):
        see(check, number, seen(seed=number), a_heat(0.25, (8, 10, 2.5)), box)
    for number in range(5, 25):
        changed = a_heat(0.8, (8, 10, 2.7))
        assert see(check, number, soft(seen(seed=number)), changed, box)[9, 11] > 2


def test_what_comes_while_a_change_settles_is_found_afterwards():
    check = ChangeCheck(VIEW)
    see(check, 0, seen(), a_heat(0.25))
    for number in range(1, 6):
        thing = [(8, 10, 2.5)] if number >= 5 else []
        assert see(check, number, soft(seen(seed=number)), a_heat(0.8, *thing)).max() == 0
    assert see(check, 6, soft(seen()), a_heat(0.8, (8, 10, 2.5))).max() == 0
    assert see(check, 7, soft(seen()), a_heat(0.8, (8, 10, 2.5)))[9, 11] > 1.5


def test_a_change_that_nobody_can_name_is_told_as_such():
    check = ChangeCheck(VIEW)
    for number in range(20):
        see(check, number, seen(seed=number), a_heat(0.25 if number < 8 else 1.0))
    assert check.fault == "changed"
    assert see(check, 20, seen(), a_heat(1.0)).max() < 1


def test_a_large_thing_and_rain_are_no_change():
    check, random = ChangeCheck(VIEW), np.random.default_rng(1)
    for number in range(40):
        heat = a_heat(0.25)
        if number >= 20:  # drops, elsewhere in every frame
            heat[random.random(heat.shape) < 0.45] = 1.5
        else:
            heat[:, :7] = 2.0
        assert see(check, number, seen(seed=number), heat).max() > 1
        assert check.fault is None


def test_a_camera_without_colour_needs_no_learned_picture():
    check = ChangeCheck(None)
    for number in range(25):
        image = a_scene(number) if number < 5 else grey(a_scene(number), number)
        see(check, number, image, a_heat(0.3 if number < 5 else 0.9, (2, 2, 2.0)))
    assert check.fault == "colourless"


@pytest.mark.parametrize(
    ("bar", "says"),
    [(1.0, "as before"), (1.4, "wider than about 6%"), (3.0, "about 20%"), (9.0, "Hardly")],
)
def test_it_is_said_what_can_still_be_found(bar: float, says: str):
    assert says in found_sentence(bar)
