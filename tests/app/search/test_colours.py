"""Colours of things by name."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.search.colours import SHOWS, colour_shares


def crop(path: Path, inside: tuple[int, int, int], around: tuple[int, int, int]) -> Path:
    """A disc of one colour before another."""
    image = np.full((60, 80, 3), around, np.uint8)
    y, x = np.mgrid[:60, :80]
    image[((y - 30) / 22) ** 2 + ((x - 40) / 30) ** 2 <= 1] = inside
    Image.fromarray(image).save(path)
    return path


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((200, 30, 30), "red"),
        ((230, 120, 20), "orange"),
        ((230, 210, 40), "yellow"),
        ((40, 140, 60), "green"),
        ((40, 80, 190), "blue"),
        ((120, 40, 160), "purple"),
        ((240, 150, 180), "pink"),
        ((110, 70, 40), "brown"),
        ((20, 20, 20), "black"),
        ((240, 240, 240), "white"),
        ((128, 128, 128), "grey"),
    ],
)
def test_a_thing_has_the_colour_that_it_is_painted_in(
    tmp_path: Path, colour: tuple[int, int, int], name: str
):
    ground = (40, 140, 60) if name != "green" else (128, 128, 128)
    shares = colour_shares(crop(tmp_path / "crop.png", colour, ground))
    assert shares[name] > 0.8
    assert max(shares, key=lambda one: shares[one]) == name


def test_the_colour_of_the_ground_is_not_the_thing_s(tmp_path: Path):
    shares = colour_shares(crop(tmp_path / "crop.png", (200, 30, 30), (40, 140, 60)))
    assert shares.get("green", 0.0) < SHOWS


def test_a_picture_that_is_gone_or_broken_has_no_colour(tmp_path: Path):
    assert colour_shares(tmp_path / "none.jpg") == {}
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    assert colour_shares(tmp_path / "broken.jpg") == {}
