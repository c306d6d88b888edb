"""Image files of all kinds, good and damaged, read ahead and in order."""

import io
import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

from novic.embedder import Pixels
from novic.images import (
    AHEAD,
    AHEAD_BYTES,
    ENDINGS,
    WORKERS,
    ImageError,
    LoadedImage,
    load_image,
    load_images,
    read_image,
)

PICTURE = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)


def save(path: Path, image: Image.Image, **options: Any) -> str:  # noqa: ANN401
    image.save(path, **options)
    return str(path)


@pytest.mark.parametrize("turn", range(1, 9))
def test_every_orientation_comes_out_upright(tmp_path: Path, turn: int):
    exif = Image.Exif()
    exif[0x0112] = turn
    stored = Image.fromarray(PICTURE)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    """How the picture must be stored so that this orientation turns it back (Pillow's numbers)."""
    if turn in undo:
        stored = stored.transpose(Image.Transpose(undo[turn]))
    path = save(tmp_path / "turned.png", stored, exif=exif)
    assert (read_image(path) == PICTURE).all()


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")
def test_a_damaged_exif_block_costs_only_the_orientation(tmp_path: Path):
    path = save(
        tmp_path / "a.jpg", Image.fromarray(data.coffee()), exif=b"Exif\x00\x00II*\x00nonsense"
    )
    loaded = load_image(path)
    assert loaded.image is not None, loaded.error
    assert loaded.image.shape == (400, 600, 3)


def test_float_pictures_are_scaled_by_their_largest_value(tmp_path: Path):
    values = np.linspace(0, 2, 600).reshape(20, 30).astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    read = read_image(save(tmp_path / "float.tif", Image.fromarray(values)))
    assert (read[0, :3] == 0).all()
    np.testing.assert_allclose(read[1:, :, 0], values[1:] * 127.5, atol=1)


def test_sixteen_bit_colour_and_a_transparent_palette(tmp_path: Path):
    picture = Image.fromarray(PICTURE).quantize(16)
    picture.info["transparency"] = picture.getpixel((0, 0))
    read = read_image(
        save(tmp_path / "palette.png", picture, transparency=picture.getpixel((0, 0)))
    )
    assert (read[0, 0] == 128).all()
    assert read.shape == PICTURE.shape


def test_an_open_file_is_read_too():
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, "png")
    file.seek(0)
    assert (read_image(file) == PICTURE).all()


def test_faults_are_told_without_the_path(tmp_path: Path):
    (tmp_path / "text.png").write_text("not an image")
    faults = {
        "nothing.png": "there is no such file",
        "text.png": "is not an image that can be read",
        ".": "is a folder",
    }
    for name, fault in faults.items():
        with pytest.raises(ImageError) as told:
            read_image(str(tmp_path / name))
        assert str(told.value) == fault


@contextmanager
def nobody() -> Iterator[None]:
    """Root may read everything, so root becomes nobody for a while."""
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(me)


def test_a_file_that_may_not_be_read(tmp_path: Path):
    path = save(tmp_path / "a.png", Image.fromarray(PICTURE))
    Path(path).chmod(0)
    with nobody():
        assert load_image(path).error == "may not be read: permission denied"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "bmp", "tiff", "ppm", "avif"])
def test_damaged_bytes_are_an_image_or_an_error_and_nothing_else(tmp_path: Path, kind: str):
    good = io.BytesIO()
    Image.fromarray(data.coffee()[:64, :64]).save(good, kind)
    draw = np.random.default_rng(0)
    path = tmp_path / f"image.{kind}"
    errors = 0
    for _ in range(60):
        content = np.frombuffer(good.getvalue(), np.uint8).copy()
        where = draw.integers(0, min(len(content), draw.choice([40, 400, 40000])), 4)
        content[where] = draw.integers(0, 256, 4)
        path.write_bytes(content.tobytes()[: draw.integers(1, len(content) * 2)])
        loaded = load_image(str(path))
        assert (loaded.image is None) == bool(loaded.error)
        errors += loaded.image is None
    assert errors > 5


def test_files_come_in_order_with_the_broken_ones_in_place(tmp_path: Path):
    paths = []
    for number in range(60):
        path = tmp_path / f"{number}.png"
        # Large and small by turns: later ones are ready before earlier ones.
        side = 400 if number % 7 == 0 else 8
        Image.new("RGB", (side, side), (number, 0, 0)).save(path)
        if number % 10 == 3:
            path.write_bytes(b"broken")
        paths.append(str(path))
    found = list(load_images(paths, workers=4))
    assert [one.path for one in found] == paths
    for number, one in enumerate(found):
        if number % 10 == 3:
            assert one == LoadedImage(paths[number], None, "is not an image that can be read")
        else:
            assert one.image is not None
            assert one.image[0, 0, 0] == number


def test_only_so_many_files_are_opened_ahead():
    asked = itertools.count()

    def endless() -> Iterator[str]:
        for number in itertools.count():
            next(asked)
            yield str(number)

    read: list[str] = []

    def small(path: str) -> Pixels:
        read.append(path)
        return np.zeros((1, 1, 3), np.uint8)

    loading = load_images(endless(), workers=2, read=small)
    assert [next(loading).path for _ in range(5)] == ["0", "1", "2", "3", "4"]
    assert next(asked) <= 5 + AHEAD
    loading.close()
    assert len(read) <= 5 + AHEAD


def test_large_pictures_leave_room_for_few():
    loaded: list[str] = []

    def large(path: str) -> Pixels:
        loaded.append(path)
        # Never touched, so it costs no memory; it counts as a third of what may wait.
        return np.empty((AHEAD_BYTES // 9 + 1, 1, 3), np.uint8)

    loading = load_images((str(number) for number in range(40)), workers=2, read=large)
    for number, taken in enumerate(loading):
        assert taken.path == str(number)
        # Three wait, and each of the two workers may have begun one while there were two.
        assert len(loaded) <= number + 1 + 3 + 1
    assert len(loaded) == 40


def test_the_readers_end_with_the_reading():
    names = {thread.name for thread in threading.enumerate()}
    loading = load_images((str(n) for n in range(100)), read=lambda _: PICTURE)
    next(loading)
    loading.close()
    after = {thread.name for thread in threading.enumerate()}
    assert after - names == set()


def test_no_files_and_no_workers():
    assert list(load_images([])) == []
    assert WORKERS >= 1
    with pytest.raises(ValueError, match="workers must be 1 or more, got 0"):
        list(load_images([], workers=0))


_READABLE = """
.jpg .jpe .jfif .png .apng .webp .avif .gif .bmp .dib .tif .tiff .jp2 .j2k .j2c .jpc .jpf .jpx .ppm
.pgm .pbm .pnm .tga .icb .vda .vst .ico .icns .dds .pcx .qoi .sgi .rgb .bw .mpo .pfm .xbm .msp
"""


@pytest.mark.parametrize("ending", _READABLE.split())
def test_pictures_of_every_ending_are_read(tmp_path: Path, ending: str):
    modes = {".pgm": "L", ".pbm": "1", ".pfm": "F", ".xbm": "1", ".msp": "1", ".bw": "L"}
    image = Image.fromarray(np.kron(PICTURE, np.ones((8, 8, 1), np.uint8)))
    path = tmp_path / f"picture{ending}"
    image.convert(modes.get(ending, "RGB")).save(path)
    assert read_image(str(path)).shape[2] == 3
    assert ending in ENDINGS


def test_a_heic_photograph_is_told_what_to_do(tmp_path: Path):
    path = tmp_path / "IMG_1.HEIC"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400))
    with pytest.raises(ImageError, match=r"is a HEIC photograph.*turn it into JPEG.*heif-convert"):
        read_image(str(path))


def test_no_other_program_is_started_for_a_picture(tmp_path: Path):
    path = tmp_path / "page.eps"
    Image.fromarray(PICTURE).save(path)
    with pytest.raises(ImageError, match="is not an image that can be read"):
        read_image(str(path))
