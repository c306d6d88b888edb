"""Image files: opened upright, turned into RGB, several at once, in order.

One broken file in a million stops nothing: it comes out as an error in its place.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from itertools import islice
from pathlib import Path
from threading import Condition
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from novic.embedder import Pixels
from novic.errors import NomalyError
from novic.png_chunks import without_texts

_ENDINGS = """
.jpg .jpeg .jpe .jfif .jif .mpo .jps .png .apng .webp .avif .avifs .gif .bmp .dib .tif .tiff .jp2
.j2k .j2c .jpc .jpf .jpx .ppm .pgm .pbm .pnm .pfm .tga .icb .vda .vst .ico .cur .icns .dds .pcx .dcx
.psd .qoi .sgi .rgb .rgba .bw .xbm .xpm .msp .pxr .ras .blp .ftc .ftu .gbr .fits
"""
ENDINGS = frozenset(_ENDINGS.split())
"""What is taken from a folder; a file that is named itself may end as it likes. Left out is what
Pillow knows but mostly means something else: point clouds (.pcd), tracks (.fit), films."""

_UNSAFE = frozenset({"EPS", "WMF", "MPEG", "BUFR", "GRIB", "HDF5"})
"""Formats that Pillow names but cannot decode by itself; EPS it would hand to another program."""

_ORIENTATION = 0x0112
_ON_ITS_SIDE = (5, 6, 7, 8)
"""EXIF orientations of pictures whose rows are stored as columns."""
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
HEIC_HELP = (
    "turn it into JPEG first: heif-convert IN.heic OUT.jpg (Debian: libheif-examples), on a Mac: "
    "sips -s format jpeg IN.heic --out OUT.jpg"
)

WORKERS = min(8, os.cpu_count() or 1)
"""Images decoded or resized at once; Pillow lets other threads run meanwhile."""
AHEAD = 16
"""Files opened before they are asked for, at most."""
AHEAD_BYTES = 256 * 2**20
"""Decoded pixels that may wait; when large pictures fill it, fewer files are opened ahead."""
BACKGROUND = (128, 128, 128, 255)
"""What shows through transparency, RGBA."""


class ImageError(NomalyError):
    """An image cannot be read; the text says why, without its path."""


@dataclass(frozen=True, slots=True)
class LoadedImage:
    """What became of one image file."""

    path: str
    image: Pixels | None
    """RGB uint8 [H, W, 3]; None if it cannot be read."""
    error: str = ""
    """Why not, without the path; empty for a good file."""


def load_images(
    paths: Iterable[str],
    workers: int = WORKERS,
    read: Callable[[str], Pixels] | None = None,
) -> Generator[LoadedImage]:
    """Read image files ahead of their use, in order; broken ones are told in their place.

    Memory is bounded however many paths there are and however large the pictures: at most `AHEAD`
    files are opened before they are asked for, and no further one while `AHEAD_BYTES` of decoded
    pixels wait.

    Args:
        paths: Files; taken one by one, so the list may be endless.
        workers: Files decoded at once, 1 or more.
        read: Reads one file; `read_image` by default.

    Raises:
        ValueError: If there are no workers.
    """
    if workers < 1:
        raise ValueError(f"workers must be 1 or more, got {workers}")
    room = _Room()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="images")
    try:
        yield from _in_order(pool, room, iter(paths), read or read_image)
    finally:
        # Also when the caller stops half-way: what was not begun is not read.
        room.close()
        pool.shutdown(wait=True, cancel_futures=True)


def _in_order(
    pool: ThreadPoolExecutor,
    room: "_Room",
    paths: Iterator[str],
    read: Callable[[str], Pixels],
) -> Iterator[LoadedImage]:
    def load(number: int, path: str) -> LoadedImage:
        room.wait(number)
        loaded = load_image(path, read)
        room.fill(loaded)
        return loaded

    waiting: deque[Future[LoadedImage]] = deque()
    numbered = enumerate(paths)
    while True:
        for number, path in islice(numbered, AHEAD - len(waiting)):
            waiting.append(pool.submit(load, number, path))
        if not waiting:
            return
        loaded = waiting.popleft().result()
        room.leave(loaded)
        yield loaded


class _Room:
    """Keeps those who load from filling the memory while nobody takes what they loaded."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._bytes = 0
        self._next = 0
        self._closed = False

    def wait(self, number: int) -> None:
        """Wait until there is room; the image that is asked for next may always be loaded."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or number == self._next or self._bytes < AHEAD_BYTES
            )

    def fill(self, loaded: LoadedImage) -> None:
        with self._changed:
            self._bytes += _bytes(loaded)

    def leave(self, loaded: LoadedImage) -> None:
        with self._changed:
            self._bytes -= _bytes(loaded)
            self._next += 1
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def _bytes(loaded: LoadedImage) -> int:
    return 0 if loaded.image is None else loaded.image.nbytes


def load_image(path: str, read: Callable[[str], Pixels] | None = None) -> LoadedImage:
    """Read one image file; a fault is told in place of the image."""
    try:
        return LoadedImage(path, (read or read_image)(path))
    except ImageError as error:
        return LoadedImage(path, None, str(error))


def read_image(file: str | BinaryIO) -> Pixels:
    """Read one image upright, as RGB uint8 [H, W, 3].

    EXIF orientation is applied, transparency is laid over grey, 16-bit pictures are scaled by
    their own range (65535 for full 16 bit), of moving pictures the first is taken. What stands
    beside the pixels of a PNG (texts, XMP, profile) may be of any length. Pillow's limit
    against decompression bombs holds: twice `Image.MAX_IMAGE_PIXELS`, 179 million pixels.

    Args:
        file: A path, or a binary file that can be read again from its start.

    Raises:
        ImageError: If it is missing or no image that can be decoded.
    """
    if isinstance(file, str):
        return _read_named(file)
    try:
        return _read_past_texts(file)
    except UnidentifiedImageError as error:
        raise ImageError(_why_unknown(file)) from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"is too large to be opened safely: {error}") from error
    except MemoryError as error:
        raise ImageError("is too large for the memory") from error
    except Exception as error:
        # Pillow's readers meet damaged bytes with errors of any kind (struct, zlib, index, key).
        raise ImageError(f"is damaged: {error or type(error).__name__}") from error


def image_size(path: str | Path) -> tuple[int, int]:
    """(height, width) of an image file as `read_image` gives it; only its head is read.

    Raises:
        ImageError: If it is missing or no image.
    """
    try:
        with Image.open(path, formats=_formats()) as opened:
            width, height = opened.size
            turned = opened.getexif().get(_ORIENTATION) in _ON_ITS_SIDE
    except FileNotFoundError as error:
        raise ImageError("there is no such file") from error
    except Exception as error:
        # As for `read_image`: damaged bytes are met with errors of any kind.
        raise ImageError("is not an image that can be read") from error
    return (width, height) if turned else (height, width)


def _read_named(path: str) -> Pixels:
    """Read a file."""
    try:
        with Path(path).open("rb") as opened:
            # A pipe cannot be read twice.
            return read_image(opened if opened.seekable() else BytesIO(opened.read()))
    except FileNotFoundError as error:
        raise ImageError("there is no such file") from error
    except IsADirectoryError as error:
        raise ImageError("is a folder") from error
    except PermissionError as error:
        raise ImageError("may not be read: permission denied") from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ImageError(f"may not be read: {why}") from error


def _read_past_texts(file: BinaryIO) -> Pixels:
    """Read an image; a PNG that fails once more without what stands beside its pixels."""
    try:
        return _read(file)
    except (OSError, ValueError, SyntaxError):
        file.seek(0)
        copy = without_texts(file)
        if copy is None:
            raise
        return _read(copy)


def _read(file: BinaryIO) -> Pixels:
    with Image.open(file, formats=_formats()) as opened:
        opened.load()
        return _rgb(_upright(opened))


@cache
def _formats() -> list[str]:
    Image.init()
    return [name for name in Image.ID if name not in _UNSAFE]


def _why_unknown(file: BinaryIO) -> str:
    """What to say of bytes that no reader knows."""
    file.seek(0)
    head = file.read(12)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return f"is a HEIC photograph, which cannot be read here; {HEIC_HELP}"
    return "is not an image that can be read"


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001
        # The pixels are good; only what stands beside them is damaged.
        return image


def _rgb(image: Image.Image) -> Pixels:
    if image.mode.startswith("I") or image.mode == "F":
        return _grey(image)
    if image.has_transparency_data:
        over = Image.new("RGBA", image.size, BACKGROUND)
        image = Image.alpha_composite(over, image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))


def _grey(image: Image.Image) -> Pixels:
    """A picture of deep grey values, scaled to 8 bits."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0)
    full = 65535 if image.mode.startswith("I") else max(float(values.max()), 1e-9)
    grey = np.clip(values * (255 / full), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
