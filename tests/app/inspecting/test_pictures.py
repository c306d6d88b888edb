"""Stills of any size and kind, brought to one size."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

from app.inspecting.masks import mask_boxes, read_mask
from app.inspecting.pictures import LONGEST, load, load_good, usual_size
from detectors.types import Box
from novic.images import ImageError, image_size, read_image

CAT = Image.fromarray(data.chelsea()).resize((120, 80))


def save(image: Image.Image, path: Path, **options: Any) -> Path:  # noqa: ANN401 - those of Pillow
    image.save(path, **options)
    return path


@pytest.fixture
def mixed(tmp_path: Path) -> list[Path]:
    """Photographs of one shape, saved in every way, and some that cannot be used."""
    turned = Image.Exif()
    turned[0x0112] = 6
    deep = np.asarray(CAT.convert("L"), np.uint16) * 257
    clear = CAT.copy()
    clear.putalpha(255)
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff nothing")
    return [
        save(CAT, tmp_path / "a.png"),
        save(CAT, tmp_path / "b.jpg", quality=95),
        save(CAT.resize((240, 160)), tmp_path / "large.png"),
        save(CAT.transpose(Image.Transpose.ROTATE_90), tmp_path / "turned.jpg", exif=turned),
        save(Image.fromarray(deep), tmp_path / "deep.png"),
        save(clear, tmp_path / "clear.png"),
        tmp_path / "torn.jpg",
        save(CAT.resize((80, 80)), tmp_path / "square.png"),
        save(CAT.resize((12, 8)), tmp_path / "tiny.png"),
    ]


def test_all_that_fit_come_out_in_the_usual_size_and_the_others_say_why(mixed: list[Path]):
    assert usual_size(mixed) == (80, 120)
    found = list(load(mixed, (80, 120)))
    assert [one.path for one in found] == mixed
    good, bad = found[:6], found[6:]
    usual = np.asarray(CAT, np.float64)
    for one in good:
        assert one.image is not None, one.error
        assert one.image.shape == (80, 120, 3)
        grey = one.path.name == "deep.png"
        wanted = np.repeat(usual.mean(axis=2, keepdims=True), 3, axis=2) if grey else usual
        assert np.abs(one.image - wanted).mean() < 12, one.path
    assert found[2].size == (160, 240)
    assert [one.error for one in bad] == [
        "is not an image that can be read",
        "80x80 pixels have another shape than the 120x80 that is learned",
        "12x8 pixels are too few: 120x80 are learned",
    ]


def test_who_cannot_be_learned_from_is_told(mixed: list[Path]):
    told: list[str] = []
    counted: list[int] = []
    images = load_good(mixed, (80, 120), told.append, counted.append)
    assert len(images) == 6
    assert [sentence.split(": ")[0] for sentence in told] == ["Left out"] * 3
    assert counted[-1] == len(mixed)


def test_large_pictures_are_made_smaller_and_nothing_has_no_size(tmp_path: Path):
    wide = save(Image.new("RGB", (7680, 4320)), tmp_path / "8k.png", compress_level=1)
    assert usual_size([wide]) == (576, LONGEST)
    dot = save(Image.new("RGB", (1, 1)), tmp_path / "dot.png")
    assert usual_size([dot]) == (1, 1)
    assert usual_size([tmp_path / "gone.png"]) is None


def test_the_size_of_a_picture_is_the_one_that_it_is_read_in(mixed: list[Path]):
    for path in mixed[:6]:
        assert image_size(path) == read_image(str(path)).shape[:2]
    with pytest.raises(ImageError, match="is not an image"):
        image_size(mixed[6])
    with pytest.raises(ImageError, match="there is no such file"):
        image_size(mixed[6].with_name("gone.png"))


def test_a_mask_is_brought_to_its_image(tmp_path: Path):
    mask = np.zeros((40, 60), np.uint8)
    mask[10:20, 30:45] = 1
    place = save(Image.fromarray(mask), tmp_path / "m.png")
    for size in ((80, 120), (20, 30)):
        found = read_mask(place, (80, 120), size)
        assert found.shape == size
        assert found.mean() == pytest.approx(150 / 2400, rel=0.1)
    assert mask_boxes(read_mask(place, (80, 120), (40, 60)), (80, 120)) == (Box(60, 20, 90, 40),)
    with pytest.raises(ImageError, match="60x40 pixels have another shape than the image's 80x80"):
        read_mask(place, (80, 80), (80, 80))
