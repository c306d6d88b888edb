"""Image files of all kinds, good and bad."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.names.images import find_images, open_images, read_image
from novic.errors import UsageError
from novic.images import ImageError
from tests.peers.pattern import numbered

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
    found = {
        Path(file.path).name: file.error
        for file in open_images([*find_images([str(tmp_path)]).files, "/no.png"])
    }
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
    names = [str(Path(path).relative_to(tmp_path)) for path in find_images([str(tmp_path)]).files]
    assert names == ["a.JPG", "b.png", "sub/c.webp"]


def test_standard_input_is_an_image_too(monkeypatch: pytest.MonkeyPatch):
    data = io.BytesIO()
    Image.fromarray(PICTURE).save(data, "png")

    class Piped:
        buffer = io.BytesIO(data.getvalue())

    monkeypatch.setattr("sys.stdin", Piped)
    assert (read_image("-") == PICTURE).all()


def test_what_a_folder_holds_besides_is_counted_and_told(tmp_path: Path):
    (tmp_path / "sub").mkdir()
    for name in ("a.jfif", "b.HEIC", "sub/c.heic", "notes.txt", "clip.mp4", "LICENSE"):
        (tmp_path / name).touch()
    found = find_images([str(tmp_path)])
    assert found.files == [str(tmp_path / "a.jfif")]
    assert found.left_out == {".heic": 2, ".txt": 1, ".mp4": 1, "": 1}
    told, heic, video = found.notes
    assert told == "left out: 2 .heic, 1 without an ending, 1 .mp4, 1 .txt"
    assert "heif-convert" in heic
    assert video == "for videos use: nomaly audit FILE"


def test_a_folder_without_images_says_what_it_holds(tmp_path: Path):
    (tmp_path / "a.heic").touch()
    with pytest.raises(UsageError, match=r"there are no images.*1 \.heic.*turn it into JPEG"):
        find_images([str(tmp_path)])


def test_files_that_are_all_missing_are_a_usage_error_and_some_are_not(tmp_path: Path):
    picture = save(tmp_path / "a.png", Image.fromarray(PICTURE))
    missing = str(tmp_path / "none.jpg")
    with pytest.raises(UsageError, match=r"none\.jpg: there is no such file"):
        find_images([missing])
    assert find_images([missing, picture]).files == [missing, picture]


@pytest.mark.parametrize("address", ["http://ann:secret@hall/x.jpg?token=t0ken", "rtsp:/a:b@c/1"])
def test_an_address_is_told_what_takes_it_without_its_secrets(address: str):
    with pytest.raises(UsageError, match=r"that is an address.*nomaly watch ADDRESS") as told:
        find_images([address])
    assert not any(secret in str(told.value) for secret in ("secret", "t0ken", "a:b"))


def test_a_video_is_told_who_takes_it(tmp_path: Path):
    path = tmp_path / "clip.mp4"
    numbered(path, 5)
    with pytest.raises(ImageError, match=r"is a video; use: nomaly audit .*clip\.mp4"):
        read_image(str(path))
