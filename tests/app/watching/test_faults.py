"""Pictures in which nothing can be seen, and pictures in which something can."""

import cv2
import numpy as np
import pytest

from app.watching.faults import FAULT_NAMES, detail_of, fault_of, sampled
from detectors.types import Pixels

SIZE = (240, 320)
EVERYWHERE = np.full((15, 20), 3.0, np.float32)
NOWHERE = np.full((15, 20), 0.5, np.float32)


def a_scene(seed: int = 0) -> Pixels:
    """Patches of many pale colours, with noise."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (12, 16, 3))
    grey = coarse.mean(axis=2, keepdims=True)
    coarse = (grey + 0.4 * (coarse - grey)).astype(np.uint8)
    image = cv2.resize(coarse, (SIZE[1], SIZE[0]), interpolation=cv2.INTER_NEAREST)
    return with_noise(np.asarray(image, np.uint8), 4, seed)


def with_noise(image: Pixels, sigma: float, seed: int = 0) -> Pixels:
    noise = np.random.default_rng(seed).normal(0, sigma, image.shape)
    return np.clip(image + noise, 0, 255).round().astype(np.uint8)


def filled(*colour: int) -> Pixels:
    return np.full((*SIZE, 3), colour, np.uint8)


@pytest.mark.parametrize(
    ("image", "fault"),
    [
        (filled(0, 0, 0), "black"),
        (filled(16, 16, 16), "black"),
        (with_noise(filled(8, 8, 8), 5), "black"),
        (filled(128, 128, 128), "grey"),
        (filled(130, 130, 130), "grey"),
        (filled(0, 135, 0), "green"),
        (filled(0, 77, 0), "green"),
        (filled(254, 254, 254), "white"),
        (filled(0, 0, 255), "plain"),
    ],
)
def test_a_picture_of_one_colour_shows_nothing(image: Pixels, fault: str):
    assert fault_of(image, EVERYWHERE, 10.0) == fault
    assert fault in FAULT_NAMES
    # Where it is what the detector has learned, it is the view.
    assert fault_of(image, NOWHERE, 10.0) is None


@pytest.mark.parametrize("colour", [(128, 128, 128), (0, 135, 0)])
@pytest.mark.parametrize("side", ["bottom", "right", "top"])
def test_a_picture_of_which_a_part_was_not_decoded_is_damaged(
    colour: tuple[int, int, int], side: str
):
    image, heat = a_scene(), NOWHERE.copy()
    part = {"bottom": np.s_[120:, :], "right": np.s_[:, 160:], "top": np.s_[:96, :]}[side]
    cells = {"bottom": np.s_[7:, :], "right": np.s_[:, 10:], "top": np.s_[:6, :]}[side]
    image[part], heat[cells] = colour, 4.0
    assert fault_of(image, heat, 10.0) == "damaged"
    assert fault_of(image, NOWHERE, 10.0) is None


def test_a_scene_is_well_however_unusual():
    assert fault_of(a_scene(), EVERYWHERE, detail_of(sampled(a_scene(1)))) is None


def test_a_thing_that_fills_half_the_view_is_no_fault():
    image = a_scene()
    image[60:200, 80:260] = with_noise(filled(60, 60, 160), 3)[60:200, 80:260]
    heat = NOWHERE.copy()
    heat[4:13, 5:17] = 5.0
    assert fault_of(image, heat, detail_of(sampled(a_scene()))) is None


@pytest.mark.parametrize("colour", [(128, 128, 128), (0, 128, 0)])
def test_an_even_thing_inside_the_picture_is_no_damage(colour: tuple[int, int, int]):
    image, heat = a_scene(), NOWHERE.copy()
    image[48:208, 64:272], heat[3:13, 4:17] = colour, 4.0
    assert fault_of(image, heat, 10.0) is None


def test_what_hides_all_detail_covers_the_camera():
    patch = cv2.resize(a_scene()[:2, :2].copy(), SIZE[::-1])
    cover = with_noise(np.asarray(patch, np.uint8), 2)
    cover = np.clip(cover * 0.2 + np.linspace(60, 140, SIZE[1])[:, None], 0, 255).astype(np.uint8)
    usual = detail_of(sampled(a_scene()))
    assert fault_of(cover, EVERYWHERE, usual) == "covered"
    assert fault_of(cover, NOWHERE, usual) is None
