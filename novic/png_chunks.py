"""PNG files without the texts and profiles that stand beside their pixels.

Pillow guards itself against bombs by refusing a whole picture whose text, XMP or colour profile is
long (`PngImagePlugin.MAX_TEXT_CHUNK`) or damaged. Nomaly wants the pixels alone.
"""

import struct
from io import BytesIO
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
BESIDE = frozenset({b"tEXt", b"zTXt", b"iTXt", b"iCCP"})
"""Chunks that a picture can do without; EXIF, which knows what is up, is none of them."""
MOST_BYTES = 2**30
"""Of what is kept, in memory; more is no picture that Pillow would open."""


def without_texts(file: BinaryIO) -> BytesIO | None:
    """A copy of a PNG without its texts and its colour profile, none of which is unpacked.

    Args:
        file: Open at its start.

    Returns:
        None if it is no PNG, has nothing to leave out, or is larger than `MOST_BYTES`.
    """
    if file.read(len(SIGNATURE)) != SIGNATURE:
        return None
    kept, left_out = BytesIO(), False
    kept.write(SIGNATURE)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind in BESIDE:
            file.seek(length + 4, 1)
            left_out = True
        elif kept.tell() + length > MOST_BYTES:
            return None
        else:
            kept.write(head + file.read(length + 4))
    kept.seek(0)
    return kept if left_out else None
