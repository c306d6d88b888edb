"""PNG files with long or damaged things beside their pixels."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from novic.images import ImageError, read_image
from novic.png_chunks import without_texts

PICTURE = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
LONG = b"x" * 3_000_000


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*beside: bytes, exif: Image.Exif | None = None, last: bool = False) -> bytes:
    """A PNG of the picture with chunks after its header, or after its pixels."""
    data = io.BytesIO()
    Image.fromarray(PICTURE).save(data, "png", exif=exif or Image.Exif())
    whole = data.getvalue()
    at = len(whole) - 12 if last else 33
    return whole[:at] + b"".join(beside) + whole[at:]


BESIDE = {
    "packed text": chunk(b"zTXt", b"a\0\0" + zlib.compress(LONG)),
    "XMP": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(LONG)),
    "profile": chunk(b"iCCP", b"p\0\0" + zlib.compress(os.urandom(2_000_000))),
    "bomb": chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(300_000_000), 9)),
    "plain texts": b"".join(chunk(b"tEXt", b"k%d\0" % n + LONG) for n in range(25)),
    "odd packing": chunk(b"iCCP", b"p\0\7" + zlib.compress(b"profile")),
    "damaged text": chunk(b"tEXt", b"a\0text")[:-4] + b"\0\0\0\0",
}


@pytest.mark.parametrize("what", BESIDE)
def test_what_stands_beside_the_pixels_does_not_matter(what: str):
    for last in (False, True):
        assert (read_image(io.BytesIO(png(BESIDE[what], last=last))) == PICTURE).all()


def test_the_side_that_is_up_is_still_known(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.png"
    path.write_bytes(png(BESIDE["packed text"], exif=exif))
    assert (read_image(str(path)) == np.rot90(PICTURE, -1)).all()


def test_damaged_pixels_are_still_told():
    whole = png(BESIDE["packed text"])
    with pytest.raises(ImageError, match="is damaged"):
        read_image(io.BytesIO(whole[: len(whole) - 600]))


def test_only_what_can_be_left_out_is_left_out():
    assert without_texts(io.BytesIO(png())) is None
    assert without_texts(io.BytesIO(b"GIF89a")) is None
    copy = without_texts(io.BytesIO(png(*BESIDE.values())))
    assert copy is not None
    assert copy.getvalue() == png()
