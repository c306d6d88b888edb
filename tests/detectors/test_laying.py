"""A thing explains another picture of it wherever and however it lies there, and not another's."""

import cv2
import numpy as np
import pytest
import skimage.data

from detectors.laying import SIDE, Floats, Sight

CAT, CUP = skimage.data.chelsea()[20:280, 90:350], skimage.data.coffee()[40:360, 130:450]
BRICK, GRASS = (cv2.merge([one()] * 3) for one in (skimage.data.brick, skimage.data.grass))


def lab(picture: np.ndarray, size: tuple[int, int]) -> Floats:
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32)


def a_sight(
    thing: np.ndarray, behind: np.ndarray, left: int = 9, side: int = 14, lighter: float = 0.0
) -> Sight:
    """Of a square thing, its corner `left` pixels from the left and 9 from the top."""
    ground = lab(behind, (SIDE, SIDE))
    seen, share = ground.copy(), np.zeros((SIDE, SIDE), np.float32)
    part = (slice(9, 9 + side), slice(left, left + side))
    seen[part] = lab(thing, (side, side)) + np.array([lighter, 0, 0], np.float32)
    share[part] = 1
    return Sight(seen, ground, share)


AGAIN = {
    "elsewhere": a_sight(CAT, GRASS, left=14),
    "mirrored": a_sight(CAT[:, ::-1], GRASS),
    "nearer": a_sight(CAT, GRASS, side=18),
    "in the shade": a_sight(CAT, GRASS, lighter=-15),
}


@pytest.mark.parametrize("how", AGAIN)
def test_a_thing_is_explained_by_itself_and_not_by_another(how: str):
    assert AGAIN[how].left_by(a_sight(CAT, BRICK)) < 0.25
    assert AGAIN[how].left_by(a_sight(CUP, BRICK)) > 0.6


def test_what_looks_like_its_background_is_explained_though_only_a_part_of_it_is_seen():
    whole, part = a_sight(CAT, BRICK), a_sight(CAT, GRASS)
    part.behind[9:19, 9:23] = part.seen[9:19, 9:23]
    part.thing[9:19, 9:23] = 0
    assert part.left_by(whole) < 0.25
    assert whole.left_by(part) > 0.6


def test_nothing_explains_nothing():
    nothing = a_sight(CAT, BRICK)
    nothing.thing[:] = 0
    assert a_sight(CAT, BRICK).left_by(nothing) == 1


def test_noise_needs_no_explanation():
    seen, rng = a_sight(CAT, BRICK), np.random.default_rng(0)
    noise = rng.normal(0, 2, seen.seen.shape).astype(np.float32)
    noisy = Sight(seen.seen + noise, seen.behind, seen.thing)
    assert noisy.left_by(seen) < 0.05


def test_a_picture_is_kept_in_numbers():
    one = a_sight(CAT, BRICK)
    again = Sight.of(one.numbers)
    for name in ("seen", "behind", "thing"):
        np.testing.assert_array_equal(getattr(again, name), getattr(one, name))
