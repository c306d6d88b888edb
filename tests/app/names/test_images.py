"""Image files of all kinds, good and bad."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.names.images import find_images, open_images, read_image
from novic.images import ImageError

PICTURE = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)


def save(path: Path, image: Image.Image, **options: Any) -> str:  # noqa: ANN401
    image.save(path, **options)
    return str(path)


def test_exif_orientation_is_applied(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "turned.png", Image.fromarray(PICTURE), exif=exif)
    assert (read_image(path) == np.rot90(PICTURE, -1)).all()


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "LA", "RGBA", "YCbCr", "HSV"])
def test_every_kind_of_image_becomes_rgb(tmp_path: Path, mode: str):
    ending = "jpg" if mode in ("CMYK", "YCbCr") else "tif" if mode == "HSV" else "png"
    image = Image.fromarray(PICTURE).convert(mode)
    if mode == "HSV":
        image = image.convert("RGB")
    read = read_image(save(tmp_path / f"image.{ending}", image))
    assert read.shape == (20, 30, 3)
    assert read.dtype == np.uint8


def test_sixteen_bit_images_keep_their_brightness(tmp_path: Path):
    deep = np.linspace(0, 65535, 600).reshape(20, 30).astype(np.uint16)
    read = read_image(save(tmp_path / "deep.png", Image.fromarray(deep)))
    np.testing.assert_allclose(read[..., 0], deep / 257, atol=1)


def test_transparency_is_laid_over_grey(tmp_path: Path):
    clear = np.zeros((4, 4, 4), np.uint8)
    assert (read_image(save(tmp_path / "clear.png", Image.fromarray(clear))) == 128).all()


def test_one_pixel_and_twenty_megapixels(tmp_path: Path):
    assert read_image(save(tmp_path / "dot.png", Image.new("RGB", (1, 1)))).shape == (1, 1, 3)
    big = save(tmp_path / "big.png", Image.new("L", (5000, 4000)))
    assert read_image(big).shape == (4000, 5000, 3)


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_bad_files_are_told_one_by_one_and_stop_nothing(tmp_path: Path):
    good = save(tmp_path / "a.jpg", Image.fromarray(PICTURE))
    cut = save(tmp_path / "b.jpg", Image.fromarray(PICTURE.repeat(20, 0).repeat(20, 1)))
    half(Path(cut))
    (tmp_path / "c.png").write_text("not an image")
    (tmp_path / "d.gif").write_bytes(b"")
    found = {Path(file.path).name: file.error for file in open_images([str(tmp_path), "/no.png"])}
    assert found["a.jpg"] == ""
    assert found["b.jpg"].startswith("is damaged: image file is truncated")
    assert found["c.png"] == found["d.gif"] == "is not an image that can be read"
    assert found["no.png"] == "there is no such file"
    assert read_image(good).shape == (20, 30, 3)


def test_a_bomb_is_not_opened(tmp_path: Path):
    bomb = tmp_path / "bomb.ppm"
    bomb.write_bytes(b"P6 60000 60000 255\n" + b"\0" * 100)
    with pytest.raises(ImageError, match="is too large to be opened safely"):
        read_image(str(bomb))


def test_folders_are_searched_deeply_and_in_order(tmp_path: Path):
    (tmp_path / "sub").mkdir()
    for name in ("b.png", "a.JPG", "sub/c.webp", "notes.txt"):
        (tmp_path / name).touch()
    names = [str(Path(path).relative_to(tmp_path)) for path in find_images([str(tmp_path)])]
    assert names == ["a.JPG", "b.png", "sub/c.webp"]


def test_standard_input_is_an_image_too(monkeypatch: pytest.MonkeyPatch):
    data = io.BytesIO()
    Image.fromarray(PICTURE).save(data, "png")

    class Piped:
        buffer = io.BytesIO(data.getvalue())

    monkeypatch.setattr("sys.stdin", Piped)
    assert (read_image("-") == PICTURE).all()
